// SPDX-License-Identifier: MIT
#pragma once

// Bump allocator: memory by lifetime. A request, a job and a model each own one; nothing inside is
// freed by itself, all of it goes with arena_release(). Each arena has a maximum, and reaching it
// is how "too large" arises. One thread at a time. Fresh memory is not zeroed (checking builds fill
// it with 0xA5) unless asked for.

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *head; // newest chunk; allocations come from here
    size_t used;              // bytes handed out, alignment included
    size_t max;               // arena_alloc() refuses to go beyond
};

struct arena_mark {
    struct arena_chunk *chunk;
    size_t at, used;
};

enum { ARENA_ALIGN = 64 }; // a cache line; also what the widest vector load wants

void arena_init(struct arena *a, size_t max);
void arena_release(struct arena *a); // frees everything; the arena is empty and usable again

// n * size bytes, aligned to ARENA_ALIGN when 64 bytes or more, else to 16. NULL when the product
// overflows, when the maximum would be passed, or when the system has no memory: use it for any
// size that a request controls and turn NULL into ERR_TOO_LARGE.
void *arena_alloc(struct arena *a, size_t n, size_t size);
void *arena_zalloc(struct arena *a, size_t n, size_t size); // the same, zeroed

// For small things: names, pointers into a request, texts of messages. Never NULL: goes beyond the
// maximum rather than fail (the next arena_alloc() then refuses), and aborts only when the system
// has no memory.
void *arena_need(struct arena *a, size_t n, size_t size);
char *arena_text(struct arena *a, const char *s, size_t len); // a NUL-terminated copy
__attribute__((format(printf, 2, 3))) char *arena_printf(struct arena *a, const char *fmt, ...);

// Temporary work: everything allocated after the mark is given back by the rewind.
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);
