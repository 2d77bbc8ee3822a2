// SPDX-License-Identifier: MIT
#pragma once

// Optimizers: rows of optimizer_table, and the object that applies one to a flat array of
// parameters.
//
// A row's step() updates one span of parameters in one pass over parameters, gradients and state;
// gradient clipping comes in as a factor. Rows that need more than an elementwise pass have it in
// their own way: `matrix` rows get hidden weight matrices whole, `closure` rows evaluate the loss
// themselves. Formulas and defaults are PyTorch's. Used by the thread that trains (with its
// executor).

#include "arena.h"
#include "err.h"
#include "exec.h"
#include "model.h"
#include "real.h"
#include "row.h"

#include <stdint.h>

enum { OPTIM_SLOTS = 4, OPTIM_COEFS = 12 };

// One piece of the flat arrays; its parameters belong to one group.
struct optim_span {
    real *p;                  // parameters
    const real *g;            // gradients
    real *state[OPTIM_SLOTS]; // as many as the row has slots; zero before the first step
    size_t n;
    uint32_t rows, cols; // a whole hidden weight matrix for `matrix` rows; 0: any piece
    real clip;           // factor for g
    const real *coef;    // what prepare() computed for the span's group
    real *scratch;       // matrix rows: memory for their work
};

// Loss and gradients anew at the parameters as they stand, for the same rows: into the arrays that
// the optimizer was given. False with *e when they are not finite.
struct optim_closure {
    bool (*evaluate)(void *ctx, double *loss, struct err *e);
    void *ctx;
};

struct optimizer;

struct optim {
    struct row row;
    int slots; // state values per parameter
    // Numbers that are the same for all parameters of a group in step k (from 1) at learning rate
    // lr; `run` is the optimizer's own memory for running products over steps, zero at first.
    void (*prepare)(const double *value, uint64_t k, double lr, double *run, double *coef);
    void (*step)(const struct optim_span *s);
    void (*matrix)(const struct optim_span *s); // hidden weight matrices, whole; NULL: step()
    // The whole update, for rows that look at all parameters at once (L-BFGS); NULL: by spans.
    bool (*all)(struct optimizer *o, double lr, double loss, double clip,
                const struct optim_closure *c, const struct exec *x, struct err *e);
    // The weights to evaluate and keep differ from those that are trained (schedule-free): from
    // trained ones to those, and back. NULL: they are the same.
    void (*settle)(const struct optim_span *s);
    void (*unsettle)(const struct optim_span *s);
};

struct optimizer {
    const struct optim *row;
    double value[PICK_VALUES];
    struct optim_span *span;
    uint32_t n_span;
    double *partial; // [n_span] squared gradient norms
    real coef[OPTIM_COEFS];
    double run[2];
    uint64_t k; // steps taken
};

// What to optimize: `n` parameters and their gradients in flat arrays, and where each of the
// model's begins (for groups and matrices).
struct optim_setup {
    const struct pick *pick;
    real *param;
    real *grad;
    size_t n;
    const struct model_param *model_param;
    size_t n_model_param;
    const struct param_group *group;
    size_t n_group;
};

// State, zeroed, cut into spans whose size does not depend on threads. ERR_TOO_LARGE past the
// arena.
bool optimizer_init(struct optimizer *o, const struct optim_setup *s, struct arena *a,
                    struct err *e);

// Reals of state that optimizer_init() will take for `n` parameters: for estimates of memory.
double optimizer_memory(const struct pick *pick, size_t n);

// The rate the job asked for, before the schedule.
double optimizer_lr(const struct pick *pick);

// Euclidean norm of the whole gradient; not finite when any gradient is not.
double optimizer_grad_norm(struct optimizer *o, const struct exec *x);

// One update at rate lr with every gradient multiplied by clip. The gradients are those of `loss`
// at the parameters as they stand. False only when a row that evaluates the closure met a loss that
// is not finite.
bool optimizer_step(struct optimizer *o, double lr, double loss, double clip,
                    const struct optim_closure *c, const struct exec *x, struct err *e);

// Put the weights to evaluate in place of the trained ones, and the trained ones back.
void optimizer_settle(struct optimizer *o, const struct exec *x);
void optimizer_unsettle(struct optimizer *o, const struct exec *x);
