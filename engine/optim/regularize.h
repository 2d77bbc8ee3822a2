// SPDX-License-Identifier: MIT
#pragma once

// Regularisers that work on gradients and weights beside the graph: penalties, clipping by value,
// gradient noise, bounds on the rows of weights. Those that are off cost nothing. Used by the
// thread that trains (with its executor); the bits do not depend on its threads.

#include "engine/base/err.h"
#include "engine/base/exec.h"
#include "engine/model/model.h"

struct regularization {
    double l1, l2;         // penalties on weight matrices: l1 Σ|w| + l2/2 Σ w²
    double max_norm;       // largest norm of a row of a hidden weight matrix; 0: no limit
    double clip_value;     // largest absolute value of a gradient's component; 0: no limit
    double gradient_noise; // standard deviation of the noise on gradients in the first step
};

// Whole rows of one weight matrix.
struct weight_rows {
    real *w, *g; // values and gradients [rows, cols]
    uint32_t rows, cols;
    bool hidden; // not of the output layer
};

struct regularizer {
    const struct regularization *spec;
    uint64_t seed;
    real *grad; // [n], of all trained parameters
    size_t n;
    struct weight_rows *piece;
    uint32_t n_piece;
    double *penalty; // [n_piece]
    uint64_t step;
    real clip;
};

// For the trained parameters of m with gradients `grad`; s must outlive it. The seed is for the
// noise. ERR_TOO_LARGE past the arena.
bool regularizer_init(struct regularizer *r, const struct model *m, const struct regularization *s,
                      uint64_t seed, real *grad, struct run_state *run, struct err *e);

// Add the gradients of l1 Σ|w| + l2/2 Σ w² over the weight matrices (where w = 0 the first one's is
// 0), and return that penalty; then limit every component to clip_value.
double regularize_gradient(struct regularizer *r, const struct exec *x);

// g = clip g + σ n with n standard normal and σ = gradient_noise / (1 + step)^.55.
void regularize_finish(struct regularizer *r, uint64_t step, double clip, const struct exec *x);

// Shorten every row of a hidden weight matrix that is longer than max_norm to at most that.
void regularize_weights(struct regularizer *r, const struct exec *x);
