// SPDX-License-Identifier: MIT
#pragma once

// What is recorded of an epoch of training, for every kind of job that trains: losses, rate,
// gradient and time, the task's metrics on the validation rows, and what was observed of each
// layer. Called by the run that owns the curve, on its thread.

#include "engine/train/train.h"
#include "server/jobs/curve.h"

// Declare them. Without validation rows (`watched` false) there are no series about those, without
// s->observe none of the layers. ERR_TOO_LARGE past the arena.
bool epoch_series_declare(struct curve *c, const struct model *m, const struct train_spec *s,
                          bool watched, struct arena *a, struct err *e);

// Where in its run an epoch is.
struct epoch_place {
    int64_t epoch, step; // of the run, which may have several trainings
    double seconds;      // since it began
    const double *more;  // [n_more] of the series that were declared behind these
    size_t n_more;
};

// Append an epoch. The best one so far is noted if the curve's beat names the metric it is by.
void epoch_series_add(struct curve *c, const struct train_epoch *t, const struct epoch_place *at);
