// SPDX-License-Identifier: MIT
#pragma once

// How good a model is on rows whose target is known: after every epoch on the validation rows,
// after training on the test part, on request on any dataset.

#include "engine/model/metric.h"
#include "engine/model/predict.h"
#include "engine/train/train_rows.h"

struct score {
    double loss;                // mean, in training units
    double metric[METRICS_MAX]; // metric_for(task, i), in the target's own units
};

// Workspace to score the same rows again and again.
struct scorer {
    struct predictor predictor;
    const struct train_rows *rows;
    double *answer, *target; // [rows][answer_width], [rows][n_target] in their own units
    double *scratch;         // the metrics'
};

// For `rows` (n > 0) in blocks of `batch`; "scorer...." of the run. Rows and model must outlive it.
// ERR_TOO_LARGE past the arena.
bool scorer_init(struct scorer *c, const struct model *m, const struct train_rows *rows,
                 uint32_t batch, const struct halt *halt, struct run_state *run, struct err *e);

// Loss and answers of the model as it is; what x's halt has cut short is the caller's to notice.
double scorer_run(struct scorer *c, const struct exec *x);

// Whether every answer is finite; only then there are metrics. metric [METRICS_MAX].
bool scorer_finite(const struct scorer *c);
void scorer_metrics(const struct scorer *c, const struct halt *halt, double *metric);

// All in one. ERR_TOO_LARGE when the arena is full, ERR_INVALID when an answer is not finite,
// ERR_CANCELLED after a halt. rows->n > 0.
bool score_rows(struct score *s, const struct model *m, const struct train_rows *rows,
                const struct halt *halt, struct arena *a, struct err *e);

// The same, and the answers [rows->n, answer_width()], in the arena.
bool score_answers(struct score *s, const struct model *m, const struct train_rows *rows,
                   const double **answer, const struct halt *halt, struct arena *a, struct err *e);
