// SPDX-License-Identifier: MIT
#pragma once

// How good a finished model is on rows whose target is known: after training on the test part, on
// request on any dataset.

#include "engine/model/metric.h"
#include "engine/model/predict.h"
#include "engine/train/train_rows.h"

struct score {
    double loss;                // mean, in training units
    double metric[METRICS_MAX]; // metric_for(task, i), in the target's own units
};

// ERR_TOO_LARGE when the arena is full, ERR_INVALID when an answer is not finite, ERR_CANCELLED
// after a halt. rows->n > 0.
bool score_rows(struct score *s, const struct model *m, const struct train_rows *rows,
                const struct halt *halt, struct arena *a, struct err *e);
