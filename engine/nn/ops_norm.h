// SPDX-License-Identifier: MIT
#pragma once

// What norms with statistics over the batch share (ops_norm*.c only): inputs, parameters, the first
// two hyperparameters, and the sums over a tile's columns. They serve by batch_fixed, which knows
// these hyperparameters only.

#include "engine/nn/role.h"

enum { X, WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR }; // inputs
enum { MOMENTUM, EPS };                              // hyperparameters

#define BATCH_HYPERS                                                                               \
    {.name = "momentum",                                                                           \
     .doc = "Weight of a new batch in the running statistics.",                                    \
     .def = {.1},                                                                                  \
     .min = 0,                                                                                     \
     .max = 1},                                                                                    \
    {                                                                                              \
        .name = "eps", .doc = "Added to the variance.", .def = {1e-5}, .min = 1e-12, .max = 1      \
    }

#define BATCH_MEMBERS                                                                              \
    .span = SPAN_COLUMN, .arity = 5, .reads_in = true,                                             \
    .no_grad = 1 << RUNNING_MEAN | 1 << RUNNING_VAR,                                               \
    .param = {{.name = "weight", .init = 1},                                                       \
              {.name = "bias", .init = 0},                                                         \
              {.name = "running_mean", .buffer = true, .init = 0},                                 \
              {.name = "running_var", .buffer = true, .positive = true, .init = 1}}

// out[c] = Σ_r x[r, c] over the tile's rows
void batch_sums(const real *x, size_t cols, struct tile t, real *out);

// out[c] = Σ_r (x[r, c] - mean[c])²: a second pass, because E[x²] - E[x]² cancels
void batch_squares(const real *x, size_t cols, struct tile t, const real *mean, real *out);

// Running statistics as PyTorch keeps them: the variance is the unbiased one.
void batch_track(const struct step *s, struct tile t, const real *mean, const real *square_sum);

// The share of a new batch in them: running = (1 - momentum) running + momentum batch.
double batch_new_share(const double *value);
