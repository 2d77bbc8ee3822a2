// SPDX-License-Identifier: MIT
// See heap.h. Sanitizers have their own malloc, under another name.

#include "heap.h"

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
static _Thread_local unsigned long mine; // until the one that fails, it included; 0: none
static _Thread_local bool spared;        // from `others`
static atomic_ulong others;
static atomic_bool failed;
static _Thread_local size_t held, most;
static _Thread_local bool watched;

unsigned long heap_allocations(void)
{
    return atomic_load(&allocations);
}

void heap_fail(unsigned long n)
{
    mine = n;
    if (n)
        atomic_store(&failed, false);
}

void heap_fail_elsewhere(unsigned long n)
{
    spared = true;
    atomic_store(&others, n);
    if (n)
        atomic_store(&failed, false);
}

bool heap_has_failed(void)
{
    return atomic_load(&failed);
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

// Counts down to the one that fails.
static bool is_last_of_others(void)
{
    unsigned long n = atomic_load(&others);
    while (n && !atomic_compare_exchange_weak(&others, &n, n - 1))
        ;
    return n == 1;
}

static bool refuse(void)
{
    atomic_fetch_add(&allocations, 1);
    bool no = (mine && --mine == 0) || (!spared && is_last_of_others());
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

void free(void *p)
{
    given(p);
    REAL(free)(p);
}
