// SPDX-License-Identifier: MIT
#pragma once

// Optimizers: rows of optimizer_table. What applies one to a flat array of parameters is in
// optimizer.h.
//
// A row's step() updates one span of parameters in one pass over parameters, gradients and state;
// gradient clipping comes in as a factor. Rows that need more than an elementwise pass have it in
// their own way: `matrix` rows get hidden weight matrices whole, `all` rows look at everything and
// evaluate the loss themselves. Formulas and defaults are PyTorch's. Used by the thread that trains
// (with its executor).
//
// Adding one is writing its row in an optim_*.c and its line in optim.def.

#include "engine/base/err.h"
#include "engine/base/exec.h"
#include "engine/base/real.h"
#include "engine/base/row.h"
#include "engine/base/run_state.h"

#include <stdint.h>

enum { OPTIM_SLOTS = 4, OPTIM_COEFS = 12, OPTIM_RUNS = 2 };

// One piece of the flat arrays; its parameters belong to one group.
struct optim_span {
    real *p;                  // parameters
    const real *g;            // gradients
    real *state[OPTIM_SLOTS]; // the row's slots, NULL past them; zero before begin()
    size_t at, n;             // place in the flat arrays
    uint32_t rows, cols;      // a whole hidden weight matrix for `matrix` rows; 0: any piece
    real clip;                // factor for g
    const real *coef;         // what prepare() computed for the span's group
    real *scratch;            // matrices: `scratch` reals a parameter
    const struct halt *halt;  // matrices: of the step under way
};

// Loss and gradients anew at the parameters as they stand, for the same rows: into the arrays that
// the optimizer was given. False with *e, of kind ERR_DIVERGED, when they are not finite.
struct optim_closure {
    bool (*evaluate)(void *ctx, double *loss, struct err *e);
    void *ctx;
};

struct optimizer;

struct optim {
    struct row row;
    const char *slot[OPTIM_SLOTS];     // what the state of a parameter is called in a run's state
    int (*slots)(const double *value); // how many of them these hyperparameters need; NULL: none
    // Numbers that are the same for all parameters of a group in step k (from 1) at learning rate
    // lr (of `all` rows: at 1, since all() is told the rate itself); `run` is the group's own
    // memory for running products over steps, zero at first.
    void (*prepare)(const double *value, uint64_t k, double lr, double *run, double *coef);
    // State before the first step, where zero is not it; after prepare(). NULL: zero is.
    void (*begin)(const struct optim_span *s);
    void (*step)(const struct optim_span *s);
    void (*matrix)(const struct optim_span *s); // hidden weight matrices, whole; NULL: step()
    int scratch;                                // reals of memory matrix() needs per parameter
    // The whole update, for rows that look at all parameters at once (L-BFGS); NULL: by spans.
    bool (*all)(struct optimizer *o, double lr, double loss, const struct optim_closure *c,
                const struct exec *x, struct err *e);
    // What an `all` row keeps beside, at o->own.
    void (*keep)(struct optimizer *o, struct run_state *s);
    // The weights to evaluate and keep differ from those that are trained (schedule-free): from
    // trained ones to those, and back. NULL: they are the same.
    void (*swap_in)(const struct optim_span *s);
    void (*swap_out)(const struct optim_span *s);
    const char *(*misfit)(const double *value); // why the hyperparameters do not go together, as a
                                                // sentence; NULL: they do
};

extern const struct table optimizer_table;

// The row of a pick.
static inline const struct optim *pick_optim(const struct pick *p)
{
    return (const struct optim *)(const void *)p->row;
}

#define OPTIM(name) extern const struct optim optim_##name;
#include "engine/optim/optim.def"
