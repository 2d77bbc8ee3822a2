// SPDX-License-Identifier: MIT
#pragma once

// A graph computed the slow way, for comparison with plans: one op at a time, every value and
// gradient in a buffer of its own, cleared first and added to. Keys and node numbers are a plan's,
// so dropout draws the same coins. Everything belongs to the arena.

#include "engine/nn/plan.h"

struct naive {
    const struct graph *g;
    struct buf *buf; // [g->n]; the caller fills the inputs' values
    real **save;
    uint64_t key;
    struct arena *arena;
};

static inline size_t naive_cells(struct buf b)
{
    return (size_t)b.rows * b.cols;
}

// Buffers for exactly `rows` rows; parameters and statistics are copied from m.
struct naive naive_new(const struct graph *g, uint32_t rows, struct plan_memory m, uint64_t key,
                       struct arena *a);

// Forward, then backward from the last node.
void naive_run(struct naive *n);
