// SPDX-License-Identifier: MIT
// What handlers ask of a call without touching HTTP: see call.h. call_header() is in http.c, which
// has the headers.

#include "server/http/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Digits only, without a leading zero, so that a thing has one address.
bool call_id(const struct call *c, int n, const char *what, int64_t *id, struct err *e)
{
    const char *text = c->segment[n];
    BUG(!text);
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (*text == '0' || !*text || text[strspn(text, "0123456789")] || errno)
        return fail(e, ERR_NOT_FOUND, "no such %s \"%.64s\": its id is a whole number", what, text);
    *id = value;
    return true;
}

bool call_defer(struct call *c, enum pace pace)
{
    BUG(pace <= c->pace);
    c->deferred = pace;
    return false;
}

bool call_reply(struct call *c, const char *text, size_t len)
{
    c->out = text;
    c->out_len = len;
    return true;
}
