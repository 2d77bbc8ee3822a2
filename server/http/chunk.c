// SPDX-License-Identifier: MIT
// See chunk.h.

#include "server/http/chunk.h"

#include "server/http/head.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_DIGITS = 15 };

static const char *chunk_skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

static const char *skip_token(const char *s)
{
    size_t len = strcspn(s, " \t;=\"");
    return head_is_token(s, len) ? s + len : NULL;
}

static const char *skip_quoted(const char *s)
{
    for (s++; *s && *s != '"'; s++)
        if (*s == '\\' && s[1])
            s++;
    return *s ? s + 1 : NULL;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), section 7.1.1. Extensions mean
// nothing to us; their syntax is checked so that nothing else passes for one.
static bool are_extensions(const char *s)
{
    while (s && *s) {
        s = chunk_skip_blanks(s);
        s = *s == ';' ? skip_token(chunk_skip_blanks(s + 1)) : NULL;
        if (s && *chunk_skip_blanks(s) == '=') {
            s = chunk_skip_blanks(chunk_skip_blanks(s) + 1);
            s = *s == '"' ? skip_quoted(s) : skip_token(s);
        }
    }
    return s;
}

bool chunk_size(const char *line, uint64_t *size)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");
    if (!digits || digits > CHUNK_DIGITS || !are_extensions(line + digits))
        return false;
    *size = strtoull(line, NULL, 16);
    return true;
}
