// SPDX-License-Identifier: MIT
#pragma once

// A line search for the strong Wolfe conditions (torch.optim's, after minFunc), and the vector
// arithmetic that it shares with L-BFGS: over the optimizer's spans, sums in their order and in
// double, so that results do not depend on threads.
//
// Vectors are arrays of o->n reals. Gradients and directions are in the scaled variables of
// optim_lbfgs.c: parameters are √f times them.

#include "engine/optim/optimizer.h"

enum { C_ROOT }; // the coefficient of L-BFGS: √f

struct wolfe {
    struct optimizer *o;
    const struct optim_closure *closure;
    const struct exec *x;
    struct err *e;
    real *direction;
    real *start; // parameters where it starts
    real *g[2];  // memory for the gradients of two points
};

// A point at length t along the direction: loss, slope along it, gradient.
struct wolfe_point {
    double t, f, slope;
    real *g;
};

// From the point at t = 0 to one that satisfies the conditions or is the best found, trying t
// first. Its gradient is one of w->g or what `at` came with. Parameters are left anywhere:
// wolfe_move() puts them there. A loss that is not finite counts as infinitely large; false for any
// other failure of the closure.
bool wolfe_search(struct wolfe *w, struct wolfe_point *at, double t, double tolerance, int *evals);

void wolfe_begin(struct wolfe *w);              // start = the parameters
void wolfe_move(struct wolfe *w, double t);     // the parameters = start + t direction
void wolfe_gradient(struct wolfe *w, real *to); // the optimizer's gradient, scaled
double wolfe_dot(struct wolfe *w, const real *a, const real *b);
double wolfe_size(struct wolfe *w, const real *a);    // Σ |a|
double wolfe_largest(struct wolfe *w, const real *a); // max |a|

// to = f a + g b; `to` may be either.
void wolfe_combine(struct wolfe *w, real *to, double f, const real *a, double g, const real *b);
