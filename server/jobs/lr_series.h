// SPDX-License-Identifier: MIT
#pragma once

// What is recorded of a step of the learning-rate finder, written by the run and read again by
// whoever shows what was found. Any thread; a curve belongs to its run.

#include "engine/train/lr_finder.h"
#include "server/jobs/curve.h"

enum { LR_SERIES = 3 };
extern const char *const lr_series_name[LR_SERIES];

// ERR_TOO_LARGE past the arena.
bool lr_series_declare(struct curve *c, struct arena *a, struct err *e);

// Append a step, which counts as an epoch, to a curve that has nothing else declared.
void lr_series_add(struct curve *c, const struct lr_point *p);

// The points of a stored curve [t->n_row], in the arena. NULL with ERR_INTERNAL when it lacks one
// of the series, with ERR_TOO_LARGE past the arena.
const struct lr_point *lr_series_points(const struct series_table *t, struct arena *a,
                                        struct err *e);
