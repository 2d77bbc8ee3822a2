// SPDX-License-Identifier: MIT
#pragma once

// Quality of predictions: rows of metric_table, computed on a validation or test part, in the
// targets' own units. Every row counts alike, whatever it weighed in training; of several targets
// it is the mean over them.

#include "engine/base/halt.h"
#include "engine/base/real.h"
#include "engine/base/row.h"
#include "engine/table/answer.h"

#include <stddef.h>

enum { METRICS_MAX = 8 };

struct scored {
    // [n, k]: values, a probability per class or label, or shares.
    const double *answer;
    // [n, n_target]: values, a class index (k > n_target = 1), labels or shares.
    const double *target;
    size_t n, k, n_target;
    double *scratch;         // [2 n]
    const struct halt *halt; // what a metric has not finished is worth nothing
};

struct metric {
    struct row row;
    int forms; // bits of enum target_form
    bool larger_better;
    double (*value)(const struct scored *s);
    bool ordered; // only where the classes have an order
};

extern const struct table metric_table;

// The i-th metric of such answers, or NULL past the last.
const struct metric *metric_for(const struct answer *a, size_t i);
