// SPDX-License-Identifier: MIT
// Links that are no activations: from the network's outputs to the prediction of a loss.

#include "engine/nn/ops_loss.h"

// y = e^x     y' = y, up to EXP_MOST as in the losses that this is the link of
KERNEL static void exp_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t i = r * cols + t.c0; i < r * cols + t.c1; i++) s->out.v[i] =
            exp_value(s->in[0].v[i]);
}

KERNEL static void exp_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t i = r * cols + t.c0; i < r * cols + t.c1; i++) s->in[0].d[i] =
            (s->add[0] ? s->in[0].d[i] : 0) + s->out.d[i] * exp_slope(s->in[0].v[i]);
}

const struct op op_exp = {
    .row = {.name = "exp",
            .doc = "Exponential function, continued by its tangent above 60.",
            .torch = "torch.exp"},
    .arity = 1,
    .reads_in = true,
    .forward = exp_forward,
    .backward = exp_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};

// y = x[:, :cols/2]
static uint32_t half(const struct buf *in)
{
    return in[0].cols % 2 ? 0 : in[0].cols / 2;
}

static void first_half_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t c = 0; c < cols; c++)
            s->out.v[r * cols + c] = s->in[0].v[2 * r * cols + c];
}

static void first_half_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        real *dx = s->in[0].d + 2 * r * cols;
        for (size_t c = 0; c < 2 * cols; c++)
            dx[c] = (s->add[0] ? dx[c] : 0) + (c < cols ? s->out.d[r * cols + c] : 0);
    }
}

const struct op op_first_half = {
    .row = {.name = "first_half", .doc = "The first half of the columns.", .torch = "torch.chunk"},
    .span = SPAN_ROW,
    .arity = 1,
    .cols = half,
    .forward = first_half_forward,
    .backward = first_half_backward,
    .probe = {{.cols = 6, .lo = -2, .hi = 2}},
};
