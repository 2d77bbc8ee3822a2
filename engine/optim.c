// SPDX-License-Identifier: MIT
// Optimizer rows and their application to spans of the flat arrays: see optim.h.

#include "optim.h"

#include "sum.h"
#include "tables.h"
#include "vmath.h"

enum {
    SPAN = 16384
}; // parameters a tile: 64 KiB each of values, gradients and state slots stay in the second-level
   // cache

#define LR(rate)                                                                                   \
    {                                                                                              \
        .name = "lr", .doc = "Learning rate before the schedule scales it.", .def = {rate},        \
        .min = 0, .max = 1e6                                                                       \
    }

// g' = g + λ p;  v = μ v + g';  p -= lr (nesterov ? g' + μ v : v)
enum { SGD_LR, SGD_MOMENTUM, SGD_NESTEROV, SGD_DECAY };

static void sgd_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)k;
    (void)run;
    coef[0] = lr;
    coef[1] = value[SGD_MOMENTUM];
    coef[2] = value[SGD_NESTEROV] ? value[SGD_MOMENTUM] : 1;
    coef[3] = value[SGD_NESTEROV] ? 1 : 0;
    coef[4] = value[SGD_DECAY];
}

KERNEL static void sgd_step(const struct optim_span *s)
{
    const real lr = s->coef[0], mu = s->coef[1], of_v = s->coef[2], of_g = s->coef[3],
               decay = s->coef[4];
    real *p = s->p, *v = s->state[0];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip + decay * p[i];
        v[i] = mu * v[i] + d;
        p[i] -= lr * (of_g * d + of_v * v[i]);
    }
}

static const struct optim sgd = {
    .row = {.name = "sgd",
            .doc = "Stochastic gradient descent, with momentum on request.",
            .knob = {LR(.01),
                     {.name = "momentum",
                      .doc = "Share of the last update that is kept.",
                      .def = {0},
                      .min = 0,
                      .max = .9999},
                     {.name = "nesterov",
                      .doc = "Look ahead along the momentum.",
                      .type = KNOB_BOOL,
                      .max = 1},
                     {.name = "weight_decay",
                      .doc = "L2 penalty, added to the gradient.",
                      .def = {0},
                      .min = 0,
                      .max = 10}}},
    .slots = 1,
    .prepare = sgd_prepare,
    .step = sgd_step,
};

// m = β1 m + (1-β1) g;  v = β2 v + (1-β2) g²;  p -= lr m/(1-β1^k) / (√(v/(1-β2^k)) + ε)
enum { ADAM_LR, ADAM_BETA1, ADAM_BETA2, ADAM_EPS, ADAM_DECAY };
#define ADAM_KNOBS(decay, how)                                                                     \
    LR(1e-3),                                                                                      \
        {.name = "betas",                                                                          \
         .doc = "Decay of the averages of gradient and squared gradient.",                         \
         .count = 2,                                                                               \
         .def = {.9, .999},                                                                        \
         .min = 0,                                                                                 \
         .max = .999999},                                                                          \
        {.name = "eps",                                                                            \
         .doc = "Added to the denominator.",                                                       \
         .def = {1e-8},                                                                            \
         .min = 1e-30,                                                                             \
         .max = 1},                                                                                \
    {                                                                                              \
        .name = "weight_decay", .doc = how, .def = {decay}, .min = 0, .max = 10                    \
    }

static void adam_coefs(const double *value, uint64_t k, double lr, double *coef)
{
    coef[0] = lr / (1 - pow(value[ADAM_BETA1], (double)k));
    coef[1] = value[ADAM_BETA1];
    coef[2] = 1 - value[ADAM_BETA1];
    coef[3] = value[ADAM_BETA2];
    coef[4] = 1 - value[ADAM_BETA2];
    coef[5] = 1 / sqrt(1 - pow(value[ADAM_BETA2], (double)k));
    coef[6] = value[ADAM_EPS];
}

static void adam_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    adam_coefs(value, k, lr, coef);
    coef[7] = value[ADAM_DECAY];
}

static void adamw_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    adam_coefs(value, k, lr, coef);
    coef[7] = 1 - lr * value[ADAM_DECAY];
}

// The common part: one parameter's update for the gradient g.
INLINE real adam_move(real g, real *m, real *v, const real *c)
{
    *m = c[1] * *m + c[2] * g;
    *v = c[3] * *v + c[4] * g * g;
    return c[0] * *m / (sqrt(*v) * c[5] + c[6]);
}

KERNEL static void adam_step(const struct optim_span *s)
{
    real *p = s->p, *m = s->state[0], *v = s->state[1];
    const real *g = s->g, clip = s->clip;
    real c[OPTIM_COEFS];
    for (int i = 0; i < OPTIM_COEFS; i++)
        c[i] = s->coef[i];
    LANES for (size_t i = 0; i < s->n; i++) p[i] -=
        adam_move(g[i] * clip + c[7] * p[i], &m[i], &v[i], c);
}

static const struct optim adam = {
    .row = {.name = "adam",
            .doc = "Adam; weight decay as an L2 penalty.",
            .knob = {ADAM_KNOBS(0, "L2 penalty, added to the gradient.")}},
    .slots = 2,
    .prepare = adam_prepare,
    .step = adam_step,
};

// Adam, with p *= 1 - lr λ in front
KERNEL static void adamw_step(const struct optim_span *s)
{
    real *p = s->p, *m = s->state[0], *v = s->state[1];
    const real *g = s->g, clip = s->clip;
    real c[OPTIM_COEFS];
    for (int i = 0; i < OPTIM_COEFS; i++)
        c[i] = s->coef[i];
    LANES for (size_t i = 0; i < s->n; i++) p[i] =
        p[i] * c[7] - adam_move(g[i] * clip, &m[i], &v[i], c);
}

static const struct optim adamw = {
    .row = {.name = "adamw",
            .doc = "Adam with weight decay apart from the gradient.",
            .knob = {ADAM_KNOBS(.01, "Share of every weight removed per unit of learning rate.")}},
    .slots = 2,
    .prepare = adamw_prepare,
    .step = adamw_step,
};

bool optimizer_init(struct optimizer *o, const struct optim_setup *s, struct arena *a,
                    struct err *e)
{
    size_t n = s->n;
    *o = (struct optimizer){.row = (const struct optim *)(const void *)s->pick->row};
    o->n_span = (uint32_t)((n + SPAN - 1) / SPAN);
    for (int i = 0; i < PICK_VALUES; i++)
        o->value[i] = s->pick->value[i];
    o->span = arena_alloc(a, o->n_span, sizeof *o->span);
    o->partial = arena_alloc(a, o->n_span, sizeof *o->partial);
    real *state = arena_zalloc(a, n * (size_t)o->row->slots, sizeof *state);
    if (!o->span || !o->partial || !state)
        return fail(e, ERR_TOO_LARGE,
                    "the optimizer's state needs more memory than a job may use; use fewer units");
    for (uint32_t i = 0; i < o->n_span; i++) {
        size_t at = (size_t)i * SPAN;
        o->span[i] = (struct optim_span){.p = s->param + at,
                                         .g = s->grad + at,
                                         .n = n - at < SPAN ? n - at : SPAN,
                                         .coef = o->coef};
        for (int slot = 0; slot < o->row->slots; slot++)
            o->span[i].state[slot] = state + (size_t)slot * n + at;
    }
    return true;
}

double optimizer_memory(const struct pick *pick, size_t n)
{
    const struct optim *o = (const struct optim *)(const void *)pick->row;
    return (double)n * o->slots;
}

double optimizer_lr(const struct pick *pick)
{
    return pick_value(&optimizer_table, pick, "lr");
}

static void norm_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    const struct optim_span *s = &o->span[i];
    o->partial[i] = sum_squares(s->g, s->n);
}

double optimizer_grad_norm(struct optimizer *o, const struct exec *x)
{
    exec_run(x, o->n_span, norm_span, o);
    double sum = 0;
    for (uint32_t i = 0; i < o->n_span; i++)
        sum += o->partial[i];
    return sqrt(sum);
}

static void step_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    o->row->step(&o->span[i]);
}

bool optimizer_step(struct optimizer *o, double lr, double loss, double clip,
                    const struct optim_closure *c, const struct exec *x, struct err *e)
{
    (void)loss;
    (void)c;
    (void)e;
    double coef[OPTIM_COEFS] = {0};
    o->row->prepare(o->value, ++o->k, lr, o->run, coef);
    for (int i = 0; i < OPTIM_COEFS; i++)
        o->coef[i] = (real)coef[i];
    for (uint32_t i = 0; i < o->n_span; i++)
        o->span[i].clip = (real)clip;
    exec_run(x, o->n_span, step_span, o);
    return true;
}

void optimizer_settle(struct optimizer *o, const struct exec *x)
{
    (void)o;
    (void)x;
}

void optimizer_unsettle(struct optimizer *o, const struct exec *x)
{
    (void)o;
    (void)x;
}

static const struct row *const optimizer_row[] = {&adamw.row, &adam.row, &sgd.row};
const struct table optimizer_table = {
    "optimizer", optimizer_row, sizeof optimizer_row / sizeof *optimizer_row, {{0}}};
