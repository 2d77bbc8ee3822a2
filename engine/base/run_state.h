// SPDX-License-Identifier: MIT
#pragma once

// The state of a run as a registry of named arrays. Model, optimizer, averages, schedule, early
// stopping and position register what they own in the function that makes it; what concerns all of
// them (how much memory, saving, going on) is a walk over the registry.
//
// The same functions run in two passes. With an arena they take their memory from it. Without one,
// in a sizing pass, pointers stay NULL and `bytes` says what would be taken: an estimate that
// cannot differ from what is taken, since nobody writes sizes down twice. A pass ends with the
// question whether all was granted, and a sizing pass there.
//
// Kept arrays are what a run needs to go on with the same bits; all others are filled anew in every
// epoch. Names ("optimizer.exp_avg") are literals. Used by the thread that trains, or that
// estimates what a training takes.

#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdint.h>

enum { STATE_ARRAYS = 64 };
enum state_type { STATE_NONE, STATE_F32, STATE_F64, STATE_I32, STATE_U32, STATE_U64 };

struct state_array {
    const char *name;
    enum state_type type; // STATE_NONE: not kept, of any type
    size_t n;             // elements
    uint64_t most;        // integers: the largest that makes sense; the smallest is 0
    void *value;          // NULL in a sizing pass
};

struct run_state {
    struct arena *arena; // NULL: a sizing pass
    struct state_array array[STATE_ARRAYS];
    size_t n;
    double bytes; // of the arena, alignment included
    bool refused; // something did not fit
};

void run_state_init(struct run_state *s, struct arena *a);

static inline bool run_state_sizing(const struct run_state *s)
{
    return !s->arena;
}

// Whether all memory asked for so far was there.
static inline bool run_state_granted(const struct run_state *s)
{
    return !s->refused;
}

// n elements of a type, zeroed, kept. NULL when sizing or refused; so below.
void *run_state_take(struct run_state *s, const char *name, enum state_type type, size_t n);

// n things of `size` bytes, not zeroed, not kept.
void *run_state_scratch(struct run_state *s, const char *name, size_t n, size_t size);

// A kept number in its owner's memory; `most` for integers.
void run_state_number(struct run_state *s, const char *name, enum state_type type, uint64_t most,
                      void *value);

// Bytes that somebody takes from the same arena without the registry.
void run_state_other(struct run_state *s, const char *name, double bytes);

// The array called `name`, or NULL.
const struct state_array *run_state_find(const struct run_state *s, const char *name);

// The same by the type of a pointer: p = n elements; a number at p.
#define STATE_TYPE(p)                                                                              \
    _Generic(*(p), float                                                                           \
             : STATE_F32, double                                                                   \
             : STATE_F64, int                                                                      \
             : STATE_I32, uint32_t                                                                 \
             : STATE_U32, uint64_t                                                                 \
             : STATE_U64)
#define STATE_KEEP(s, name, p, n) ((p) = run_state_take(s, name, STATE_TYPE(p), n))
#define STATE_SCRATCH(s, name, p, n) ((p) = run_state_scratch(s, name, n, sizeof *(p)))
#define STATE_COUNT(s, name, p, most) run_state_number(s, name, STATE_TYPE(p), most, p)
#define STATE_NUMBER(s, name, p) run_state_number(s, name, STATE_TYPE(p), 0, p)

// Where bytes go to and come from: all n of them, or false with *e.
struct state_sink {
    void *ctx;
    bool (*put)(void *ctx, const void *bytes, size_t n, struct err *e);
};
struct state_source {
    void *ctx;
    bool (*get)(void *ctx, void *bytes, size_t n, struct err *e);
};

// Everything that is kept, with names, types and counts, in this machine's byte order.
bool run_state_write(const struct run_state *s, const struct state_sink *to, struct err *e);

// The same back into the arrays of a run that was made alike. ERR_INVALID, naming the array, for
// one that is missing, unknown, twice there, of another type or count, or that has a number out of
// its range; the arrays may then be half filled.
bool run_state_read(struct run_state *s, const struct state_source *from, struct err *e);
