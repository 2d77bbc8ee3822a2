// SPDX-License-Identifier: MIT
// Leaky ReLUs whose slope below zero is not a hyperparameter: trained, one a unit (prelu), or drawn
// at random (rrelu).

#include "engine/nn/ops_cell.h"

#include "engine/base/rng.h"

#include <string.h>

enum { X, WEIGHT }; // inputs

// y = x where x > 0, w x elsewhere
KERNEL static void prelu_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    const real *x = s->in[X].v, *weight = s->in[WEIGHT].v;
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++) s->out.v[r * cols + c] =
            x[r * cols + c] > 0 ? x[r * cols + c] : weight[c] * x[r * cols + c];
}

// dw = Σ_rows dy min(x, 0)
KERNEL static void prelu_weight_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    const real *x = s->in[X].v, *dy = s->out.d;
    real *dw = s->in[WEIGHT].d;
    if (!s->add[WEIGHT])
        memset(dw + t.c0, 0, (t.c1 - t.c0) * sizeof *dw);
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++) dw[c] +=
            x[r * cols + c] > 0 ? 0 : dy[r * cols + c] * x[r * cols + c];
}

// dx = dy (1 or w)
KERNEL static void prelu_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    const real *x = s->in[X].v, *dy = s->out.d, *weight = s->in[WEIGHT].v;
    real *dx = s->in[X].d;
    if (s->in[WEIGHT].d)
        prelu_weight_backward(s, t);
    for (size_t r = t.r0; dx && r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++)
        {
            real d = dy[r * cols + c] * (x[r * cols + c] > 0 ? 1 : weight[c]);
            dx[r * cols + c] = s->add[X] ? dx[r * cols + c] + d : d;
        }
}

static double prelu_start(const double *k, const struct buf *weight UNUSED, size_t i UNUSED)
{
    return k[0];
}

// He et al. 2015, for the slope it starts with
static double prelu_gain(const double *k)
{
    return sqrt(2 / (1 + k[0] * k[0]));
}

const struct op op_prelu = {
    .row =
        {.name = "prelu",
         .doc = "ReLU with a learned slope for negative inputs, one per unit.",
         .torch = "torch.nn.PReLU",
         .hyper = {{.name = "init", .doc = "Initial slope.", .def = {.25}, .min = -1, .max = 1}}},
    .span = SPAN_COLUMN,
    .arity = 2,
    .reads_in = true,
    .param = {{.name = "weight", .start = prelu_start}},
    .forward = prelu_forward,
    .backward = prelu_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1}, {.rows = 1, .cols = 5, .lo = .1, .hi = 1}},
};
const struct activation activation_prelu = {
    .op = &op_prelu,
    .gain = prelu_gain,
};

// Of rrelu, whose two rows share it: the slope is between the two hyperparameters.
static const char *rrelu_misfit(const double *k, uint32_t cols UNUSED)
{
    return k[0] <= k[1] ? NULL : "lower must not be above upper";
}

static double rrelu_gain(const double *k)
{
    double slope = (k[0] + k[1]) / 2;
    return sqrt(2 / (1 + slope * slope));
}

#define RRELU(title, text)                                                                         \
    .row = {.name = title,                                                                         \
            .doc = text,                                                                           \
            .torch = "torch.nn.RReLU",                                                             \
            .hyper = {{.name = "lower",                                                            \
                       .doc = "Lowest slope below zero.",                                          \
                       .def = {1.0 / 8},                                                           \
                       .min = 0,                                                                   \
                       .max = 1},                                                                  \
                      {.name = "upper",                                                            \
                       .doc = "Highest slope below zero.",                                         \
                       .def = {1.0 / 3},                                                           \
                       .min = 0,                                                                   \
                       .max = 1}}},                                                                \
    .arity = 1, .reads_in = true, .misfit = rrelu_misfit,                                          \
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1}}

// A cell's slopes: the draw is a hash of pass, node and cell, so nothing is kept for backward.
struct slopes {
    uint64_t key;
    real lower, width;
};

static struct slopes rrelu_slopes(const struct step *s)
{
    const double *k = s->value;
    return (struct slopes){rng_key(*s->key, RNG_DROPOUT, s->node, 0), (real)k[0],
                           (real)((k[1] - k[0]) * 0x1p-24)};
}

INLINE real slope_at(struct slopes d, uint32_t cell, real x)
{
    real drawn = d.lower + d.width * (real)(int32_t)(rng_u32(d.key, cell) >> 8);
    return x > 0 ? 1 : drawn;
}

// y = x where x > 0, slope x elsewhere with a slope of the cell's own
KERNEL static void rrelu_forward(const struct step *s, struct tile t)
{
    uint32_t cols = s->out.cols;
    struct slopes d = rrelu_slopes(s);
    for (uint32_t r = t.r0; r < t.r1; r++) {
        const real *x = s->in[X].v + (size_t)r * cols;
        real *y = s->out.v + (size_t)r * cols;
        LANES for (uint32_t c = t.c0; c < t.c1; c++) y[c] = x[c] * slope_at(d, r * cols + c, x[c]);
    }
}

KERNEL static void rrelu_backward(const struct step *s, struct tile t)
{
    uint32_t cols = s->out.cols;
    struct slopes d = rrelu_slopes(s);
    for (uint32_t r = t.r0; r < t.r1; r++) {
        const real *x = s->in[X].v + (size_t)r * cols, *dy = s->out.d + (size_t)r * cols;
        real *dx = s->in[X].d + (size_t)r * cols;
        LANES for (uint32_t c = t.c0; c < t.c1; c++) dx[c] =
            (s->add[X] ? dx[c] : 0) + dy[c] * slope_at(d, r * cols + c, x[c]);
    }
}

const struct op op_rrelu = {
    RRELU("rrelu", "ReLU with a random slope for negative inputs in training."),
    .serve = &op_rrelu_mean,
    .forward = rrelu_forward,
    .backward = rrelu_backward,
};
const struct activation activation_rrelu = {
    .op = &op_rrelu,
    .gain = rrelu_gain,
};

INLINE real rrelu_mean_slope(real x, real y UNUSED, const double *k)
{
    return x > 0 ? 1 : (real)((k[0] + k[1]) / 2);
}
INLINE real rrelu_mean_value(real x, const double *k)
{
    return x * rrelu_mean_slope(x, x, k);
}
CELL_KERNELS(rrelu_mean)

const struct op op_rrelu_mean = {
    RRELU("rrelu_mean", "ReLU with the mean of rrelu's slopes, for predictions."),
    .forward = rrelu_mean_forward,
    .backward = rrelu_mean_backward,
};
