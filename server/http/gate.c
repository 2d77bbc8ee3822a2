// SPDX-License-Identifier: MIT
// The gate: see gate.h.

#include "server/http/gate.h"

#include <string.h>
#include <strings.h>

enum { JSON_LIMIT = 64 << 10, NONE_LIMIT = 64 << 10 };

// Media types that we read, by what a row's body is. `curl -d` and `--data-binary` declare a form
// whatever they send, so that name stands for both.
static const struct {
    const char *name;
    enum body_kind kind;
} media[] = {
    {"application/json", BODY_JSON},
    {"application/x-www-form-urlencoded", BODY_JSON},
    {"application/json", BODY_FILE},
    {"application/octet-stream", BODY_FILE},
    {"application/x-www-form-urlencoded", BODY_FILE},
    {"text/csv", BODY_STREAM},
    {"application/octet-stream", BODY_STREAM},
    {"application/x-www-form-urlencoded", BODY_STREAM},
};

size_t gate_limit(const struct route *row, size_t max_upload)
{
    const size_t of_kind[] = {[BODY_NONE] = NONE_LIMIT,
                              [BODY_JSON] = JSON_LIMIT,
                              [BODY_FILE] = JSON_LIMIT,
                              [BODY_STREAM] = max_upload};
    return row->max_body ? row->max_body : of_kind[row->body_kind];
}

bool gate_too_large(size_t limit, struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "the body may be %zu bytes at most", limit);
}

static bool check_media(const char *type, enum body_kind kind, struct err *e)
{
    size_t len = strcspn(type, "; \t");
    static const char *const read[] = {[BODY_JSON] = "application/json",
                                       [BODY_FILE] = "application/json or application/octet-stream",
                                       [BODY_STREAM] = "text/csv"};
    if (!len || kind == BODY_NONE)
        return true;
    for (size_t i = 0; i < sizeof media / sizeof *media; i++)
        if (media[i].kind == kind && strlen(media[i].name) == len &&
            !strncasecmp(media[i].name, type, len))
            return true;
    return fail(e, ERR_UNSUPPORTED, "cannot read \"%.*s\"; send %s", (int)(len < 80 ? len : 80),
                type, read[kind]);
}

bool gate_body(const struct head *h, const struct route *row, size_t limit, size_t *length,
               struct err *e)
{
    *length = (size_t)head_length(h);
    if (h->field[HEAD_CODING].n && strcasecmp(h->field[HEAD_CODING].value, "identity"))
        return fail(e, ERR_UNSUPPORTED,
                    "cannot read a body with a Content-Encoding; send it plain");
    if (h->field[HEAD_TYPE].n && !check_media(h->field[HEAD_TYPE].value, row->body_kind, e))
        return false;
    return *length <= limit || gate_too_large(limit, e);
}
