// SPDX-License-Identifier: MIT
#pragma once

// Quality of predictions: rows of metric_table, computed on a validation or test part, in the
// target's own units.

#include "op.h"
#include "real.h"
#include "row.h"

#include <stddef.h>

enum { METRICS_MAX = 8 };

struct scored {
    const double *answer; // [n, k]: values (k = 1), or a probability per class
    const double *target; // [n]: values, or class indices
    size_t n, k;
    double *scratch; // [2 n]
};

struct metric {
    struct row row;
    int tasks; // bits of enum loss_task
    bool larger_better;
    double (*value)(const struct scored *s);
};

// Bits of enum loss_task for a number of classes (0: regression).
int metric_task(size_t n_class);

// The i-th metric for the task, or NULL past the last.
const struct metric *metric_for(int task, size_t i);
