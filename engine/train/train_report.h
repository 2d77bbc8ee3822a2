// SPDX-License-Identifier: MIT
#pragma once

// What a run tells while it goes on, to whoever started it and on its thread.

#include "engine/model/metric.h"
#include "engine/train/observe.h"

struct train_epoch {
    int epoch;                  // from 1
    uint64_t step, steps;       // taken, planned in all
    double lr;                  // of the last step
    double train_loss;          // mean over the epoch's batches, in training units, without l1, l2
    double val_loss;            // NaN without validation rows
    double metric[METRICS_MAX]; // metric_for(task, i) on the validation rows; NaN without
    double grad_norm;           // largest of the epoch
    double watched;             // the metric that decides, or the loss; NaN without
    bool best;                  // by it, so far; of equal epochs the later one
    const struct layer_stats *layer; // [n_layer] hidden layers and output at the epoch's last step
    size_t n_layer;                  // 0: not observed
};

struct train_hooks {
    void *ctx;
    void (*epoch)(void *ctx, const struct train_epoch *r); // after every epoch
    void (*step)(void *ctx, uint64_t step);                // before every step
    // Before the first step, to read what another run has saved (run_state_read()); NULL: begin
    // at the beginning.
    bool (*resume)(void *ctx, struct run_state *run, struct err *e);
};
