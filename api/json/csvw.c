// SPDX-License-Identifier: MIT
// Cells of CSV into a buffer: see csvw.h.

#include "api/json/csvw.h"

#include <string.h>

bool csvw_flush(struct csvw *c)
{
    if (!c->broken && c->len && !c->sink(c->ctx, c->text, c->len, c->err))
        c->broken = true;
    c->len = 0;
    return !c->broken;
}

void csvw_put(struct csvw *c, const char *s, size_t len)
{
    while (len > CSVW_BUFFER - c->len) {
        size_t part = CSVW_BUFFER - c->len;
        memcpy(c->text + c->len, s, part);
        c->len = CSVW_BUFFER;
        csvw_flush(c);
        s += part;
        len -= part;
    }
    memcpy(c->text + c->len, s, len);
    c->len += len;
}

static bool needs_quotes(const char *s, size_t len)
{
    if (len == 0 || *s == ' ' || s[len - 1] == ' ')
        return true;
    for (size_t i = 0; i < len; i++)
        if (strchr(",;\t|\"\r\n", s[i]))
            return true;
    return false;
}

void csvw_string(struct csvw *c, const char *s, size_t len)
{
    if (!needs_quotes(s, len)) {
        csvw_put(c, s, len);
        return;
    }
    csvw_put(c, "\"", 1);
    for (const char *quote; (quote = memchr(s, '"', len));) {
        size_t part = (size_t)(quote - s) + 1;
        csvw_put(c, s, part);
        csvw_put(c, "\"", 1);
        s += part;
        len -= part;
    }
    csvw_put(c, s, len);
    csvw_put(c, "\"", 1);
}
