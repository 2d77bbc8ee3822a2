// SPDX-License-Identifier: MIT
#pragma once

// Mixup and CutMix for rows: every row of a batch is mixed with another of the same batch, x and
// loss alike. What a step draws is a pure function of seed and step. Used by the thread that
// trains.

#include "engine/base/err.h"
#include "engine/base/real.h"
#include "engine/base/run_state.h"
#include "engine/train/train_spec.h"

struct mixer {
    double mixup, cutmix; // as in struct train_spec; both 0: nothing is ever mixed
    uint64_t seed;
    uint32_t n_in;
    uint32_t *partner; // [batch] row i of the batch is mixed with row partner[i]
    uint32_t *column;  // [n_in] the first n_column of them come from the partner (CutMix)
    uint32_t n_column;
    double share; // of the row's own target in the loss; 1: this batch is not mixed
};

// For batches of up to `batch` rows of n_in columns. ERR_TOO_LARGE past the arena.
bool mixer_init(struct mixer *m, const struct train_spec *s, uint32_t batch, uint32_t n_in,
                struct run_state *run, struct err *e);

// Whether s mixes rows: then the model must have been built with `mixed`.
static inline bool mix_wanted(const struct train_spec *s)
{
    return s->mixup > 0 || s->cutmix > 0;
}

// Partners, share and columns for a step with a batch of `rows` rows.
void mixer_draw(struct mixer *m, uint64_t step, uint32_t rows);

// x, a copy of a row, becomes its mix with `other`.
void mix_row(const struct mixer *m, real *x, const real *other);

// A draw from Beta(a, a), a > 0; a function of its arguments.
double mix_beta(uint64_t key, double a);
