// SPDX-License-Identifier: MIT
#pragma once

// The two ends of a prediction: rows of JSON straight into a float matrix, answers into JSON. The
// hot path of /predict: one pass, no tree, nothing allocated per cell. Called on the polling
// thread; memory comes from the request's arena.

#include "fault.h"
#include "json.h"
#include "jsonw.h"
#include "model.h"
#include "prep.h"

// Encode "instances", an array of objects with the inputs' names as keys, or of arrays in the
// inputs' order; null is a missing value. x is [*n, n_feature], in the arena. Every fault is in f
// with its pointer: unknown_field, missing_field, wrong_type, ragged_row, bad_number. At least one
// instance is needed.
bool instances_read(struct json_span span, const struct prep *p, real **x, size_t *n,
                    struct arena *a, struct faults *f, struct err *e);

// "predictions" for n answers, each by the task:
//
//     {"value": v}, or of several targets {"values": {target: v, ...}}
//     {"class": c, "probabilities": {c: p, ...}}
//     {"labels": [target with p >= .5, ...], "probabilities": {target: p, ...}}
//     {"probabilities": {target: share, ...}}
void predictions_write(struct jsonw *w, const struct prep *p, const double *answer, size_t n);
