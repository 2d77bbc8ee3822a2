// SPDX-License-Identifier: MIT
#pragma once

// A graph made runnable for batches of up to `batch` rows: every value, gradient and workspace has
// its place in one arena, every pointer is resolved, every step is cut into tiles, and consecutive
// steps that can share tiles form a stage, so a block of a linear layer's output is normalised and
// activated while it is in cache. Forward is one loop over stages, backward the same the other way
// round. Nothing is allocated after plan_init().
//
// A plan is used by one thread at a time (which may bring an executor). Parameters are shared: they
// belong to whoever made them.

#include "engine/base/exec.h"
#include "engine/nn/graph.h"

struct stage {
    uint32_t first, n; // steps, in the order they run: first, first + 1, ... forward, first, first
                       // - 1, ... backward
    const struct tile *tile;
    uint32_t n_tile;
};

struct plan {
    const struct graph *graph;
    uint32_t batch;  // most rows of a pass
    struct buf *buf; // [graph->n] where each node's values and gradients are
    struct step *step;
    uint32_t n_step;
    struct stage *forward, *backward;
    uint32_t n_forward, n_backward;
    uint64_t key; // of the pass under way; what steps read their randomness from
    bool sizing;  // of plan_bytes(): values have no memory, which is counted only
    double bytes; // of values, gradients and workspaces
};

// Where the leaves live. grad may be NULL: then nothing has gradients and plan_backward() must not
// be called.
struct plan_memory {
    real *param, *grad; // trained values and their gradients, same layout
    real *buffer;       // running statistics
    bool inspect;       // every node keeps its own values and gradients, inputs have gradients too
};

// ERR_TOO_LARGE when the arena cannot hold the buffers. The graph must outlive the plan, at the
// same address.
bool plan_init(struct plan *p, const struct graph *g, uint32_t batch, struct plan_memory m,
               struct arena *a, struct err *e);

// Bytes of its arena that plan_init() takes, with gradients or without; infinite when the system
// has no memory to find out.
double plan_bytes(const struct graph *g, uint32_t batch, bool grad);

// Values of every node for the first `rows` rows of the inputs (1 <= rows <= batch). `key` names
// the pass: dropout draws from it.
void plan_forward(struct plan *p, uint32_t rows, uint64_t key, const struct exec *x);

// Gradients of the last node, which must be a single number, after plan_forward() with the same
// rows. Every gradient is overwritten.
void plan_backward(struct plan *p, uint32_t rows, const struct exec *x);

// Name of the first node in order whose value is not finite, or NULL. For the story after a
// divergence.
const char *plan_first_broken(const struct plan *p, uint32_t rows);
