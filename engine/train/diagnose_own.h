// SPDX-License-Identifier: MIT
#pragma once

// What the files of symptoms share: diagnose.c (gradients, units) and diagnose_curve.c (rates,
// fit). Internal to them.

#include "engine/train/diagnose.h"

extern const struct symptom symptom_rate_high, symptom_rate_low, symptom_overfitting,
    symptom_underfitting, symptom_plateau;

// A layer's statistics of an epoch, both counted from 0.
static inline const struct layer_stats *layer_at(const struct history *h, size_t epoch,
                                                 size_t layer)
{
    return &h->layer[epoch * h->n_layer + layer];
}

// The least of n numbers, NaN left out, and where; NaN when there is none.
double smallest(const double *v, size_t n, size_t *at);

// A finding about the whole network.
struct finding about_all(size_t epoch, size_t since, const char *measure, double value,
                         double limit);

// A tenth of the rate, or the optimizer's usual one if that is lower still; ten times as much, or
// the usual one if that is higher still.
void lower_rate(struct remedy *r);
void raise_rate(struct remedy *r);

// The row called `name` with its defaults.
struct pick pick_of(const struct table *t, const char *name);
