// SPDX-License-Identifier: MIT
#pragma once

// Optimizers as the papers and PyTorch's documentation write them: one parameter at a time, in
// double, slowly.

#include "engine/base/row.h"

// Step k (from 1) of parameter x with gradient g at rate lr; s is its state, zero at first.
typedef void formula(double *x, double g, double *s, const struct pick *p, double k, double lr);

enum { FORMULA_STATE = 8 };

// NULL for rows that are not a matter of one parameter at a time.
formula *formula_of(const char *name);
