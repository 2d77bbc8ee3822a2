// SPDX-License-Identifier: MIT
#pragma once

// Optimizers: rows of optimizer_table, and the object that applies one to a flat array of
// parameters.
//
// A row's step() updates one span of parameters in one pass over parameters, gradients and state;
// gradient clipping comes in as a factor. Formulas and defaults are PyTorch's. Used by the thread
// that trains (with its executor).

#include "arena.h"
#include "err.h"
#include "exec.h"
#include "real.h"
#include "row.h"

#include <stdint.h>

enum { OPTIM_SLOTS = 3, OPTIM_COEFS = 8 };

// One piece of the flat arrays.
struct optim_span {
    real *p;                  // parameters
    const real *g;            // gradients
    real *state[OPTIM_SLOTS]; // as many as the row has slots; zero before the first step
    size_t n;
    real clip;        // factor for g
    const real *coef; // what prepare() computed
};

struct optim {
    struct row row;
    int slots; // state values per parameter
    // Numbers that are the same for all parameters in step k (from 1) at learning rate lr.
    void (*prepare)(const double *value, uint64_t k, double lr, double *coef);
    void (*step)(const struct optim_span *s);
};

struct optimizer {
    const struct optim *row;
    double value[PICK_VALUES];
    struct optim_span *span;
    uint32_t n_span;
    double *partial; // [n_span] squared gradient norms
    real coef[OPTIM_COEFS];
    uint64_t k; // steps taken
};

// State for n parameters, zeroed, cut into spans whose size does not depend on threads.
bool optimizer_init(struct optimizer *o, const struct pick *pick, real *param, const real *grad,
                    size_t n, struct arena *a, struct err *e);

// The rate the job asked for, before the schedule.
double optimizer_lr(const struct pick *pick);

// Euclidean norm of the whole gradient; not finite when any gradient is not.
double optimizer_grad_norm(struct optimizer *o, const struct exec *x);

// One update at rate lr with every gradient multiplied by clip.
void optimizer_step(struct optimizer *o, double lr, double clip, const struct exec *x);
