// SPDX-License-Identifier: MIT
// The list of faults: see fault.h. It keeps the first FAULTS_MAX and counts the others, so a
// hostile body cannot make the answer large; when the arena is full it only counts.

#include "api/json/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
    f->n = f->total = f->n_note = 0;
    f->moved = NULL;
    f->of_query = false;
}

// A value that was spread over several places is wrong in all of them, and was written once.
static bool is_known(const struct faults *f, const struct fault *new)
{
    for (size_t i = 0; f->moved && i < f->n; i++)
        if (strcmp(f->item[i].pointer, new->pointer) == 0 &&
            strcmp(f->item[i].detail, new->detail) == 0)
            return true;
    return false;
}

void fault_add(struct faults *f, const char *code, const char *pointer, const char *fmt, ...)
{
    f->total++;
    if (f->n == FAULTS_MAX)
        return;
    char detail[FAULT_DETAIL_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    struct fault item = {code, copy(f->arena, fault_origin(f, pointer), FAULT_POINTER_MAX),
                         copy(f->arena, detail, FAULT_DETAIL_MAX)};
    if (item.pointer && item.detail && is_known(f, &item))
        f->total--;
    else if (item.pointer && item.detail)
        f->item[f->n++] = item;
}

void fault_move(struct faults *f, const char *from, const char *to)
{
    struct moved *m = arena_need(f->arena, 1, sizeof *m);
    m->before = f->moved;
    m->from = arena_text(f->arena, from, strlen(from));
    m->to = arena_text(f->arena, to, strlen(to));
    f->moved = m;
}

const char *fault_origin(const struct faults *f, const char *pointer)
{
    for (const struct moved *m = f->moved; m; m = m->before) {
        size_t len = strlen(m->to);
        if (strncmp(pointer, m->to, len) == 0 && (pointer[len] == '\0' || pointer[len] == '/'))
            pointer = arena_printf(f->arena, "%s%s", m->from, pointer + len);
    }
    return pointer;
}

void faults_place(const struct faults *f, struct err *e)
{
    snprintf(e->at, sizeof e->at, "%s", arena_printf(f->arena, "%s", fault_origin(f, e->at)));
}

void note_add(struct faults *f, const char *fmt, ...)
{
    char text[FAULT_DETAIL_MAX];
    va_list args;
    if (f->n_note == NOTES_MAX)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (size_t i = 0; i < f->n_note; i++)
        if (strcmp(f->note[i], text) == 0)
            return;
    f->note[f->n_note++] = arena_text(f->arena, text, strlen(text));
}

const char *note_key(const struct faults *f, const char *pointer)
{
    const char *from = *pointer ? pointer + 1 : pointer;
    char *key = arena_text(f->arena, from, strlen(from));
    for (char *p = key; *p; p++)
        if (*p == '/')
            *p = '.';
    return key;
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
    if (f->of_query && f->total == 1 && f->n == 1)
        return fail(e, ERR_INVALID, "query parameter \"%s\" %s", only->pointer + 1, only->detail);
    if (f->of_query)
        return fail(e, ERR_INVALID, "%zu query parameters need attention", f->total);
    if (f->total == 1 && f->n == 1 && *only->pointer)
        return fail_at(e, ERR_INVALID, only->pointer, "%s: %s", only->pointer + 1, only->detail);
    if (f->total == 1 && f->n == 1)
        return fail(e, ERR_INVALID, "%s", only->detail);
    return fail(e, ERR_INVALID, "%zu fields need attention", f->total);
}
