// SPDX-License-Identifier: MIT
// Activations over the units of a row: softmax and its relatives. The largest input is subtracted
// first, so that no exponential overflows; the derivatives are taken from the output, which is all
// that is kept.

#include "engine/nn/ops_cell.h"

// Largest of sign x over a row.
INLINE real row_max(const real *x, size_t cols, real sign)
{
    real max = sign * x[0];
    for (size_t c = 1; c < cols; c++)
        max = sign * x[c] > max ? sign * x[c] : max;
    return max;
}

// y = e^(sign x - max) over a row, and the sum
INLINE real row_exp(const real *x, size_t cols, real sign, real *y)
{
    real max = row_max(x, cols, sign), sum = 0;
    LANES for (size_t c = 0; c < cols; c++) y[c] = exp(sign * x[c] - max);
    for (size_t c = 0; c < cols; c++)
        sum += y[c];
    return sum;
}

// y_i = e^(±x_i - max) / Σ_j e^(±x_j - max)
INLINE void signed_softmax_forward(const struct step *s, struct tile t, real sign)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        real *y = s->out.v + r * cols, sum = row_exp(s->in[0].v + r * cols, cols, sign, y);
        LANES for (size_t c = 0; c < cols; c++) y[c] /= sum;
    }
}

// dx_i = ±y_i (dy_i - Σ_j dy_j y_j)
INLINE void signed_softmax_backward(const struct step *s, struct tile t, real sign)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *y = s->out.v + r * cols, *dy = s->out.d + r * cols;
        real *dx = s->in[0].d + r * cols, dot = 0;
        for (size_t c = 0; c < cols; c++)
            dot += dy[c] * y[c];
        LANES for (size_t c = 0; c < cols; c++) dx[c] =
            (s->add[0] ? dx[c] : 0) + sign * y[c] * (dy[c] - dot);
    }
}

#define OVER_ROWS(name)                                                                            \
    .span = SPAN_ROW, .arity = 1, .reads_out = true, .forward = name##_forward,                    \
    .backward = name##_backward, .probe = {{.cols = 5, .lo = -2, .hi = 2}}

KERNEL static void softmax_forward(const struct step *s, struct tile t)
{
    signed_softmax_forward(s, t, 1);
}

KERNEL static void softmax_backward(const struct step *s, struct tile t)
{
    signed_softmax_backward(s, t, 1);
}

const struct op op_softmax = {
    OVER_ROWS(softmax),
    .row = {.name = "softmax",
            .doc = "Positive outputs that sum to one over the layer.",
            .torch = "torch.nn.Softmax"},
};
const struct activation activation_softmax = {.op = &op_softmax};

KERNEL static void softmin_forward(const struct step *s, struct tile t)
{
    signed_softmax_forward(s, t, -1);
}

KERNEL static void softmin_backward(const struct step *s, struct tile t)
{
    signed_softmax_backward(s, t, -1);
}

const struct op op_softmin = {
    OVER_ROWS(softmin),
    .row = {.name = "softmin", .doc = "Softmax of the negated input.", .torch = "torch.nn.Softmin"},
};
const struct activation activation_softmin = {.op = &op_softmin};

// y_i = x_i - max - log Σ_j e^(x_j - max)
KERNEL static void log_softmax_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *x = s->in[0].v + r * cols;
        real *y = s->out.v + r * cols, max = row_max(x, cols, 1);
        real log_sum = log(row_exp(x, cols, 1, y));
        LANES for (size_t c = 0; c < cols; c++) y[c] = x[c] - max - log_sum;
    }
}

// dx_i = dy_i - e^y_i Σ_j dy_j
KERNEL static void log_softmax_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *y = s->out.v + r * cols, *dy = s->out.d + r * cols;
        real *dx = s->in[0].d + r * cols, sum = 0;
        for (size_t c = 0; c < cols; c++)
            sum += dy[c];
        LANES for (size_t c = 0; c < cols; c++) dx[c] =
            (s->add[0] ? dx[c] : 0) + (dy[c] - exp(y[c]) * sum);
    }
}

const struct op op_log_softmax = {
    OVER_ROWS(log_softmax),
    .row = {.name = "log_softmax", .doc = "Logarithm of softmax.", .torch = "torch.nn.LogSoftmax"},
};
const struct activation activation_log_softmax = {.op = &op_log_softmax};
