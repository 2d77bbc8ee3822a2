// SPDX-License-Identifier: MIT
#pragma once

// The part of a run's curve that is not stored yet, as the store wants it. A worker adds an epoch
// at a time, sends `beat` now and then and calls curve_stored() once that is stored. While it is
// not, the oldest epochs give way, and beat tells which are missing. Used by one thread, inside the
// run that owns it; must stay where it is.

#include "engine/train/lr_finder.h"
#include "engine/train/train.h"
#include "server/store/store.h"

enum {
    CURVE_EPOCHS = 256,
    CURVE_VALUES = 5 + METRICS_MAX,
    CURVE_NAMES = 256,
    CURVE_LAYER_NAMES = 16 * (LAYERS_MAX + 1)
};

struct curve {
    char names[CURVE_NAMES]; // of the columns, blanks between
    struct metric_row row[CURVE_EPOCHS];
    double value[CURVE_EPOCHS][CURVE_VALUES];
    char layers[CURVE_LAYER_NAMES]; // names of the layers
    double *layer;                  // [CURVE_EPOCHS, beat.n_layer_value]
    struct job_beat beat;
};

// An empty curve of a run over n_train rows, watched on n_val. ERR_TOO_LARGE past the arena.
bool curve_init(struct curve *c, const struct model *m, const struct train_spec *s, size_t n_train,
                size_t n_val, struct arena *a, struct err *e);

// The same for a sweep over learning rates, whose epochs are its steps.
bool curve_init_sweep(struct curve *c, int steps, struct arena *a, struct err *e);
void curve_add_point(struct curve *c, const struct lr_point *p);

// Append an epoch, `seconds` after the start. When full, the oldest goes and
// the gap grows.
void curve_add(struct curve *c, const struct train_epoch *t, double seconds);

void curve_stored(struct curve *c);

static inline bool curve_full(const struct curve *c)
{
    return c->beat.n_row == CURVE_EPOCHS;
}
