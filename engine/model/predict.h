// SPDX-License-Identifier: MIT
#pragma once

// Answers from a model: one thread's workspace over a shared, immutable (or just now paused) model.
// Blocks always have the same number of rows, padded with zeros, so that an answer does not depend
// on how many neighbours it has; with blocks of PREDICT_ROWS it does not depend on its place among
// them either (OpenBLAS computes all rows of so small a block alike).

#include "engine/model/model.h"
#include "engine/nn/plan.h"

enum { PREDICT_ROWS = 8, SCORE_ROWS = 256 };

struct predictor {
    const struct model *model;
    struct plan plan;
    const real *weight; // [n] of the rows in the mean loss; NULL, as after init: all alike
};

// Blocks of `batch` rows. The model must outlive it.
bool predictor_init(struct predictor *p, const struct model *m, uint32_t batch, struct arena *a,
                    struct err *e);

// x [n, n_in] -> answer [n, answer_width]: values in the targets' units, or a probability per
// class. With target [n, n_target] (scaled values, class index) given, returns the mean loss in
// training units, else 0. What ex's halt has cut short is the caller's to notice.
double predictor_run(struct predictor *p, const real *x, const real *target, size_t n,
                     double *answer, const struct exec *ex);

// Encoded targets (scaled values, class indices) in the target's own units.
void predict_targets(const struct model *m, const real *y, size_t n, double *out,
                     const struct halt *halt);

// True when all are finite; a model that answers otherwise must not.
bool predict_finite(const double *answer, size_t n);
