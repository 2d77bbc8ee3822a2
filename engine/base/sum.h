// SPDX-License-Identifier: MIT
#pragma once

// Sums over arrays in a fixed order, in vector registers. Any thread.

#include "engine/base/real.h"

#include <stddef.h>

// Σ v². Finite whenever every v is and the sum fits a double.
double sum_squares(const real *v, size_t n);

// Σ (a - b)²
double sum_squared_distance(const real *a, const real *b, size_t n);
