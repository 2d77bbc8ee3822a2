// SPDX-License-Identifier: MIT
#pragma once

// The training loop: batches, epochs, validation, early stopping, the best epoch's weights. Called
// by a worker (or a test) on its own thread; tells what happens through hooks, and ends when the
// executor's halt says so: between two tiles of a step, two rows of a table, two evaluations of a
// line search.
//
// Everything random is a function of the seed and the position, everything summed has a fixed
// order, so the resulting bits do not depend on the executor's threads.

#include "engine/base/exec.h"
#include "engine/model/metric.h"
#include "engine/model/model.h"
#include "engine/train/observe.h"

#include "engine/nn/plan.h"
#include "engine/model/predict.h"

// Encoded rows: x [n, n_in], y [n, n_target] (scaled values, a class index, labels or shares).
struct train_rows {
    const real *x, *y;
    size_t n;
    const real *w; // [n] weights of the rows, >= 0; NULL: all alike. In both losses a row counts
                   // with its weight, as in torch.nn.CrossEntropyLoss(weight): Σ w L / Σ w
};

struct train_epoch {
    int epoch;                  // from 1
    uint64_t step, steps;       // taken, planned in all
    double lr;                  // of the last step
    double train_loss;          // mean over the epoch's batches, in training units, without l1, l2
    double val_loss;            // NaN without validation rows
    double metric[METRICS_MAX]; // metric_for(task, i) on the validation rows; NaN without
    double grad_norm;           // largest of the epoch
    double watched;             // the metric that decides, or the loss; NaN without
    bool best;                  // by it, so far; of equal epochs the later one
    const struct layer_stats *layer; // [n_layer] hidden layers and output at the epoch's last step
    size_t n_layer;                  // 0: not observed
};

struct train_hooks {
    void *ctx;
    void (*epoch)(void *ctx, const struct train_epoch *r); // after every epoch
    void (*step)(void *ctx, uint64_t step);                // before every step
};

struct train_result {
    int epochs, best_epoch; // run; whose weights the model now has
    uint64_t steps;         // taken
    double best_value;      // of the watched metric; NaN without validation rows
    bool stopped_early;
};

// The batch size used: as asked, or by the number of rows (64 up to 1,024 rows, 128 up to 8,192,
// 256 up to 30,000, 512 up to 100,000, else 1,024; all of them for an optimizer that compares
// losses with each other), at most n.
uint32_t train_batch_size(const struct train_spec *s, size_t n);

// Steps in an epoch of n rows. A last batch of one row joins the one before when a norm needs
// columns of more.
uint32_t train_batches(size_t n, uint32_t batch, bool by_column);

// Steps in all, and epochs they take (the last one may be partial), with so many batches an epoch.
uint64_t train_steps(const struct train_spec *s, uint32_t batches);
int train_epochs(const struct train_spec *s, uint32_t batches);

// Everything about the job that can be told without training: an unknown metric to watch, batches
// too small for what is done with them, choices that exclude each other. ERR_INVALID with the
// pointer of the field.
bool train_check(const struct model *m, const struct train_spec *s, size_t n, struct err *e);

// Bytes that training m on `train` of `rows` encoded rows takes, parameters and encoded rows
// included: what to compare with the memory there is before anything is allocated.
double train_memory(const struct model *m, const struct train_spec *s, size_t rows, size_t train);

// Train m, whose weights are initialised, on `train`; watch `val` (n may be 0: then the last epoch
// is kept). Rows have weights exactly if m was built for them. Under ema and swa the averaged
// weights are the ones that are validated and kept. ERR_DIVERGED names step and layer,
// ERR_CANCELLED after a stop; then m's weights may be those of half a step.
bool train_run(struct model *m, const struct train_spec *s, const struct train_rows *train,
               const struct train_rows *val, const struct train_hooks *hooks, const struct exec *x,
               struct train_result *result, struct arena *a, struct err *e);
