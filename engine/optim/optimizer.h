// SPDX-License-Identifier: MIT
#pragma once

// An optimizer at work: the row that a job has picked, with its state, over the flat arrays of
// parameters and gradients. Used by the thread that trains, with its executor.

#include "engine/model/model.h"
#include "engine/optim/optim.h"

// Parameters whose name matches the pattern (`*` stands for anything) learn at another rate. The
// first group that matches counts.
struct param_group {
    const char *match;       // "*.bias", "layers.0.*"
    double lr, weight_decay; // factors for the optimizer's
};

// Parameters of one param_group; the last is for those that no group matches.
struct optim_group {
    double lr; // factor
    double value[PICK_VALUES];
    double *run; // [OPTIM_RUNS]
    real *coef;  // [OPTIM_COEFS]
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
    double *partial;          // [n_span] one number a span, to be summed in order
    double *run;              // [n_group][OPTIM_RUNS]
    real *coef;               // [n_group][OPTIM_COEFS] of the last step
    real *state[OPTIM_SLOTS]; // [n] each; NULL past the row's slots
    real *backup, *slow;      // [n] for sam and lookahead; NULL: off
    double sam;               // length of the step uphill; 0: off
    uint64_t lookahead;       // steps from one pull to the next; 0: off
    real alpha;               // of lookahead
    void *own;                // memory of the row
    uint64_t k;               // steps taken
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

// Do the pick's hyperparameters go together, and does every group match a trained parameter?
// ERR_INVALID naming "/optimizer/...", or "/param_groups/<i>/match".
bool optimizer_check(const struct pick *p, const struct model_param *param, size_t n,
                     const struct param_group *g, size_t n_group, struct err *e);

// State, zeroed, cut into spans whose size does not depend on threads; "optimizer...." of the run.
// Fails like optimizer_check() and with ERR_TOO_LARGE past the arena. Pointers of the setup's
// arrays are kept, the groups are not.
bool optimizer_init(struct optimizer *o, const struct optim_setup *s, struct run_state *run,
                    struct err *e);

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
void optimizer_swap_in(struct optimizer *o, const struct exec *x);
void optimizer_swap_out(struct optimizer *o, const struct exec *x);
