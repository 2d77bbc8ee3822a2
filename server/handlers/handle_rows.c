// SPDX-License-Identifier: MIT
// What a job has found of each row of its table: a page of columns, as its kind has named them.

#include "api/views/query.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/handlers/reply_series.h"
#include "server/handlers/server.h"

#include <string.h>

// Columns in their order; those that belong together under the name of what they are of.
static void rows_write_columns(struct jsonw *w, const struct series_table *t)
{
    const char *scope = "";
    jsonw_object(w, "columns");
    for (size_t k = 0; k < t->series.n; k++) {
        const struct series *s = &t->series.item[k];
        if (strcmp(s->scope, scope) != 0 && *scope)
            jsonw_end(w);
        if (strcmp(s->scope, scope) != 0 && *s->scope)
            jsonw_object(w, s->scope);
        scope = s->scope;
        reply_series(w, s->name, t, k);
    }
    if (*scope)
        jsonw_end(w);
    jsonw_end(w);
}

bool job_rows(struct call *c, struct err *e)
{
    const struct rows_query *q = c->query;
    int64_t id;
    struct series_table t;
    bool more;
    if (!call_id(c, 0, "job", &id, e) ||
        !store_job_rows(c->server->store, id, q->after, (size_t)q->limit, &t, &more, c->arena, e))
        return false;
    struct jsonw w = reply_begin(c);
    jsonw_int(&w, "job_id", id);
    rows_write_columns(&w, &t);
    jsonw_bool(&w, "has_more", more);
    return reply_end(c, &w, e);
}
