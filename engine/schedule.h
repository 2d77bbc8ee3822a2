// SPDX-License-Identifier: MIT
#pragma once

// Learning-rate schedules: rows of schedule_table. A schedule is a pure function of where training
// stands, so a resumed run needs no state. Any of them may start with a linear warm-up.

#include "row.h"

#include <stdint.h>

struct schedule {
    struct row row;
    // Factor for the learning rate at progress t in [0, 1), counted from the end of the warm-up.
    double (*factor)(const double *value, double t);
};

// Factor for step k of n (from 0). The "warmup" knob is a share of the steps below 1, else a number
// of steps; during it the factor rises linearly to 1.
double schedule_factor(const struct pick *p, uint64_t k, uint64_t n);
