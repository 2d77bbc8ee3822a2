// SPDX-License-Identifier: MIT
#pragma once

// What is told of a finished training: GET /models/<name> shows it. Written once, by the worker, on
// its thread.

#include "api/views/model_view.h"
#include "engine/train/score.h"
#include "engine/train/train.h"
#include "server/jobs/prepare.h"

struct model_summary {
    const struct prepared *prepared;     // with the trained model
    const struct train_rows *val, *test; // encoded; n may be 0
    const struct train_result *result;
    double seconds; // of training
    const struct halt *halt;
};

// What a model tells by itself: targets, sizes, classes, digest. Arrays are the model's. False
// after a halt.
bool summary_of_model(struct model_summary_reply *out, const struct model *m,
                      const struct halt *halt, struct arena *a, struct err *e);

// The metrics of the model's task by their names, at most METRICS_MAX; returns how many.
size_t summary_metrics(struct measure_reply *out, const struct model *m, const struct score *s);

// As it is stored, in the arena; NULL on failure.
const char *summary_text(const struct model_summary_reply *s, struct arena *a, struct err *e);

// A JSON object: targets, sizes, inputs, classes, scores on the validation and test rows, and a
// digest of the weights, which is the same whatever the threads. In the arena; NULL on failure.
const char *summary_write(const struct model_summary *o, struct arena *a, struct err *e);
