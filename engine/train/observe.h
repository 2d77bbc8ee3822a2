// SPDX-License-Identifier: MIT
#pragma once

// What goes on inside the layers while they learn: norms of gradients and weights, how far a step
// moves them, what the units give out. Taken around one step (the last of an epoch); what it reads
// is part of that step anyway, so that it costs next to nothing. Used by the thread that trains.

#include "engine/base/err.h"
#include "engine/base/exec.h"
#include "engine/model/model.h"
#include "engine/nn/plan.h"
#include "engine/nn/role.h"

// Of the hidden layers in order, then the output layer: what each member is says layer_stats.def.
struct layer_stats {
#define LAYER_STAT(member, doc) double member;
#include "engine/train/layer_stats.def"
};

struct layer_stat {
    const char *name, *doc; // doc: a sentence
    size_t at;              // of the double in struct layer_stats
};

#define LAYER_STAT(member, doc) +1
enum {
    LAYER_STATS = 0
#include "engine/train/layer_stats.def"
};
extern const struct layer_stat layer_stat_list[LAYER_STATS];

struct observed_layer {
    const struct model_param *weight;
    const struct buf *value;             // what the layer gives out
    const struct activation *activation; // NULL: none
    real *column;                        // [4, cols] sums of its columns
};

struct observer {
    struct observed_layer *layer;
    struct layer_stats *stats; // [n] of the last step that was observed
    uint32_t n;
    uint32_t rows;     // of the batch that is observed
    const real *value; // trained parameters
    const real *grad;
    real *before; // the parameters before the step
    real *column; // all layers' columns
};

// For a training plan of m over gradients `grad`. ERR_TOO_LARGE past the arena.
bool observer_init(struct observer *o, const struct model *m, const struct plan *p,
                   const real *grad, struct run_state *run, struct err *e);

// After forward and backward passes of `rows` rows, before anything has changed gradients or
// weights.
void observe_gradient(struct observer *o, uint32_t rows, const struct exec *x);

// After the step: completes the stats.
void observe_update(struct observer *o, const struct exec *x);
