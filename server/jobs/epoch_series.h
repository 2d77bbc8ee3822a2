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

// Append an epoch to a curve that has nothing else declared, `seconds` after the start.
void epoch_series_add(struct curve *c, const struct train_epoch *t, double seconds);
