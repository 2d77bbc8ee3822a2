// SPDX-License-Identifier: MIT
// Gradient descent and the rows that scale it by what they have seen of each gradient: see optim.h.
// State is kept only where a hyperparameter asks for it: plain descent has none, momentum one
// number a parameter. Formulas and defaults are PyTorch's.

#include "engine/optim/optim_row.h"

// Coefficients of all rows in this file; each uses some.
enum {
    C_RATE,
    C_DECAY,
    C_EPS,
    C_MOMENTUM,
    C_MEMORY, // share of an average that is kept: ρ, α
    C_NEW,    // share of what is new in it
    C_CENTERED,
    C_START,
    C_OF_AVERAGE, // what a step takes of v,
    C_OF_GRADIENT // and of g'
};

// g' = g + λ p;  v = μ v + (1-τ) g', in the first step v = g';  p -= lr (nesterov ? g' + μ v : v)
enum { SGD_LR, SGD_MOMENTUM, SGD_NESTEROV, SGD_DECAY, SGD_DAMPENING };

static int sgd_slots(const double *value)
{
    return value[SGD_MOMENTUM] > 0;
}

static void sgd_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    coef[C_RATE] = lr;
    coef[C_MOMENTUM] = value[SGD_MOMENTUM];
    coef[C_OF_AVERAGE] = value[SGD_NESTEROV] ? value[SGD_MOMENTUM] : 1;
    coef[C_OF_GRADIENT] = value[SGD_NESTEROV] ? 1 : 0;
    coef[C_DECAY] = value[SGD_DECAY];
    coef[C_NEW] = k > 1 ? 1 - value[SGD_DAMPENING] : 1;
}

KERNEL static void sgd_plain(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p;
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++) p[i] -= c[C_RATE] * (g[i] * clip + c[C_DECAY] * p[i]);
}

KERNEL static void sgd_momentum(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p, *v = s->state[0];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip + c[C_DECAY] * p[i];
        v[i] = c[C_MOMENTUM] * v[i] + c[C_NEW] * d;
        p[i] -= c[C_RATE] * (c[C_OF_GRADIENT] * d + c[C_OF_AVERAGE] * v[i]);
    }
}

static void sgd_step(const struct optim_span *s)
{
    (s->state[0] ? sgd_momentum : sgd_plain)(s);
}

static const char *sgd_misfit(const double *value)
{
    if (value[SGD_NESTEROV] && value[SGD_DAMPENING] > 0)
        return "nesterov goes without dampening; set one of them to its default";
    return value[SGD_NESTEROV] && value[SGD_MOMENTUM] <= 0
               ? "nesterov looks ahead along the momentum: set momentum too, such as .9"
               : NULL;
}

const struct optim optim_sgd = {
    .row =
        {.name = "sgd",
         .doc = "Stochastic gradient descent, with optional momentum.",
         .torch = "torch.optim.SGD",
         .hyper = {HYPER_LR(.01),
                   HYPER_MOMENTUM(0),
                   {.name = "nesterov", .doc = "Nesterov momentum.", .type = HYPER_BOOL, .max = 1},
                   HYPER_L2,
                   {.name = "dampening",
                    .doc = "Share of the gradient that is not added to the momentum.",
                    .min = 0,
                    .max = 1}}},
    .slot = {"optimizer.momentum_buffer"},
    .slots = sgd_slots,
    .prepare = sgd_prepare,
    .step = sgd_step,
    .misfit = sgd_misfit,
};

// s += g'²;  p -= lr/(1 + (k-1) η) g'/(√s + ε)
enum { ADAGRAD_LR, ADAGRAD_LR_DECAY, ADAGRAD_EPS, ADAGRAD_DECAY, ADAGRAD_START };

static void adagrad_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    coef[C_RATE] = lr / (1 + (double)(k - 1) * value[ADAGRAD_LR_DECAY]);
    coef[C_EPS] = value[ADAGRAD_EPS];
    coef[C_DECAY] = value[ADAGRAD_DECAY];
    coef[C_START] = value[ADAGRAD_START];
}

static void adagrad_begin(const struct optim_span *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->state[0][i] = s->coef[C_START];
}

KERNEL static void adagrad_step(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p, *sum = s->state[0];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip + c[C_DECAY] * p[i];
        sum[i] += d * d;
        p[i] -= c[C_RATE] * d / (sqrt(sum[i]) + c[C_EPS]);
    }
}

const struct optim optim_adagrad = {
    .row = {.name = "adagrad",
            .doc = "Divides each gradient by the root of the sum of its squares so far.",
            .torch = "torch.optim.Adagrad",
            .hyper = {HYPER_LR(.01),
                      {.name = "lr_decay",
                       .doc = "Step k uses lr / (1 + (k - 1) lr_decay).",
                       .min = 0,
                       .max = 1e3},
                      HYPER_EPS(1e-10),
                      HYPER_L2,
                      {.name = "initial_accumulator_value",
                       .doc = "Initial value of the sum of squares.",
                       .min = 0,
                       .max = 1e6}}},
    .slot = {"optimizer.sum"},
    .slots = slots_1,
    .prepare = adagrad_prepare,
    .begin = adagrad_begin,
    .step = adagrad_step,
};

// s = ρ s + (1-ρ) g'²;  Δ = g' √(u+ε)/√(s+ε);  u = ρ u + (1-ρ) Δ²;  p -= lr Δ
enum { ADADELTA_LR, ADADELTA_RHO, ADADELTA_EPS, ADADELTA_DECAY };

static void adadelta_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)k;
    (void)run;
    coef[C_RATE] = lr;
    coef[C_MEMORY] = value[ADADELTA_RHO];
    coef[C_NEW] = 1 - value[ADADELTA_RHO];
    coef[C_EPS] = value[ADADELTA_EPS];
    coef[C_DECAY] = value[ADADELTA_DECAY];
}

KERNEL static void adadelta_step(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p, *square = s->state[0], *moved = s->state[1];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip + c[C_DECAY] * p[i];
        square[i] = c[C_MEMORY] * square[i] + c[C_NEW] * d * d;
        d *= sqrt(moved[i] + c[C_EPS]) / sqrt(square[i] + c[C_EPS]);
        moved[i] = c[C_MEMORY] * moved[i] + c[C_NEW] * d * d;
        p[i] -= c[C_RATE] * d;
    }
}

const struct optim optim_adadelta = {
    .row = {.name = "adadelta",
            .doc =
                "Scales each gradient by the size of past updates; needs no tuned learning rate.",
            .torch = "torch.optim.Adadelta",
            .hyper = {HYPER_LR(1),
                      {.name = "rho",
                       .doc = "Decay rate of the averages of squares.",
                       .def = {.9},
                       .min = 0,
                       .max = .999999},
                      HYPER_EPS(1e-6),
                      HYPER_L2}},
    .slot = {"optimizer.square_avg", "optimizer.acc_delta"},
    .slots = slots_2,
    .prepare = adadelta_prepare,
    .step = adadelta_step,
};

// v = α v + (1-α) g'²;  centered: a = α a + (1-α) g', d = √(v - a²), else d = √v;
// u = g'/(d + ε);  momentum: b = μ b + u, p -= lr b, else p -= lr u
enum { RMSPROP_LR, RMSPROP_ALPHA, RMSPROP_EPS, RMSPROP_MOMENTUM, RMSPROP_CENTERED, RMSPROP_DECAY };

static int rmsprop_slots(const double *value)
{
    return value[RMSPROP_MOMENTUM] > 0 ? 3 : value[RMSPROP_CENTERED] ? 2 : 1;
}

static void rmsprop_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)k;
    (void)run;
    coef[C_RATE] = lr;
    coef[C_MEMORY] = value[RMSPROP_ALPHA];
    coef[C_NEW] = 1 - value[RMSPROP_ALPHA];
    coef[C_EPS] = value[RMSPROP_EPS];
    coef[C_DECAY] = value[RMSPROP_DECAY];
    coef[C_MOMENTUM] = value[RMSPROP_MOMENTUM];
    coef[C_CENTERED] = value[RMSPROP_CENTERED];
}

INLINE void rmsprop_body(const struct optim_span *s, bool centered, bool momentum)
{
    COEFS(c, s);
    real *p = s->p, *v = s->state[0], *a = s->state[1], *b = s->state[2];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip + c[C_DECAY] * p[i];
        real square = v[i] = c[C_MEMORY] * v[i] + c[C_NEW] * d * d;
        if (centered) {
            a[i] = c[C_MEMORY] * a[i] + c[C_NEW] * d;
            square -= a[i] * a[i];
            square = square > 0 ? square : 0; // a variance, but for rounding
        }
        d /= sqrt(square) + c[C_EPS];
        if (momentum)
            d = b[i] = c[C_MOMENTUM] * b[i] + d;
        p[i] -= c[C_RATE] * d;
    }
}

KERNEL static void rmsprop_step(const struct optim_span *s)
{
    bool centered = s->coef[C_CENTERED] != 0, momentum = s->state[2];
    if (centered)
        momentum ? rmsprop_body(s, true, true) : rmsprop_body(s, true, false);
    else
        momentum ? rmsprop_body(s, false, true) : rmsprop_body(s, false, false);
}

const struct optim optim_rmsprop = {
    .row = {.name = "rmsprop",
            .doc = "Divides each gradient by the root of the average of its squares.",
            .torch = "torch.optim.RMSprop",
            .hyper = {HYPER_LR(.01),
                      {.name = "alpha",
                       .doc = "Decay rate of the average of squares.",
                       .def = {.99},
                       .min = 0,
                       .max = .999999},
                      HYPER_EPS(1e-8),
                      HYPER_MOMENTUM(0),
                      {.name = "centered",
                       .doc = "Divide by the gradient's standard deviation instead of its RMS.",
                       .type = HYPER_BOOL,
                       .max = 1},
                      HYPER_L2}},
    .slot = {"optimizer.square_avg", "optimizer.grad_avg", "optimizer.momentum_buffer"},
    .slots = rmsprop_slots,
    .prepare = rmsprop_prepare,
    .step = rmsprop_step,
};
