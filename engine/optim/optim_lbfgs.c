// SPDX-License-Identifier: MIT
// L-BFGS as torch.optim.LBFGS takes its steps: see optim.h.
//
// A group's rate factor f is a change of variables, p = √f q, under which steepest descent moves p
// by -f g: gradients and moves are both multiplied by √f, and 0 freezes exactly.

#include "engine/optim/optim_row.h"
#include "engine/optim/optim_wolfe.h"
#include "engine/optim/optimizer.h"

enum {
    LBFGS_LR,
    LBFGS_MAX_ITER,
    LBFGS_MAX_EVAL,
    LBFGS_HISTORY,
    LBFGS_TOLERANCE_GRAD,
    LBFGS_TOLERANCE_CHANGE,
    LBFGS_STRONG_WOLFE
};
enum { HISTORY_MAX = 100 };

struct lbfgs {
    uint64_t iterations;
    double t, diagonal;       // last step length; scale of the first inverse Hessian
    uint32_t first, n;        // ring of pairs
    double *rho;              // [history] 1 / yᵀs
    real *pair;               // [history][2][n] s, y
    real *direction, *before; // [n] d, gradient before the last iteration
    real *start, *search[2];  // [n] of a search
};

// Members of a structure that is not there are those of one on the stack: a sizing pass looks at
// none of them.
static void lbfgs_keep(struct optimizer *o, struct run_state *run)
{
    size_t history = (size_t)o->value[LBFGS_HISTORY];
    struct lbfgs none, *own;
    o->own = STATE_SCRATCH(run, "optimizer.lbfgs", own, 1);
    own = own ? own : &none;
    *own = (struct lbfgs){.iterations = 0};
    STATE_COUNT(run, "optimizer.iterations", &own->iterations, UINT64_MAX);
    STATE_NUMBER(run, "optimizer.t", &own->t);
    STATE_NUMBER(run, "optimizer.diagonal", &own->diagonal);
    STATE_COUNT(run, "optimizer.first", &own->first, history - 1);
    STATE_COUNT(run, "optimizer.pairs", &own->n, history);
    STATE_KEEP(run, "optimizer.rho", own->rho, history);
    STATE_KEEP(run, "optimizer.pair", own->pair, 2 * history * o->n);
    STATE_KEEP(run, "optimizer.direction", own->direction, o->n);
    STATE_KEEP(run, "optimizer.before", own->before, o->n);
    STATE_SCRATCH(run, "optimizer.start", own->start, o->n);
    STATE_SCRATCH(run, "optimizer.search.0", own->search[0], o->n);
    STATE_SCRATCH(run, "optimizer.search.1", own->search[1], o->n);
}

static void lbfgs_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)value;
    (void)k;
    (void)run;
    coef[C_ROOT] = sqrt(lr);
}

// One step's working set.
struct work {
    struct wolfe w;
    struct lbfgs *own;
    const double *value;
    double lr, loss, before; // rate, loss, loss before this iteration
    real *g;                 // gradient where we are
    int evals;
    bool converged; // its largest component is within the tolerance
};

// The i-th oldest pair.
static real *pair_s(const struct work *k, uint32_t i)
{
    uint32_t history = (uint32_t)k->value[LBFGS_HISTORY];
    return k->own->pair + 2 * (size_t)((k->own->first + i) % history) * k->w.o->n;
}

static real *pair_y(const struct work *k, uint32_t i)
{
    return pair_s(k, i) + k->w.o->n;
}

static double *pair_rho(const struct work *k, uint32_t i)
{
    return &k->own->rho[(k->own->first + i) % (uint32_t)k->value[LBFGS_HISTORY]];
}

static void lbfgs_look(struct work *k)
{
    k->converged = wolfe_largest(&k->w, k->g) <= k->value[LBFGS_TOLERANCE_GRAD];
}

// Keep s = t d and y = g - g before, unless the curvature along d is not positive; the oldest pair
// makes room.
static void remember(struct work *k)
{
    struct lbfgs *own = k->own;
    struct wolfe *w = &k->w;
    real *before = own->before;
    wolfe_combine(w, before, 1, k->g, -1, before); // y, until `before` is set anew
    double ys = wolfe_dot(w, before, w->direction) * own->t;
    if (!(ys > 1e-10))
        return;
    if (own->n == (uint32_t)k->value[LBFGS_HISTORY])
        own->first = (own->first + 1) % own->n;
    else
        own->n++;
    real *s = pair_s(k, own->n - 1), *y = pair_y(k, own->n - 1);
    wolfe_combine(w, s, own->t, w->direction, 0, w->direction);
    wolfe_combine(w, y, 1, before, 0, before);
    *pair_rho(k, own->n - 1) = 1 / ys;
    own->diagonal = ys / wolfe_dot(w, y, y);
}

// d = -H g by the two loops.
static void direct(struct work *k)
{
    struct wolfe *w = &k->w;
    double a[HISTORY_MAX];
    uint32_t n = k->own->n;
    wolfe_combine(w, w->direction, -1, k->g, 0, k->g);
    for (uint32_t i = n; i-- > 0;) {
        a[i] = wolfe_dot(w, pair_s(k, i), w->direction) * *pair_rho(k, i);
        wolfe_combine(w, w->direction, 1, w->direction, -a[i], pair_y(k, i));
    }
    wolfe_combine(w, w->direction, k->own->diagonal, w->direction, 0, w->direction);
    for (uint32_t i = 0; i < n; i++) {
        double b = wolfe_dot(w, pair_y(k, i), w->direction) * *pair_rho(k, i);
        wolfe_combine(w, w->direction, 1, w->direction, a[i] - b, pair_s(k, i));
    }
}

// The direction of this iteration and the first length to try.
static void aim(struct work *k)
{
    struct lbfgs *own = k->own;
    if (own->iterations++ == 0)
        own->diagonal = 1;
    else
        remember(k);
    direct(k);
    own->t = k->lr;
    if (own->iterations == 1) {
        double size = wolfe_size(&k->w, k->g);
        own->t *= size > 1 ? 1 / size : 1;
    }
    wolfe_combine(&k->w, own->before, 1, k->g, 0, k->g);
    k->before = k->loss;
}

static bool lbfgs_search(struct work *k, double slope)
{
    struct wolfe *w = &k->w;
    struct wolfe_point at = {.f = k->loss, .slope = slope, .g = k->own->before};
    int evals;
    if (!wolfe_search(w, &at, k->own->t, k->value[LBFGS_TOLERANCE_CHANGE], &evals))
        return false;
    wolfe_move(w, at.t);
    k->g = w->g[at.g == w->g[1]];
    if (at.g != k->g) // back where we were
        wolfe_combine(w, k->g, 1, at.g, 0, at.g);
    k->loss = at.f;
    k->own->t = at.t;
    k->evals += evals;
    lbfgs_look(k);
    return true;
}

// A step of the length tried first; the last one of all needs no look at where it led.
static bool lbfgs_stride(struct work *k, bool last)
{
    struct wolfe *w = &k->w;
    wolfe_move(w, k->own->t);
    if (last)
        return true;
    if (!w->closure->evaluate(w->closure->ctx, &k->loss, w->e))
        return false;
    wolfe_gradient(w, k->g);
    k->evals++;
    lbfgs_look(k);
    return true;
}

static bool is_done(struct work *k)
{
    double change = k->value[LBFGS_TOLERANCE_CHANGE], most = k->value[LBFGS_MAX_EVAL];
    if (most == 0)
        most = floor(k->value[LBFGS_MAX_ITER] * 5 / 4);
    return k->evals >= most || k->converged ||
           wolfe_largest(&k->w, k->w.direction) * k->own->t <= change ||
           fabs(k->loss - k->before) < change;
}

static bool iterate(struct work *k)
{
    int most = (int)k->value[LBFGS_MAX_ITER];
    for (int i = 1; i <= most; i++) {
        aim(k);
        double slope = wolfe_dot(&k->w, k->g, k->w.direction);
        if (slope > -k->value[LBFGS_TOLERANCE_CHANGE])
            return true;
        wolfe_begin(&k->w);
        if (!(k->value[LBFGS_STRONG_WOLFE] ? lbfgs_search(k, slope) : lbfgs_stride(k, i == most)))
            return false;
        if (i < most && is_done(k))
            return true;
    }
    return true;
}

static bool lbfgs_all(struct optimizer *o, double lr, double loss, const struct optim_closure *c,
                      const struct exec *x, struct err *e)
{
    struct lbfgs *own = o->own;
    struct work k = {.w = {.o = o,
                           .closure = c,
                           .x = x,
                           .e = e,
                           .direction = own->direction,
                           .start = own->start,
                           .g = {own->search[0], own->search[1]}},
                     .own = own,
                     .value = o->value,
                     .lr = lr,
                     .loss = loss,
                     .g = own->search[0],
                     .evals = 1};
    wolfe_gradient(&k.w, k.g);
    lbfgs_look(&k);
    return k.converged || lr == 0 || iterate(&k);
}

const struct optim optim_lbfgs = {
    .row = {.name = "lbfgs",
            .doc =
                "Limited-memory BFGS: several evaluations per step; for small tables in one batch.",
            .torch = "torch.optim.LBFGS",
            .hyper = {{.name = "lr",
                       .doc = "First step length that a line search tries.",
                       .def = {1},
                       .min = 0,
                       .max = 1e6},
                      {.name = "max_iter",
                       .doc = "Iterations per step.",
                       .type = HYPER_INT,
                       .def = {20},
                       .min = 1,
                       .max = 10000},
                      {.name = "max_eval",
                       .doc = "Evaluations of the loss per step; 0: 5/4 of max_iter.",
                       .type = HYPER_INT,
                       .min = 0,
                       .max = 10000},
                      {.name = "history_size",
                       .doc = "Steps remembered to estimate the curvature.",
                       .type = HYPER_INT,
                       .def = {10},
                       .min = 1,
                       .max = HISTORY_MAX},
                      {.name = "tolerance_grad",
                       .doc = "A step ends when no component of the gradient is larger.",
                       .def = {1e-7},
                       .min = 0,
                       .max = 1},
                      {.name = "tolerance_change",
                       .doc = "A step ends when the loss or the parameters change by less.",
                       .def = {1e-9},
                       .min = 0,
                       .max = 1},
                      {.name = "strong_wolfe",
                       .doc = "Line search until the strong Wolfe conditions hold.",
                       .type = HYPER_BOOL,
                       .def = {1},
                       .max = 1}}},
    .prepare = lbfgs_prepare,
    .all = lbfgs_all,
    .keep = lbfgs_keep,
};
