// SPDX-License-Identifier: MIT
#pragma once

// The part of a run's curve that is not stored yet, as the store wants it. What a run records is
// declared first, series by series; then a worker adds a point at a time, sends `beat` now and then
// and calls curve_stored() once that is stored. While it is not, the oldest points give way, and
// beat tells which are missing. Used by one thread, inside the run that owns it; must stay where it
// is. Memory is the run's arena's.

#include "engine/base/arena.h"
#include "server/store/store.h"

enum { CURVE_POINTS = 256 };

struct curve {
    struct series_list series[SERIES_KINDS];
    struct series *declared[SERIES_KINDS]; // the same, with room for more
    size_t room[SERIES_KINDS];
    struct metric_row row[CURVE_POINTS];
    double *value[SERIES_KINDS]; // [CURVE_POINTS, series.n]
    struct job_beat beat;
};

// Nothing declared; progress is 0 of 0.
void curve_init(struct curve *c);

// The next series; scope and name must outlive the curve. False with ERR_TOO_LARGE past the arena.
bool curve_declare(struct curve *c, enum series_kind kind, const char *scope, const char *name,
                   enum series_type type, struct arena *a, struct err *e);

// All is declared: make room for points. ERR_TOO_LARGE past the arena.
bool curve_begin(struct curve *c, struct arena *a, struct err *e);

// Append a point, and note that the run has come so far: a value for each series of SERIES_RUN in
// the order of their declaration, and of SERIES_PARTS (NULL: nothing was observed). When full, the
// oldest point goes and the gap grows.
void curve_add(struct curve *c, int64_t epoch, int64_t step, const double *run,
               const double *parts);

void curve_stored(struct curve *c);

static inline bool curve_full(const struct curve *c)
{
    return c->beat.n_row == CURVE_POINTS;
}
