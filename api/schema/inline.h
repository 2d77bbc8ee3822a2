// SPDX-License-Identifier: MIT
#pragma once

// A table given inside a job definition, in one of these forms:
//
//     {"x": [[1, "a"], [2, null]], "y": [0, 1]}             columns x0, x1, ... and y
//     {"x": [[1, "a"]], "y": [[0, 1]]}                      several targets: y0, y1, ...
//     {"columns": ["age", "sex"], "rows": [[31, "f"]]}
//
// It is rewritten as CSV, so that one reader takes in every table. Called on the thread that owns
// the request; the span must come from a checked text.

#include "api/json/csvw.h"
#include "api/json/fault.h"
#include "api/json/json.h"
#include "api/schema/schema.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"

extern const struct schema inline_schema; // both forms, for documentation

// How many targets data in the first form has; 0 for any other (also for a span without data).
size_t inline_targets(struct json_span data);

// Their names: "y", or "y0", "y1", ...; an array of n in the arena, NULL when it is full.
const char *const *inline_target_names(size_t n, struct arena *a);

// Send the table to `sink` as CSV (RFC 4180, header first; gaps are empty, true and false words).
// False with every fault in f ("/data/rows/17 must have 3 cells, got 2"; codes ragged_row,
// wrong_type, missing_field, unknown_field, bad_name, too_short, too_long) and e ERR_INVALID, or
// with the sink's error. What the sink has got by then is to be thrown away. The arena takes names
// with escapes and, one at a time, other strings with escapes.
bool inline_to_csv(struct json_span data, csvw_sink *sink, void *ctx, struct arena *a,
                   struct faults *f, struct err *e);
