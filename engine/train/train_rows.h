// SPDX-License-Identifier: MIT
#pragma once

// Rows as a network sees them: what training and scoring work on. Filled by whoever prepares a job;
// constant from then on.

#include "engine/base/real.h"

#include <stddef.h>

// Encoded rows: x [n, n_in], y [n, n_target] (scaled values, a class index, labels or shares).
struct train_rows {
    const real *x, *y;
    size_t n;
    const real *w; // [n] weights of the rows, >= 0; NULL: all alike. In both losses a row counts
                   // with its weight, as in torch.nn.CrossEntropyLoss(weight): Σ w L / Σ w
};
