// SPDX-License-Identifier: MIT
#pragma once

// Bump allocator: memory by lifetime. A request, a job and a model each own one; nothing inside is
// freed by itself, all of it goes with arena_release(). Each arena has a maximum, and reaching it
// is how "too large" arises. One thread at a time. Fresh memory is not zeroed (checking builds fill
// it with 0xA5) unless asked for.
//
// Arenas may share a budget: what they hold together, of the system's memory, is then bounded too.
// Only what an arena holds beyond its allowance is charged, so small ones never touch the budget,
// neither to be refused nor to pay for a shared counter.

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;
struct err;

struct arena_budget { // constant but for the counters; any thread
    size_t max;       // bytes
    const char *name; // for messages: "all requests together"
    _Atomic size_t used;
    _Atomic unsigned refused; // how often somebody had to go without; wraps
};

// Why the last refused allocation was refused; that the system had none stays until somebody resets
// it.
enum arena_lack {
    ARENA_LACKS_NOTHING,
    ARENA_OVER_MAX,       // it asked for more than this arena may hand out
    ARENA_OVER_ALL,       // it alone is more than the whole budget
    ARENA_OTHERS_HOLD_IT, // the budget's other arenas leave too little now
    ARENA_NO_MEMORY,      // the system has none
};

struct arena {
    struct arena_chunk *head;    // newest chunk; allocations come from here
    size_t used;                 // bytes handed out, alignment included
    size_t max;                  // arena_alloc() refuses to go beyond
    struct arena_budget *budget; // NULL: none
    size_t allowance;            // bytes held that the budget does not count
    size_t held;                 // bytes of chunks, and what arena_charge() added
    enum arena_lack lack;
};

struct arena_mark {
    struct arena_chunk *chunk;
    size_t at, used;
};

enum { ARENA_ALIGN = 64 }; // a cache line; also what the widest vector load wants

void arena_init(struct arena *a, size_t max);
void arena_release(struct arena *a); // frees everything; the arena is empty and usable again

// Share a budget, which must outlive the arena's memory. Before the first allocation.
void arena_share(struct arena *a, struct arena_budget *budget, size_t allowance);

// n * size bytes, aligned to ARENA_ALIGN when 64 bytes or more, else to 16. NULL when the product
// overflows, when the maximum or the budget would be passed, or when the system has no memory: use
// it for any size that a request controls and turn NULL into an error with arena_fail().
void *arena_alloc(struct arena *a, size_t n, size_t size);
void *arena_zalloc(struct arena *a, size_t n, size_t size); // the same, zeroed

// For small things: names, pointers into a request, texts of messages. Never NULL: goes beyond the
// maximum and the budget rather than fail (the next arena_alloc() then refuses). When the system
// has no memory it lives on a reserve (reserve.h), and aborts only when that is used up too.
void *arena_need(struct arena *a, size_t n, size_t size);
char *arena_text(struct arena *a, const char *s, size_t len); // a NUL-terminated copy
__attribute__((format(printf, 2, 3))) char *arena_printf(struct arena *a, const char *fmt, ...);

// Count memory that belongs to the arena's owner but lies elsewhere as if the arena held it; false
// when the budget has no room. arena_release() does not give it back, arena_refund() does.
bool arena_charge(struct arena *a, size_t bytes);
void arena_refund(struct arena *a, size_t bytes);

// A block of the arena's owner, outside of the chunks, for what grows piece by piece: realloc(),
// but a large block is a mapping, which grows without a copy and goes back to the system at once,
// charged. NULL when refused, and the old block stays. `size` 0 gives it back, which
// arena_release() does not do.
void *arena_resize(struct arena *a, void *block, size_t old, size_t size);

// What the budget counts of all that the arena holds.
size_t arena_charged(const struct arena *a);

// The error of an allocation that was refused: ERR_TOO_LARGE with `fmt` when the caller asked for
// more than it may have, ERR_BUSY when the memory is merely not there now. Always false.
__attribute__((format(printf, 3, 4))) bool arena_fail(const struct arena *a, struct err *e,
                                                      const char *fmt, ...);

// Called by the arena's owner when work in it has failed, so that code which allocates need not
// tell refusals apart: ERR_TOO_LARGE in `e` becomes what arena_fail() would have said, and whatever
// failed while the system had no memory becomes ERR_BUSY.
void arena_correct(const struct arena *a, struct err *e);

// Temporary work: everything allocated after the mark is given back by the rewind.
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);
