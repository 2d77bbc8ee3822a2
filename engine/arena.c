// SPDX-License-Identifier: MIT
// Bump allocator over a list of chunks. A chunk is at least twice as large as the one before, up to
// a bound, so small requests cost one malloc and large models do not waste half of what they ask
// for.

#include "arena.h"

#include "err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_FIRST = 4096, CHUNK_DOUBLING_END = 1 << 20 };

struct arena_chunk {
    struct arena_chunk *prev;
    size_t size, at; // bytes after the header, bytes handed out
    _Alignas(ARENA_ALIGN) unsigned char byte[];
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static void scramble(void *p, size_t n)
{
#ifdef MLPD_CHECKED
    memset(p, 0xA5, n);
#else
    (void)p;
    (void)n;
#endif
}

static struct arena_chunk *chunk_new(struct arena *a, size_t need)
{
    size_t size = a->head ? a->head->size * 2 : CHUNK_FIRST;
    if (size > CHUNK_DOUBLING_END)
        size = CHUNK_DOUBLING_END;
    if (size < need)
        size = need;
    size = round_up(size, ARENA_ALIGN);
    struct arena_chunk *c = aligned_alloc(ARENA_ALIGN, sizeof *c + size);
    if (!c)
        return NULL;
    *c = (struct arena_chunk){.prev = a->head, .size = size};
    return a->head = c;
}

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_release(struct arena *a)
{
    while (a->head) {
        struct arena_chunk *c = a->head;
        a->head = c->prev;
        free(c);
    }
    a->used = 0;
}

// The next `size` bytes, whatever the maximum; NULL when the system has none.
static void *take(struct arena *a, size_t bytes)
{
    size_t align = bytes >= ARENA_ALIGN ? ARENA_ALIGN : 16;
    bytes = round_up(bytes ? bytes : 1, 16);
    struct arena_chunk *c = a->head;
    size_t at = c ? round_up(c->at, align) : 0;
    if (!c || at > c->size || bytes > c->size - at) {
        c = chunk_new(a, bytes);
        if (!c)
            return NULL;
        at = 0;
    }
    a->used += bytes;
    c->at = at + bytes;
    scramble(c->byte + at, bytes);
    return c->byte + at;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 4)
        return NULL;
    if (a->used > a->max || bytes > a->max - a->used)
        return NULL;
    return take(a, bytes);
}

void *arena_zalloc(struct arena *a, size_t n, size_t size)
{
    void *p = arena_alloc(a, n, size);
    return p ? memset(p, 0, n * size) : NULL;
}

void *arena_need(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    BUG(__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 4);
    void *p = take(a, bytes);
    if (!p)
        err_bug("the system has no memory left", __FILE__, __LINE__);
    return p;
}

char *arena_text(struct arena *a, const char *s, size_t len)
{
    char *copy = arena_need(a, len + 1, 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    BUG(len < 0);
    char *text = arena_need(a, (size_t)len + 1, 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->head, a->head ? a->head->at : 0, a->used};
}

void arena_rewind(struct arena *a, struct arena_mark m)
{
    while (a->head != m.chunk) {
        BUG(!a->head);
        struct arena_chunk *c = a->head;
        a->head = c->prev;
        free(c);
    }
    if (a->head)
        a->head->at = m.at;
    a->used = m.used;
}
