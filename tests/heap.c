// SPDX-License-Identifier: MIT
// See heap.h. Sanitizers have their own malloc, under another name.

#include "tests/heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#ifdef MLPD_SANITIZED
#define REAL(name) __interceptor_##name
#define REAL_ALIGNED __interceptor_aligned_alloc
#else
#define REAL(name) __libc_##name
#define REAL_ALIGNED __libc_memalign
#endif

void *REAL(malloc)(size_t n);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t n);
void *REAL_ALIGNED(size_t align, size_t n);
void REAL(free)(void *p);

static atomic_ulong allocations;
static _Thread_local unsigned long mine; // until the last that fails, it included; 0: none
static _Thread_local bool spared;        // from `others`
static atomic_ulong others;
static atomic_ulong in_a_row = 1;
static atomic_bool failed;
static _Thread_local size_t held, most;
static _Thread_local bool watched;
static _Thread_local void (*on_free)(void);

unsigned long heap_allocations(void)
{
    return atomic_load(&allocations);
}

void heap_fail_in_a_row(unsigned long times)
{
    atomic_store(&in_a_row, times);
}

static unsigned long until_last(unsigned long n)
{
    return n ? n + atomic_load(&in_a_row) - 1 : 0;
}

void heap_fail(unsigned long n)
{
    mine = until_last(n);
    if (n)
        atomic_store(&failed, false);
}

void heap_fail_elsewhere(unsigned long n)
{
    spared = true;
    atomic_store(&others, until_last(n));
    if (n)
        atomic_store(&failed, false);
}

bool heap_has_failed(void)
{
    return atomic_load(&failed);
}

void heap_on_free(void (*seen)(void))
{
    on_free = seen;
}

void *heap_sure(void *p, size_t n)
{
    return REAL(realloc)(p, n);
}

void heap_watch(void)
{
    watched = true;
    held = most = 0;
}

size_t heap_most(void)
{
    watched = false;
    return most;
}

// Whether a countdown that stood at `left` has come to those that fail.
static bool is_among_last(unsigned long left)
{
    return left && left <= atomic_load(&in_a_row);
}

static bool is_one_of_mine(void)
{
    unsigned long left = mine;
    mine -= left > 0;
    return is_among_last(left);
}

static bool is_one_of_others(void)
{
    unsigned long left = atomic_load(&others);
    while (left && !atomic_compare_exchange_weak(&others, &left, left - 1))
        ;
    return is_among_last(left);
}

// A sanitizer allocates on a new thread before that thread's own code runs, and ends the process
// when it is refused.
static bool is_starting(void)
{
#ifdef MLPD_SANITIZED
    static _Thread_local unsigned first = 4;
    first -= first > 0;
    return first > 0;
#else
    return false;
#endif
}

static bool refuse(void)
{
    atomic_fetch_add(&allocations, 1);
    bool no = is_one_of_mine() || (!is_starting() && !spared && is_one_of_others());
    if (no) {
        atomic_store(&failed, true);
        errno = ENOMEM;
    }
    return no;
}

static void *taken(void *p)
{
    if (watched && p) {
        held += malloc_usable_size(p);
        most = held > most ? held : most;
    }
    return p;
}

static void given(void *p)
{
    size_t n = watched && p ? malloc_usable_size(p) : 0;
    held -= n < held ? n : held;
}

void *malloc(size_t n)
{
    return refuse() ? NULL : taken(REAL(malloc)(n));
}

void *calloc(size_t n, size_t size)
{
    return refuse() ? NULL : taken(REAL(calloc)(n, size));
}

void *realloc(void *p, size_t n)
{
    if (refuse())
        return NULL;
    size_t before = watched && p ? malloc_usable_size(p) : 0;
    void *q = REAL(realloc)(p, n);
    if (q)
        held -= before < held ? before : held;
    return taken(q);
}

void *aligned_alloc(size_t align, size_t n)
{
    return refuse() ? NULL : taken(REAL_ALIGNED(align, n));
}

int posix_memalign(void **p, size_t align, size_t n)
{
    void *q = aligned_alloc(align, n);
    *p = q ? q : *p;
    return q ? 0 : ENOMEM;
}

static void tell_of_free(void)
{
    void (*seen)(void) = on_free;
    on_free = NULL;
    if (seen)
        seen();
    on_free = seen;
}

void free(void *p)
{
    tell_of_free();
    given(p);
    REAL(free)(p);
}
