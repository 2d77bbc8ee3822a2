// SPDX-License-Identifier: MIT
#pragma once

// One row through a loss, forward and backward, for the tests of losses.

#include "engine/nn/op.h"

enum { LOSS_COLS = 4 };

struct loss_result {
    double loss, dz[LOSS_COLS];
};

// The loss called `name`; fails the test when there is none.
const struct op *loss_named(const char *name);

// `hyper` is the row's first two.
struct loss_result loss_run(const struct op *op, const double *hyper, uint32_t n_z, const double *z,
                            uint32_t n_y, const double *y);

// Columns that suit a loss, as many as there may be.
uint32_t loss_outputs(const struct op *op);
uint32_t loss_targets(const struct op *op);
