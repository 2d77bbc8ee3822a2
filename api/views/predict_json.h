// SPDX-License-Identifier: MIT
#pragma once

// The two ends of a prediction: rows of JSON straight into a float matrix, answers into JSON. The
// hot path of /predict: one pass, no tree, nothing allocated per cell. Called on the polling
// thread; memory comes from the request's arena.

#include "api/json/fault.h"
#include "api/json/json_in.h"
#include "api/json/jsonw.h"
#include "engine/model/model.h"
#include "engine/table/prep.h"

// "instances", an array of objects with the inputs' names as keys, or of arrays in the inputs'
// order; null is a missing value. A row may become thousands of features, so they are read a few at
// a time. Every fault is in f with its pointer: unknown_field, missing_field, wrong_type,
// ragged_row, bad_number.
struct instances {
    const struct prep *p;
    struct arena *a;
    struct faults *f;
    struct json_in in;
    size_t n, row;  // how many there are, how many have been read
    bool named;     // this one is an object
    size_t *seen;   // for each input, the instance that gave it last, so that nothing has to be
                    // cleared between rows
    real *x;        // of this row
    struct err why; // what is wrong with a cell; here because clearing it for each would cost more
                    // than reading one
};

// At least one instance is needed.
bool instances_begin(struct instances *r, struct json_span span, const struct prep *p,
                     struct arena *a, struct faults *f, struct err *e);

// Encode the next of them, at most `max`: x is [max, n_feature]. Returns how many; 0 when all have
// been read, or when there are too many faults.
size_t instances_next(struct instances *r, real *x, size_t max);

// All at once: x is [*n, n_feature], in the arena.
bool instances_read(struct json_span span, const struct prep *p, real **x, size_t *n,
                    struct arena *a, struct faults *f, struct err *e);

// Elements of "predictions" for n answers [answer_width()], each with the members that its task
// writes (engine/table/task_*.c), such as {"value": v} or {"class": c, "probabilities": {c: p}}.
void predictions_write(struct jsonw *w, const struct answer *a, const double *answer, size_t n);
