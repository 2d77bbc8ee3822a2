// SPDX-License-Identifier: MIT
// See reply.h. Text that was stored as JSON is looked through before it becomes part of a reply,
// since a damaged database holds anything.

#include "server/handlers/reply.h"

#include "api/json/json_in.h"
#include "api/schema/rendering.h"
#include "api/schema/schema.h"
#include "api/views/list_view.h"

#include <string.h>

struct jsonw reply_begin(struct call *c)
{
    struct jsonw w;
    jsonw_init(&w, c->arena);
    jsonw_object(&w, NULL);
    return w;
}

bool reply_text(struct call *c, struct jsonw *w, struct err *e)
{
    size_t len;
    const char *text = jsonw_line(w, &len, e);
    return text && call_reply(c, text, len);
}

bool reply_end(struct call *c, struct jsonw *w, struct err *e)
{
    jsonw_end(w);
    return reply_text(c, w, e);
}

bool reply_render(struct call *c, const void *model, struct err *e)
{
    size_t len;
    const char *text = c->rendering->write(model, &len, c->arena, e);
    return text && call_reply(c, text, len);
}

bool reply_view(struct call *c, const void *reply, struct err *e)
{
    struct jsonw w;
    jsonw_init(&w, c->arena);
    schema_write(c->route->reply, reply, &w, NULL);
    return reply_text(c, &w, e);
}

void *reply_room(struct call *c, size_t n, size_t size, struct err *e)
{
    void *items = arena_zalloc(c->arena, n + 1, size);
    if (!items)
        fail(e, ERR_TOO_LARGE, "the list is larger than a request may take");
    return items;
}

bool reply_list(struct call *c, const void *items, size_t n, bool more, struct err *e)
{
    const struct schema *item = list_item(c->route->reply);
    const char *id = (const char *)items + item->field->at;
    const struct list_reply page = {
        .data = items,
        .n = n,
        .has_more = more,
        .first_id = n ? *(const int64_t *)id : -1,
        .last_id = n ? *(const int64_t *)(id + (n - 1) * item->size) : -1,
    };
    return reply_view(c, &page, e);
}

bool reply_stored(const char *json, bool object, struct arena *a, struct err *e)
{
    struct err why = {0};
    struct faults faults;
    if (!json)
        return true;
    faults_init(&faults, a);
    if (!json_scan(json, strlen(json), NULL, 0, a, &faults, &why))
        return fail(e, why.kind == ERR_MALFORMED ? ERR_INTERNAL : why.kind,
                    "the database is damaged, restore a backup: stored JSON: %s", why.text);
    struct json_in in = json_in((struct json_span){json, strlen(json)});
    return !object || json_kind(&in) == JSON_OBJECT ||
           fail(e, ERR_INTERNAL, "the database is damaged, restore a backup: stored JSON is %s",
                json_kind_name(json_kind(&in)));
}

_Static_assert((int)PAGE_MAX <= (int)STORE_PAGE && (int)CURVE_MAX <= (int)STORE_CURVE,
               "whatever may be asked for, the store gives");

bool reply_in_time(struct call *c, const struct page_query *page)
{
    enum { QUICK_PAGE = 100 }; // rows, of some kilobytes each
    return c->pace || page->limit <= QUICK_PAGE || call_defer(c, PACE_SECONDS);
}
