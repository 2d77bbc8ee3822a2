// SPDX-License-Identifier: MIT
#pragma once

// Where one thread predicts with a model in memory: a place that is taken and left by a flag, and
// the workspace at it, which may be far larger than the model (a narrow layer after a wide one has
// few weights and many values). A place without one is empty; whoever has taken a place may put a
// workspace there or remove it. The cache decides when. Any thread.

#include "engine/base/arena.h"
#include "engine/model/predict.h"

#include <stdatomic.h>

struct workspace {
    struct workspace *next; // of those to be freed together
    struct arena arena;
    struct predictor predictor;
};

struct workspace_slot {
    atomic_bool busy;
    struct workspace *_Atomic workspace; // NULL: none
    char apart[48];                      // neighbours are used by other cores
};

// Take the first of n that nobody is at, or, when `ready`, the first of these with a workspace.
// NULL when there is none. workspace_leave() ends it.
struct workspace_slot *workspace_take(struct workspace_slot *slot, size_t n, bool ready);
void workspace_leave(struct workspace_slot *d);

// A workspace for blocks of PREDICT_ROWS, of at most `max` bytes, which belongs to the caller. The
// model must outlive it. NULL with ERR_TOO_LARGE or, without memory now, ERR_BUSY.
struct workspace *workspace_new(const struct model *m, size_t max, struct err *e);

void workspaces_free(struct workspace *first); // with all after it; NULL is fine
