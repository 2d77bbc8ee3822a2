// SPDX-License-Identifier: MIT
// Bump allocator over a list of chunks. A chunk is at least twice as large as the one before, up to
// a bound, so small requests cost one malloc and large models do not waste half of what they ask
// for. Where the budget has no room for as much, a chunk is as small as it can be.
//
// Zeroed memory by the megabyte comes from the kernel as it is: clearing it here would take a
// second a gigabyte in one go, that nobody can end.

#include "engine/base/arena.h"

#include "engine/base/err.h"
#include "engine/base/reserve.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK_FIRST = 4096, CHUNK_DOUBLING_END = 1 << 20, MAPPED = 256 << 10 };

struct arena_chunk {
    struct arena_chunk *prev;
    void (*give_back)(struct arena_chunk *); // to where it came from
    size_t size, at;                         // bytes after the header, bytes handed out
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

// ---- The budget ----

static size_t beyond_allowance(const struct arena *a, size_t held)
{
    return held > a->allowance ? held - a->allowance : 0;
}

size_t arena_charged(const struct arena *a)
{
    return a->budget ? beyond_allowance(a, a->held) : 0;
}

static bool budget_take(struct arena_budget *b, size_t bytes)
{
    size_t used = atomic_load(&b->used);
    do {
        if (used > b->max || bytes > b->max - used)
            return false;
    } while (!atomic_compare_exchange_weak(&b->used, &used, used + bytes));
    return true;
}

// The latest reason is told, but that the system had no memory stays: whatever fails afterwards may
// have failed by that.
static bool lacks(struct arena *a, enum arena_lack why)
{
    if (a->lack != ARENA_NO_MEMORY)
        a->lack = why;
    return false;
}

// `debt`: whether or not the budget has room.
static bool arena_hold(struct arena *a, size_t bytes, bool debt)
{
    size_t all = beyond_allowance(a, a->held + bytes), more = all - arena_charged(a);
    if (a->budget && more && debt)
        atomic_fetch_add(&a->budget->used, more);
    else if (a->budget && more && !budget_take(a->budget, more))
        return lacks(a, all > a->budget->max ? ARENA_OVER_ALL : ARENA_OTHERS_HOLD_IT);
    a->held += bytes;
    return true;
}

void arena_refund(struct arena *a, size_t bytes)
{
    BUG(bytes > a->held);
    size_t before = arena_charged(a);
    a->held -= bytes;
    size_t less = before - arena_charged(a);
    if (less)
        atomic_fetch_sub(&a->budget->used, less);
}

// Somebody has to go without, perhaps because of others.
static bool goes_without(struct arena *a)
{
    if (a->lack == ARENA_OTHERS_HOLD_IT)
        atomic_fetch_add(&a->budget->refused, 1);
    return false;
}

bool arena_charge(struct arena *a, size_t bytes)
{
    return arena_hold(a, bytes, false) || goes_without(a);
}

// ---- Blocks ----

static bool is_mapped(size_t size)
{
    return size >= MAPPED;
}

static void *block_new(size_t size)
{
    if (!is_mapped(size))
        return malloc(size);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void block_free(void *block, size_t size)
{
    if (is_mapped(size))
        munmap(block, size);
    else
        free(block);
}

static void *block_move(void *block, size_t old, size_t size)
{
    if (is_mapped(old) && is_mapped(size)) {
        void *moved = mremap(block, old, size, MREMAP_MAYMOVE);
        return moved == MAP_FAILED ? NULL : moved;
    }
    void *copy = block_new(size);
    if (copy && old) {
        memcpy(copy, block, old < size ? old : size);
        block_free(block, old);
    }
    return copy;
}

void *arena_resize(struct arena *a, void *block, size_t old, size_t size)
{
    if (size > old && !arena_charge(a, size - old))
        return NULL;
    void *moved = size ? block_move(block, old, size) : NULL;
    if (size && !moved) {
        arena_refund(a, size > old ? size - old : 0);
        lacks(a, ARENA_NO_MEMORY);
        return NULL;
    }
    if (!size)
        block_free(block, old);
    if (size < old)
        arena_refund(a, old - size);
    return moved;
}

// ---- Chunks ----

static void chunk_free(struct arena *a)
{
    struct arena_chunk *c = a->head;
    a->head = c->prev;
    arena_refund(a, sizeof *c + c->size);
    c->give_back(c);
}

static void to_heap(struct arena_chunk *c)
{
    free(c);
}

static void to_reserve(struct arena_chunk *c)
{
    reserve_give(c);
}

static void to_kernel(struct arena_chunk *c)
{
    munmap(c, sizeof *c + c->size);
}

static void chunk_add(struct arena *a, void *memory, size_t size,
                      void (*give_back)(struct arena_chunk *))
{
    struct arena_chunk *c = memory;
    *c = (struct arena_chunk){.prev = a->head, .give_back = give_back, .size = size};
    a->head = c;
}

static bool chunk_new(struct arena *a, size_t size, bool debt)
{
    if (!arena_hold(a, sizeof *a->head + size, debt))
        return false;
    void *memory = aligned_alloc(ARENA_ALIGN, sizeof *a->head + size);
    if (!memory) {
        arena_refund(a, sizeof *a->head + size);
        return lacks(a, ARENA_NO_MEMORY);
    }
    chunk_add(a, memory, size, to_heap);
    return true;
}

// The same, all zero.
static bool chunk_zeroed(struct arena *a, size_t size)
{
    size_t all = sizeof *a->head + size;
    if (!arena_hold(a, all, false))
        return goes_without(a);
    void *memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        arena_refund(a, all);
        return lacks(a, ARENA_NO_MEMORY);
    }
    chunk_add(a, memory, size, to_kernel);
    return true;
}

static bool chunk_reserved(struct arena *a, size_t need)
{
    void *memory = reserve_take(sizeof *a->head + need);
    if (!memory)
        return false;
    arena_hold(a, RESERVE_PIECE, true);
    chunk_add(a, memory, RESERVE_PIECE - sizeof *a->head, to_reserve);
    return true;
}

// In checking builds each allocation has a chunk of its own: the sanitizers see where it ends, and
// the tests that refuse memory reach every one.
#ifdef MLPD_CHECKED
static const size_t CHUNK_LEAST = 1;
#else
static const size_t CHUNK_LEAST = CHUNK_FIRST;
#endif

// A chunk for `need` bytes, with room for more where that can be had: what only comfort asked for
// may be refused without anybody going without. `must`: also beyond the budget, and from the
// reserve when the system has none.
static bool chunk_for(struct arena *a, size_t need, bool must)
{
    size_t size = a->head ? a->head->size * 2 : CHUNK_FIRST;
    size_t least = round_up(need > CHUNK_LEAST ? need : CHUNK_LEAST, ARENA_ALIGN);
    enum arena_lack before = a->lack;
    if (size > CHUNK_DOUBLING_END)
        size = CHUNK_DOUBLING_END;
    bool generous = CHUNK_LEAST == CHUNK_FIRST && size > least;
    if (generous && chunk_new(a, size, false))
        return true;
    a->lack = before;
    return chunk_new(a, least, must) || (must && chunk_reserved(a, need)) || goes_without(a);
}

// ---- Allocations ----

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_share(struct arena *a, struct arena_budget *budget, size_t allowance)
{
    BUG(a->head);
    a->budget = budget;
    a->allowance = allowance;
}

void arena_release(struct arena *a)
{
    while (a->head)
        chunk_free(a);
    a->used = 0;
    a->lack = ARENA_LACKS_NOTHING;
}

// The next `size` bytes, whatever the maximum; NULL when there are none. `must`: whatever the
// budget, and from the reserve if need be.
static void *arena_take(struct arena *a, size_t bytes, bool must)
{
    size_t align = bytes >= ARENA_ALIGN ? ARENA_ALIGN : 16;
    bytes = round_up(bytes ? bytes : 1, 16);
    struct arena_chunk *c = a->head;
    size_t at = c ? round_up(c->at, align) : 0;
    if (!c || at > c->size || bytes > c->size - at) {
        if (!chunk_for(a, bytes, must))
            return NULL;
        c = a->head;
        at = 0;
    }
    a->used += bytes;
    c->at = at + bytes;
    scramble(c->byte + at, bytes);
    return c->byte + at;
}

static bool arena_fits(struct arena *a, size_t n, size_t size, size_t *bytes)
{
    return (!__builtin_mul_overflow(n, size, bytes) && *bytes <= SIZE_MAX / 4 &&
            a->used <= a->max && *bytes <= a->max - a->used) ||
           lacks(a, ARENA_OVER_MAX);
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    return arena_fits(a, n, size, &bytes) ? arena_take(a, bytes, false) : NULL;
}

static void *take_zeroed(struct arena *a, size_t bytes)
{
    bytes = round_up(bytes, ARENA_ALIGN);
    if (!chunk_zeroed(a, bytes))
        return NULL;
    a->used += bytes;
    a->head->at = bytes;
    return a->head->byte;
}

void *arena_zalloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (!arena_fits(a, n, size, &bytes))
        return NULL;
    if (bytes > CHUNK_DOUBLING_END)
        return take_zeroed(a, bytes);
    void *p = arena_take(a, bytes, false);
    return p ? memset(p, 0, bytes) : NULL;
}

void *arena_need(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    BUG(__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 4);
    void *p = arena_take(a, bytes, true);
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
        chunk_free(a);
    }
    if (a->head)
        a->head->at = m.at;
    a->used = m.used;
}

// ---- Saying why ----

static void arena_tell(const struct arena *a, struct err *e, const char *text)
{
    switch (a->lack) {
    case ARENA_OVER_ALL:
        fail(e, ERR_TOO_LARGE, "this needs more memory than %s may have", a->budget->name);
        break;
    case ARENA_OTHERS_HOLD_IT:
        fail(e, ERR_BUSY, "%s have no memory left for this; try again later", a->budget->name);
        break;
    case ARENA_NO_MEMORY:
        err_no_memory(e);
        break;
    default:
        fail(e, ERR_TOO_LARGE, "%s", text);
    }
}

bool arena_fail(const struct arena *a, struct err *e, const char *fmt, ...)
{
    char text[sizeof e->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    arena_tell(a, e, text);
    return false;
}

void arena_correct(const struct arena *a, struct err *e)
{
    struct err told = {0};
    bool starved = a->lack == ARENA_NO_MEMORY && e->kind != ERR_CANCELLED;
    if (!starved && e->kind != ERR_TOO_LARGE)
        return;
    arena_tell(a, &told, e->text);
    if (!starved)
        memcpy(told.at, e->at, sizeof told.at);
    *e = told;
}
