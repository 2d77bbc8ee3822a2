// SPDX-License-Identifier: MIT
#pragma once

// Averaged weights: the memory of an average, and what can be told of it before a run.
// train_average.c computes it.

#include "engine/model/model.h"
#include "engine/train/train_spec.h"

// Averaged weights: a moving average over steps (EMA) or the mean of epochs' ends (SWA).
struct average {
    real *value;   // [n_trained] the average; while swapped, the live weights
    real *kept;    // [n_value - n_trained] live running statistics while swapped (SWA)
    real *sum;     // the same size: statistics of the averaged weights as they add up
    uint64_t k;    // averaged so far; EMA: steps
    int from;      // SWA: first epoch whose end is averaged
    double factor; // SWA: of the rate in those epochs
};

// Whether the job wants an average, EMA or SWA.
bool average_wanted(const struct train_spec *s);

// Running statistics of m's norms.
static inline size_t average_statistics(const struct model *m)
{
    return m->n_value - m->n_trained;
}

// Epochs whose ends SWA averages, of `epochs`.
int average_epochs(const struct train_spec *s, int epochs);
