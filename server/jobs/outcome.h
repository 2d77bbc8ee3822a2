// SPDX-License-Identifier: MIT
#pragma once

// What is told of a finished training: GET /models/<name> shows it. Written once, by the worker, on
// its thread.

#include "api/json/jsonw.h"
#include "engine/train/train.h"
#include "server/jobs/prepare.h"

struct outcome {
    const struct prepared *prepared;     // with the trained model
    const struct train_rows *val, *test; // encoded; n may be 0
    const struct train_result *result;
    double seconds; // of training
    const struct halt *halt;
};

// "weights_sha256": a digest of the weights alone. False after a halt.
bool outcome_weights_digest(struct jsonw *w, const struct model *m, const struct halt *halt,
                            struct err *e);

// "targets", and "target" where there is one.
void outcome_targets(struct jsonw *w, const struct answer *a);

// A JSON object: targets, sizes, inputs, classes, scores on the validation and test rows, and a
// digest of the weights, which is the same whatever the threads. In the arena; NULL on failure.
const char *outcome_summary(const struct outcome *o, struct arena *a, struct err *e);
