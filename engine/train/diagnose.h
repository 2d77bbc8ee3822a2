// SPDX-License-Identifier: MIT
#pragma once

// What is wrong with a training, from its curves and its layers' statistics: rows of symptom_list,
// each with its test, its words and its remedy; one line in diagnose.def. Pure functions over what
// was recorded, so a running job can be diagnosed as well as one that ended. Any thread.

#include "engine/base/arena.h"
#include "engine/base/row.h"
#include "engine/model/model_spec.h"
#include "engine/table/data_spec.h"
#include "engine/train/observe.h"
#include "engine/train/train_spec.h"

// What was recorded. Arrays have one value an epoch; NaN where there is none.
struct history {
    size_t n_epoch, n_layer;
    const int64_t *epoch; // their numbers: of a long training only some epochs are at hand
    const double *train_loss, *val_loss, *lr;
    const double *grad_norm;         // of the whole gradient, the epoch's largest
    const struct layer_stats *layer; // [n_epoch, n_layer], the output layer last
    const char *const *layer_name;   // "layers.0", ..., "output"
    double chance_loss;              // training loss of an answer that knows nothing; NaN: unknown
    bool diverged;                   // it ended because a number was not finite
};

// The facts that speak for a symptom.
struct finding {
    size_t layer;        // index, or SIZE_MAX when it is about the whole network
    size_t epoch;        // index from 1: where the evidence was seen; 0: nowhere
    const char *measure; // what the two numbers are: "share of dead units"
    double value, limit;
    size_t since; // curves: epoch it is compared with; 0: none
};

// The definition to be mended; the layers are the arena's own copy.
struct remedy {
    struct data_spec *data;
    struct model_spec *model;
    struct layer_spec *layer; // [model->n_layer], with room for one more
    struct train_spec *train;
};

struct symptom {
    struct row row;     // doc: what it means, in plain words
    const char *advice; // what the mended job does differently, and why
    bool (*find)(const struct history *h, struct finding *f);
    void (*mend)(struct remedy *r, const struct finding *f);
};

extern const struct symptom *const symptom_list[];
extern const size_t symptom_count;

#define SYMPTOM(name) extern const struct symptom symptom_##name;
#include "engine/train/diagnose.def"

// For the rows.

// A layer's statistics of an epoch, both counted from 0.
static inline const struct layer_stats *layer_at(const struct history *h, size_t epoch,
                                                 size_t layer)
{
    return &h->layer[epoch * h->n_layer + layer];
}

// The least of n numbers, NaN left out, and where; NaN when there is none.
double smallest(const double *v, size_t n, size_t *at);

// A finding about the whole network.
struct finding about_all(size_t epoch, size_t since, const char *measure, double value,
                         double limit);

// A tenth of the rate, or the optimizer's usual one if that is lower still; ten times as much, or
// the usual one if that is higher still.
void lower_rate(struct remedy *r);
void raise_rate(struct remedy *r);

// The row called `name` with its defaults.
struct pick pick_of(const struct table *t, const char *name);

// Copies of the specs that a symptom's mend() may change.
struct remedy remedy_begin(struct data_spec *data, struct model_spec *model,
                           struct train_spec *train, struct arena *a);
