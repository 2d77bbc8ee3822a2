// SPDX-License-Identifier: MIT
#pragma once

// Optimizers: rows of optimizer_table, and the object that applies one to a flat array of
// parameters.
//
// A row's step() updates one span of parameters in one pass over parameters, gradients and state;
// gradient clipping comes in as a factor. Rows that need more than an elementwise pass have it in
// their own way: `matrix` rows get hidden weight matrices whole, `all` rows look at everything and
// evaluate the loss themselves. Formulas and defaults are PyTorch's. Used by the thread that trains
// (with its executor).
//
// Adding one is writing its row in an optim_*.c and its line in optim.def.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/exec.h"
#include "engine/model/model.h"
#include "engine/base/real.h"
#include "engine/base/row.h"

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
    int (*slots)(const double *value); // state values per parameter
    // Numbers that are the same for all parameters of a group in step k (from 1) at learning rate
    // lr; `run` is the group's own memory for running products over steps, zero at first.
    void (*prepare)(const double *value, uint64_t k, double lr, double *run, double *coef);
    // State before the first step, where zero is not it; after prepare(). NULL: zero is.
    void (*begin)(const struct optim_span *s);
    void (*step)(const struct optim_span *s);
    void (*matrix)(const struct optim_span *s); // hidden weight matrices, whole; NULL: step()
    int scratch;                                // reals of memory matrix() needs per parameter
    // The whole update, for rows that look at all parameters at once (L-BFGS); NULL: by spans.
    bool (*all)(struct optimizer *o, double lr, double loss, const struct optim_closure *c,
                const struct exec *x, struct err *e);
    size_t own; // bytes at o->own for `all` rows, zero at first
    // The weights to evaluate and keep differ from those that are trained (schedule-free): from
    // trained ones to those, and back. NULL: they are the same.
    void (*settle)(const struct optim_span *s);
    void (*unsettle)(const struct optim_span *s);
    const char *(*misfit)(const double *value); // why the knobs do not go together, as a sentence;
                                                // NULL: they do
};

#define OPTIM(name) extern const struct optim optim_##name;
#include "engine/optim/optim.def"

// Parameters of one param_group; the last is for those that no group matches.
struct optim_group {
    double lr; // factor
    double value[PICK_VALUES];
    double run[OPTIM_RUNS];
    real coef[OPTIM_COEFS];
};

struct optimizer {
    const struct optim *row;
    double value[PICK_VALUES]; // as picked
    real *param;
    const real *grad;
    size_t n;
    struct optim_group *group;
    size_t n_group; // the last one included
    struct optim_span *span;
    uint32_t n_span;
    double *partial;     // [n_span] one number a span, to be summed in order
    real *state;         // [slots][n]
    real *backup, *slow; // [n] for sam and lookahead; NULL: off
    double sam;          // length of the step uphill; 0: off
    uint64_t lookahead;  // steps from one pull to the next; 0: off
    real alpha;          // of lookahead
    void *own;           // memory of the row
    uint64_t k;          // steps taken
};

// What to optimize: `n` parameters and their gradients in flat arrays, and where each of the
// model's begins (for groups and matrices; without them, all are alike).
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

// Do the pick's knobs go together, and does every group match a trained parameter? ERR_INVALID
// naming "/optimizer/...", or "/param_groups/<i>/match".
bool optimizer_check(const struct pick *p, const struct model_param *param, size_t n,
                     const struct param_group *g, size_t n_group, struct err *e);

// State, zeroed, cut into spans whose size does not depend on threads. Fails like optimizer_check()
// and with ERR_TOO_LARGE past the arena. Pointers of the setup's arrays are kept, the groups are
// not.
bool optimizer_init(struct optimizer *o, const struct optim_setup *s, struct arena *a,
                    struct err *e);

// Reals of state that optimizer_init() will take for `n` parameters, at most: for estimates of
// memory.
double optimizer_memory(const struct pick *pick, size_t n);

// The rate the job asked for, before the schedule.
double optimizer_lr(const struct pick *pick);

// Does a step evaluate the closure? Else it may be NULL.
bool optimizer_evaluates(const struct pick *pick);

// Euclidean norm of the whole gradient; not finite when any gradient is not.
double optimizer_grad_norm(struct optimizer *o, const struct exec *x);

// One update at rate lr with every gradient multiplied by clip (an `all` row's are not: its line
// search bounds the step). The gradients are those of `loss` at the parameters as they stand; with
// a closure they are others afterwards. False only when the closure failed, with its error; a step
// that x's halt has cut short is the caller's to notice.
bool optimizer_step(struct optimizer *o, double lr, double loss, double clip,
                    const struct optim_closure *c, const struct exec *x, struct err *e);

// Put the weights to evaluate in place of the trained ones, and the trained ones back: the round
// trip is exact up to rounding. Not twice in a row.
void optimizer_settle(struct optimizer *o, const struct exec *x);
void optimizer_unsettle(struct optimizer *o, const struct exec *x);
