// SPDX-License-Identifier: MIT
#pragma once

// Inside of a run, for the files of training and the learning-rate finder only. struct trainer
// holds all memory of a run; after trainer_init() a step allocates nothing.

#include "engine/nn/plan.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/regularize.h"
#include "engine/optim/schedule.h"
#include "engine/train/average.h"
#include "engine/train/mix.h"
#include "engine/train/observe.h"
#include "engine/train/score.h"
#include "engine/train/train_report.h"
#include "engine/train/train_rows.h"
#include "engine/train/train_spec.h"

// One step's account.
struct stepped {
    double loss;   // mean over the batch, without penalties
    double norm;   // of the gradient, penalties included, before it is shortened
    double weight; // of the batch in the epoch's loss: its rows, or their weights
};

struct trainer {
    struct model *m;
    const struct train_spec *spec;
    const struct train_rows *train, *val;
    const struct train_hooks *hooks;
    const struct exec *x;
    struct plan plan;
    struct optimizer optimizer;
    struct optim_closure closure;
    struct schedule_state schedule;
    struct regularizer regularizer;
    struct mixer mixer;
    struct average average;
    struct observer observer;
    struct scorer scorer;    // of the validation rows
    real *grad, *best;       // [n_trained], [n_value]
    uint32_t *order;         // this epoch's permutation of the training rows
    uint32_t batch, batches; // rows of one, number in an epoch
    uint32_t rows;           // of the batch that is loaded
    int epoch, epochs;       // done, planned
    uint64_t step, steps;    // the same
    double lr;
    bool observing;               // this step is an epoch's last
    const struct metric *watched; // NULL: the validation loss
    size_t watched_at;
    double best_value;
    int best_epoch;
    int improved; // epoch of the last strict improvement: what patience counts from
};

// m, spec, train, val, hooks and x are set; all memory comes from `run`. In a sizing pass the rows'
// numbers are all that is looked at of them.
bool trainer_init(struct trainer *t, struct run_state *run, struct err *e);

// The rows' order in an epoch (from 1).
void train_shuffle(struct trainer *t, int epoch);

// Fill the plan's inputs with batch b of the epoch; `mixed` as the spec wants them at step t->step.
void train_load(struct trainer *t, uint32_t b, bool mixed);

// One step on what is loaded, at rate t->lr.
bool train_step(struct trainer *t, struct stepped *s, struct err *e);

// ERR_DIVERGED naming the step and, if known, the place.
bool train_diverged(const struct trainer *t, const char *what, const char *where, struct err *e);

// ERR_CANCELLED when the end is asked for. Tiles are left out from then on, so this comes before
// any conclusion from numbers.
bool train_go_on(const struct trainer *t, struct err *e);

// The same before a step, which the hook is told of.
bool train_begin(const struct trainer *t, struct err *e);

bool train_out_of_memory(struct err *e);

// Copies of all parameters take long when there are many.
void train_copy(const struct trainer *t, real *to, const real *from, size_t n);

bool average_init(struct trainer *t, struct run_state *run, struct err *e);
void average_step(struct trainer *t);             // after every step
void average_epoch(struct trainer *t, int epoch); // after every epoch

// The rate's factor for the next step: the schedule's, or where SWA averages the one it began with.
double average_rate(struct trainer *t, int epoch, double factor);

// Put the weights to validate and keep into the model, and the ones that are trained back.
void train_swap_in(struct trainer *t);
void train_swap_out(struct trainer *t);
