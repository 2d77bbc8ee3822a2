// SPDX-License-Identifier: MIT
// Ops of training alone that draw at random: dropout, alpha dropout, noise. What a cell draws is a
// hash of pass, node and cell, so nothing is kept for backward. Prediction graphs leave them out.
//
// Each is two inline functions of a cell's coin or draw: its value, and the factor of its gradient.

#include "engine/base/rng.h"
#include "engine/base/vmath.h"
#include "engine/nn/op.h"

static uint64_t noise_draw_key(const struct step *s)
{
    return rng_key(*s->key, RNG_DROPOUT, s->node, 0);
}

static uint32_t threshold_of(double p)
{
    return (uint32_t)(p * 0x1p32);
}

// y = scale x + shift where the coin keeps the cell, else `silent`: dropout and alpha dropout.
struct coin {
    uint64_t key;
    uint32_t threshold;
    real scale, shift, silent;
};

INLINE void coin_forward(const struct step *s, struct tile t, struct coin c)
{
    uint32_t cols = s->out.cols;
    for (uint32_t r = t.r0; r < t.r1; r++) {
        const real *x = s->in[0].v + (size_t)r * cols;
        real *y = s->out.v + (size_t)r * cols;
        LANES for (uint32_t i = t.c0; i < t.c1; i++) y[i] =
            rng_u32(c.key, r * cols + i) < c.threshold ? c.silent : c.scale * x[i] + c.shift;
    }
}

INLINE void coin_backward(const struct step *s, struct tile t, struct coin c)
{
    uint32_t cols = s->out.cols;
    for (uint32_t r = t.r0; r < t.r1; r++) {
        const real *dy = s->out.d + (size_t)r * cols;
        real *dx = s->in[0].d + (size_t)r * cols;
        if (s->add[0])
            LANES for (uint32_t i = t.c0; i < t.c1; i++) dx[i] +=
                dy[i] * (rng_u32(c.key, r * cols + i) < c.threshold ? 0 : c.scale);
        else
            LANES for (uint32_t i = t.c0; i < t.c1; i++) dx[i] =
                dy[i] * (rng_u32(c.key, r * cols + i) < c.threshold ? 0 : c.scale);
    }
}

// y = x / (1 - p) with chance 1 - p, else 0 (inverted dropout)
static struct coin dropout_coin(const struct step *s)
{
    double p = s->value[0];
    return (struct coin){noise_draw_key(s), threshold_of(p), (real)(1 / (1 - p)), 0, 0};
}

KERNEL static void dropout_forward(const struct step *s, struct tile t)
{
    coin_forward(s, t, dropout_coin(s));
}

KERNEL static void dropout_backward(const struct step *s, struct tile t)
{
    coin_backward(s, t, dropout_coin(s));
}

#define CHANCE                                                                                     \
    {                                                                                              \
        .name = "p", .doc = "Probability that a unit is dropped.", .def = {.5}, .min = 0,          \
        .max = .95                                                                                 \
    }

const struct op op_dropout = {
    .row = {.name = "dropout",
            .doc = "Drops units at random in training and scales the others up.",
            .torch = "torch.nn.Dropout",
            .no_fixture = "random; its mean and its derivative are tested",
            .hyper = {CHANCE}},
    .arity = 1,
    .train_only = true,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};

// Klambauer et al. 2017: silenced cells take α' = -λα, selu's lowest value, and a affine map
// brings mean 0 and variance 1 back: a = ((1 - p)(1 + p α'^2))^-1/2, b = -a p α'
static struct coin alpha_coin(const struct step *s)
{
    const double low = -1.0507009873554805 * 1.6732632423543772;
    double p = s->value[0], a = 1 / sqrt((1 - p) * (1 + p * low * low)), b = -a * p * low;
    return (struct coin){noise_draw_key(s), threshold_of(p), (real)a, (real)b, (real)(a * low + b)};
}

KERNEL static void alpha_dropout_forward(const struct step *s, struct tile t)
{
    coin_forward(s, t, alpha_coin(s));
}

KERNEL static void alpha_dropout_backward(const struct step *s, struct tile t)
{
    coin_backward(s, t, alpha_coin(s));
}

const struct op op_alpha_dropout = {
    .row = {.name = "alpha_dropout",
            .doc = "Dropout that keeps mean and variance of units with selu.",
            .torch = "torch.nn.AlphaDropout",
            .no_fixture = "random; its mean, its variance and its derivative are tested",
            .hyper = {CHANCE}},
    .arity = 1,
    .train_only = true,
    .forward = alpha_dropout_forward,
    .backward = alpha_dropout_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};

// y = x + σ n,  n ~ N(0, 1)
static void noise_forward(const struct step *s, struct tile t)
{
    uint64_t key = noise_draw_key(s);
    uint32_t cols = s->out.cols;
    for (uint32_t r = t.r0; r < t.r1; r++)
        for (uint32_t c = t.c0; c < t.c1; c++) {
            size_t i = (size_t)r * cols + c;
            s->out.v[i] = s->in[0].v[i] + (real)(s->value[0] * rng_normal(key, i));
        }
}

KERNEL static void noise_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t i = r * cols + t.c0; i < r * cols + t.c1; i++) s->in[0].d[i] =
            (s->add[0] ? s->in[0].d[i] : 0) + s->out.d[i];
}

const struct op op_noise = {
    .row = {.name = "noise",
            .doc = "Adds Gaussian noise in training.",
            .no_fixture = "random; its mean, its deviation and its derivative are tested",
            .hyper = {{.name = "std",
                       .doc = "Standard deviation of the noise.",
                       .def = {.1},
                       .min = 0,
                       .max = 1000}}},
    .arity = 1,
    .train_only = true,
    .forward = noise_forward,
    .backward = noise_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};
