// SPDX-License-Identifier: MIT
#pragma once

// Learning-rate schedules: rows of schedule_table. A schedule is a pure function of where training
// stands, so a resumed run needs no state; only those that watch the validation loss (plateau) keep
// some, in the caller's hands. Any of them may start with a linear warm-up.

#include "engine/base/err.h"
#include "engine/base/row.h"
#include "engine/base/run_state.h"

#include <stdint.h>

// Where training stands, counted from the end of the warm-up.
struct schedule_at {
    double t;             // progress in [0, 1)
    uint64_t k, n;        // step, steps in all
    double epoch, epochs; // as numbers with a fraction
    double warm;          // steps of the warm-up that lies behind
};

// What a watching schedule remembers.
struct schedule_state {
    double scale; // factor on top of factor()
    double best;  // of the watched value; NaN before the first
    int bad, cooldown;
};

struct schedule {
    struct row row;
    double (*factor)(const double *value, const struct schedule_at *at);
    // After every epoch with what was watched (smaller is better); NULL: it does not watch.
    void (*observe)(const double *value, double watched, struct schedule_state *s);
};

extern const struct table schedule_table;

// Factor for step k of n (from 0), epochs having `per_epoch` steps. The "warmup" hyperparameter is
// a share of the steps below 1, else a number of steps; during it the factor rises linearly to 1.
double schedule_factor(const struct pick *p, uint64_t k, uint64_t n, uint32_t per_epoch);

// Before the first step.
struct schedule_state schedule_start(void);

// The same as "schedule...." of a run.
void schedule_init(struct schedule_state *s, struct run_state *run);

// After an epoch; of no effect for schedules that do not watch.
void schedule_observe(const struct pick *p, double watched, struct schedule_state *s);

// What can be told before training: a warm-up that is not shorter than training, rates that are
// negative or not finite somewhere along the way. ERR_INVALID with the field's pointer.
bool schedule_check(const struct pick *p, uint64_t n, uint32_t per_epoch, struct err *e);
