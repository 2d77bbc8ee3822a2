// SPDX-License-Identifier: MIT
// The list of faults: see fault.h. It keeps the first FAULTS_MAX and counts the others, so a
// hostile body cannot make the answer large; when the arena is full it only counts.

#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DETAIL_MAX = 512, POINTER_MAX = 512 };

static const char *copy(struct arena *a, const char *s, size_t max)
{
    size_t len = strnlen(s, max);
    char *text = arena_alloc(a, len + 1, 1);
    if (!text)
        return NULL;
    memcpy(text, s, len);
    text[len] = '\0';
    return text;
}

void faults_init(struct faults *f, struct arena *a)
{
    f->arena = a;
    f->n = f->total = 0;
}

void fault_add(struct faults *f, const char *code, const char *pointer, const char *fmt, ...)
{
    f->total++;
    if (f->n == FAULTS_MAX)
        return;
    char detail[DETAIL_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    struct fault item = {code, copy(f->arena, pointer, POINTER_MAX),
                         copy(f->arena, detail, DETAIL_MAX)};
    if (item.pointer && item.detail)
        f->item[f->n++] = item;
}

size_t pointer_add(char *out, size_t n, size_t max, const char *key, size_t len)
{
    if (n + 3 < max)
        out[n++] = '/';
    for (const char *end = key + len; key < end && n + 3 < max; key++) {
        bool special = *key == '~' || *key == '/';
        if (special)
            out[n++] = '~';
        out[n++] = !special ? *key : *key == '~' ? '0' : '1';
    }
    return n;
}

bool faults_none(const struct faults *f, struct err *e)
{
    if (f->total == 0)
        return true;
    const struct fault *only = &f->item[0];
    if (f->total == 1 && f->n == 1 && *only->pointer)
        return fail_at(e, ERR_INVALID, only->pointer, "%s: %s", only->pointer + 1, only->detail);
    if (f->total == 1 && f->n == 1)
        return fail(e, ERR_INVALID, "%s", only->detail);
    return fail(e, ERR_INVALID, "%zu fields need attention", f->total);
}
