// SPDX-License-Identifier: MIT
#pragma once

// The learning-rate finder: one sweep of training steps whose rate grows exponentially, until the
// loss explodes, and the rates it suggests. Everything else about a step is as in train_run():
// batches, noise, regularisers, the optimizer. Called by a worker (or a test) on its own thread.

#include "engine/train/train.h"

// Rates from the first step to the last.
struct lr_sweep {
    double min, max; // 1e-7 to 10 is usual
    int steps;       // 100
};

struct lr_point {
    uint64_t step;         // from 1
    double lr;             // of this step
    double loss, smoothed; // of its batch, before the update; the bias-corrected average with .98
};

struct lr_hooks {
    void *ctx;
    void (*point)(void *ctx, const struct lr_point *p); // after every step
    void (*step)(void *ctx, uint64_t step);             // before every step
};

// Rates to try. NaN where the sweep was too short to tell. The first tenth of the planned steps and
// the last five points are not looked at.
struct lr_found {
    double valley;  // in the middle of the longest fall of the smoothed loss: the usual choice
    double minimum; // a tenth of where the smoothed loss was least
    double steep;   // where it fell fastest per log lr
    uint64_t steps; // taken
};

// Whether the sweep makes sense. ERR_INVALID with the pointer of the field under `at`.
bool lr_check(const struct lr_sweep *sweep, const char *at, struct err *e);

// Sweep on `rows` with m's weights, which are as before afterwards, whatever happened. Ends early,
// and well, when the smoothed loss is above four times its best or a step is not finite.
// ERR_CANCELLED when x's halt says so.
bool lr_find(struct model *m, const struct train_spec *s, const struct lr_sweep *rates,
             const struct train_rows *rows, const struct lr_hooks *hooks, const struct exec *x,
             struct lr_found *found, struct arena *a, struct err *e);

// The suggestions for n points of a sweep planned for `steps`; scratch [n]. What lr_find() gives.
struct lr_found lr_suggest(const struct lr_point *p, size_t n, int steps, uint32_t *scratch);
