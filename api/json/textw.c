// SPDX-License-Identifier: MIT
// See textw.h.

#include "api/json/textw.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST = 4096, PIECE = 512 };

void textw_init(struct textw *w, struct arena *a)
{
    *w = (struct textw){.arena = a};
}

static void textw_put(struct textw *w, const char *s, size_t n)
{
    if (w->len + n + 1 > w->max && !w->full) {
        size_t max = 2 * (w->max + n) + FIRST;
        char *text = arena_alloc(w->arena, max, 1);
        if (text && w->len)
            memcpy(text, w->text, w->len);
        w->full = !text;
        w->text = text;
        w->max = max;
    }
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

void textw_xml(struct textw *w, const char *s)
{
    static const struct {
        char c;
        const char *entity;
    } entity[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
    for (; *s; s++) {
        size_t k = 0;
        while (k < 4 && entity[k].c != *s)
            k++;
        if (k < 4)
            textw_put(w, entity[k].entity, strlen(entity[k].entity));
        else
            textw_put(w, s, 1);
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
