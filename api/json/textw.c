// SPDX-License-Identifier: MIT
// See textw.h. The buffer doubles in the arena; when that refuses, nothing more is written and the
// end says so, so a writer of many pieces asks once.

#include "api/json/textw.h"

#include "engine/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST = 4096, PIECE = 512 };

void textw_init(struct textw *w, struct arena *a)
{
    *w = (struct textw){.arena = a};
}

static void textw_grow(struct textw *w, size_t max)
{
    char *text = arena_alloc(w->arena, max, 1);
    if (text && w->len)
        memcpy(text, w->text, w->len);
    w->full = !text;
    w->text = text;
    w->max = max;
}

void textw_reserve(struct textw *w, size_t bytes)
{
    if (w->len + bytes + 1 > w->max && !w->full)
        textw_grow(w, w->len + bytes + 1);
}

void textw_put(struct textw *w, const char *s, size_t n)
{
    if (w->len + n + 1 > w->max && !w->full)
        textw_grow(w, 2 * (w->max + n) + FIRST);
    if (w->full)
        return;
    memcpy(w->text + w->len, s, n);
    w->len += n;
}

void textw_add(struct textw *w, const char *fmt, ...)
{
    char piece[PIECE];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(piece, sizeof piece, fmt, args);
    va_end(args);
    BUG(n < 0 || n >= PIECE);
    textw_put(w, piece, (size_t)n);
}

// The character at s, of at most `left` bytes; returns how many it has.
static size_t textw_put_char(struct textw *w, const char *s, size_t left)
{
    size_t n = utf8_char(s, left);
    if (n && !utf8_is_control(utf8_code(s)))
        textw_put(w, s, n);
    else
        textw_put(w, "\xEF\xBF\xBD", 3);
    return n ? n : 1;
}

size_t textw_field(struct textw *w, const char *s, size_t width)
{
    size_t at = 0, n = 0;
    for (size_t len = strlen(s); n < width && at < len; n++)
        at += textw_put_char(w, s + at, len - at);
    return n;
}

void textw_xml(struct textw *w, const char *s)
{
    static const struct {
        char c;
        const char *entity;
    } entity[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
    for (size_t n, left = strlen(s); left; s += n, left -= n) {
        size_t k = 0;
        n = 1;
        while (k < 4 && entity[k].c != *s)
            k++;
        if (k < 4)
            textw_put(w, entity[k].entity, strlen(entity[k].entity));
        else
            n = textw_put_char(w, s, left);
    }
}

const char *textw_end(struct textw *w, size_t *len, struct err *e)
{
    textw_put(w, "", 0);
    if (w->full) {
        fail(e, ERR_TOO_LARGE, "the document needs more memory than one request may use");
        return NULL;
    }
    w->text[w->len] = '\0';
    *len = w->len;
    return w->text;
}
