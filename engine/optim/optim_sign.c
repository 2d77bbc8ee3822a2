// SPDX-License-Identifier: MIT
// Rows that look at the signs of gradients only: see optim.h. They are indifferent to a gradient's
// length, so clipping it changes nothing but what momentum remembers. The sign of 0 is 0: a
// parameter without a gradient stays.

#include "engine/optim/optim_row.h"

INLINE real sign_of(real x)
{
    return (real)(x > 0) - (real)(x < 0);
}

// c = β1 m + (1-β1) g;  p -= lr (λ p + sign c);  m = β2 m + (1-β2) g
enum { LION_LR, LION_BETA1, LION_BETA2, LION_DECAY };
// Coefficients; NEW = 1-β, KEEP = 1 - lr λ.
enum { C_RATE, C_BETA1, C_NEW1, C_BETA2, C_NEW2, C_KEEP };

static void lion_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)k;
    (void)run;
    coef[C_RATE] = lr;
    coef[C_BETA1] = value[LION_BETA1];
    coef[C_NEW1] = 1 - value[LION_BETA1];
    coef[C_BETA2] = value[LION_BETA2];
    coef[C_NEW2] = 1 - value[LION_BETA2];
    coef[C_KEEP] = 1 - lr * value[LION_DECAY];
}

KERNEL static void lion_step(const struct optim_span *s)
{
    COEFS(c, s);
    real *p = s->p, *m = s->state[0];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip;
        p[i] = p[i] * c[C_KEEP] - c[C_RATE] * sign_of(c[C_BETA1] * m[i] + c[C_NEW1] * d);
        m[i] = c[C_BETA2] * m[i] + c[C_NEW2] * d;
    }
}

const struct optim optim_lion = {
    .row = {.name = "lion",
            .doc = "Equal steps in the direction of the averaged gradient's sign.",
            .hyper = {HYPER_LR(1e-4),
                      {.name = "betas",
                       .doc = "Weight of the average in the update, and decay rate of the average.",
                       .count = 2,
                       .def = {.9, .99},
                       .min = 0,
                       .max = .999999},
                      HYPER_DECAY(0)}},
    .slot = {"optimizer.exp_avg"},
    .slots = slots_1,
    .prepare = lion_prepare,
    .step = lion_step,
};

// σ = sign(g) sign(g of the last step);  s = clamp(s (σ > 0 ? η+ : σ < 0 ? η- : 1));
// σ < 0: g = 0;  p -= sign(g) s. PyTorch takes the rate as the first s only; here what a schedule
// or a group makes of it scales every step.
enum { RPROP_LR, RPROP_ETA_MINUS, RPROP_ETA_PLUS, RPROP_LEAST, RPROP_MOST };
enum { C_FACTOR, C_FIRST, C_ETA_MINUS, C_ETA_PLUS, C_LEAST, C_MOST }; // coefficients

static void rprop_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)k;
    (void)run;
    coef[C_FACTOR] = value[RPROP_LR] > 0 ? lr / value[RPROP_LR] : 0;
    coef[C_FIRST] = value[RPROP_LR];
    coef[C_ETA_MINUS] = value[RPROP_ETA_MINUS];
    coef[C_ETA_PLUS] = value[RPROP_ETA_PLUS];
    coef[C_LEAST] = value[RPROP_LEAST];
    coef[C_MOST] = value[RPROP_MOST];
}

static void rprop_begin(const struct optim_span *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->state[1][i] = s->coef[C_FIRST];
}

KERNEL static void rprop_step(const struct optim_span *s)
{
    COEFS(c, s);
    const real minus = c[C_ETA_MINUS], plus = c[C_ETA_PLUS], least = c[C_LEAST], most = c[C_MOST];
    real *p = s->p, *last = s->state[0], *size = s->state[1];
    const real *g = s->g;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real sign = sign_of(g[i]), turn = sign * last[i];
        real to = size[i] * (turn > 0 ? plus : turn < 0 ? minus : 1);
        to = to < least ? least : to;
        size[i] = to > most ? most : to;
        last[i] = turn < 0 ? 0 : sign;
        p[i] -= c[C_FACTOR] * last[i] * size[i];
    }
}

static const char *rprop_misfit(const double *value)
{
    if (value[RPROP_ETA_MINUS] >= 1 || value[RPROP_ETA_PLUS] <= 1)
        return "etas are a factor below 1 and one above it, such as [0.5, 1.2]";
    return value[RPROP_LEAST] > value[RPROP_MOST] ? "step_sizes are the smallest, then the largest"
                                                  : NULL;
}

const struct optim optim_rprop = {
    .row = {.name = "rprop",
            .doc = "Step sizes that grow while a gradient keeps its sign and shrink when it "
                   "changes; for full-batch training.",
            .torch = "torch.optim.Rprop",
            .hyper = {{.name = "lr",
                       .doc = "Initial step size; the schedule's factor applies to later ones.",
                       .def = {.01},
                       .min = 0,
                       .max = 1e6},
                      {.name = "etas",
                       .doc = "Factors of the step size when the sign changes and when it stays.",
                       .count = 2,
                       .def = {.5, 1.2},
                       .min = 1e-3,
                       .max = 100},
                      {.name = "step_sizes",
                       .doc = "Smallest and largest step size.",
                       .count = 2,
                       .def = {1e-6, 50},
                       .min = 0,
                       .max = 1e6}}},
    .slot = {"optimizer.prev", "optimizer.step_size"},
    .slots = slots_2,
    .prepare = rprop_prepare,
    .begin = rprop_begin,
    .step = rprop_step,
    .misfit = rprop_misfit,
};
