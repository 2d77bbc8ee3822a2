// SPDX-License-Identifier: MIT
#pragma once

// A loss with known gradients over the parameters of a small network, for tests of optimizers that
// look at more than one parameter at a time.

#include "engine/optim/optimizer.h"

enum { VALLEY_PARAMS = 6, VALLEY_N = 150 * 120 + 120 + 120 * 30 + 30 + 30 * 3 + 3 };

// A chain of Rosenbrock's valleys: Σ 5 (x[i+1] - x[i]²)² + (1 - x[i])², least at ones.
struct valley {
    struct arena arena;
    struct run_state state;
    struct optimizer optimizer;
    struct optim_closure closure; // evaluates the loss at `param`
    real param[VALLEY_N], grad[VALLEY_N];
    size_t n;
    int evals;
    int breaks_at; // evaluation that is not finite; 0: none
};

extern const struct model_param valley_param[VALLEY_PARAMS];

// All parameters, at a place that depends on their index only, and an optimizer for them.
void valley_begin(struct valley *v, const struct pick *p, const struct param_group *g,
                  size_t n_group);

// The same for the first n only, without names.
void valley_begin_plain(struct valley *v, const struct pick *p, size_t n);

// Evaluate and take `steps` steps at lr times the pick's rate. Returns the loss afterwards.
double valley_walk(struct valley *v, int steps, double lr, const struct exec *x);

void valley_end(struct valley *v);

// The optimizer called `name` at its defaults, with one hyperparameter set (NULL: none).
struct pick valley_pick(const char *name, const char *hyper, double value);
void valley_set(struct pick *p, const char *hyper, double value);
