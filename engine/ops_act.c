// SPDX-License-Identifier: MIT
// Activations: ops whose output cell depends on one input cell, plus softmax, which
// needs a row.
//
// An elementwise op is two inline functions, name_value(x, k) and name_slope(x, y, k) with y the
// value and k the knobs; CELL_KERNELS makes the loops. The loops may run in place (out.v = in.v,
// out.d = in.d), so value and slope read before anything is written.

#include "op.h"
#include "vmath.h"

#define CELL_KERNELS(name)                                                                         \
    KERNEL static void name##_forward(const struct step *s, struct tile t)                         \
    {                                                                                              \
        for (size_t r = t.r0; r < t.r1; r++) {                                                     \
            const real *x = s->in[0].v + r * s->in[0].cols;                                        \
            real *y = s->out.v + r * s->out.cols;                                                  \
            LANES for (size_t c = t.c0; c < t.c1; c++) y[c] = name##_value(x[c], s->value);        \
        }                                                                                          \
    }                                                                                              \
    KERNEL static void name##_backward(const struct step *s, struct tile t)                        \
    {                                                                                              \
        for (size_t r = t.r0; r < t.r1; r++) {                                                     \
            const real *x = s->in[0].v + r * s->in[0].cols;                                        \
            const real *y = s->out.v + r * s->out.cols, *dy = s->out.d + r * s->out.cols;          \
            real *dx = s->in[0].d + r * s->in[0].cols;                                             \
            if (s->add[0])                                                                         \
                LANES for (size_t c = t.c0; c < t.c1; c++) dx[c] +=                                \
                    dy[c] * name##_slope(x[c], y[c], s->value);                                    \
            else                                                                                   \
                LANES for (size_t c = t.c0; c < t.c1; c++) dx[c] =                                 \
                    dy[c] * name##_slope(x[c], y[c], s->value);                                    \
        }                                                                                          \
    }

#define UNUSED __attribute__((unused))

// y = x
INLINE real identity_value(real x, const double *k UNUSED)
{
    return x;
}
INLINE real identity_slope(real x UNUSED, real y UNUSED, const double *k UNUSED)
{
    return 1;
}
CELL_KERNELS(identity)

const struct op op_identity = {
    .row = {.name = "identity", .doc = "No activation: the layer stays linear."},
    .role = OP_ACTIVATION,
    .arity = 1,
    .forward = identity_forward,
    .backward = identity_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};

// y = max(x, 0), written so that NaN stays NaN
INLINE real relu_value(real x, const double *k UNUSED)
{
    return x < 0 ? 0 : x;
}
INLINE real relu_slope(real x UNUSED, real y, const double *k UNUSED)
{
    return y > 0;
}
CELL_KERNELS(relu)

static double relu_gain(const double *k UNUSED)
{
    return sqrt(2.0);
}

const struct op op_relu = {
    .row = {.name = "relu", .doc = "Rectified linear unit, max(x, 0)."},
    .role = OP_ACTIVATION,
    .arity = 1,
    .reads_out = true,
    .dies = true,
    .gain = relu_gain,
    .forward = relu_forward,
    .backward = relu_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1}},
};

// y = x where x >= 0, slope * x elsewhere
INLINE real leaky_relu_value(real x, const double *k)
{
    return x < 0 ? x * (real)k[0] : x;
}
INLINE real leaky_relu_slope(real x, real y UNUSED, const double *k)
{
    return x < 0 ? (real)k[0] : 1;
}
CELL_KERNELS(leaky_relu)

static double leaky_relu_gain(const double *k)
{
    return sqrt(2 / (1 + k[0] * k[0]));
}

const struct op op_leaky_relu = {
    .row =
        {.name = "leaky_relu",
         .doc = "ReLU with a small slope for negative inputs, so that no unit can die.",
         .knob = {{.name = "slope", .doc = "Slope below zero.", .def = {.01}, .min = 0, .max = 1}}},
    .role = OP_ACTIVATION,
    .arity = 1,
    .reads_in = true,
    .gain = leaky_relu_gain,
    .forward = leaky_relu_forward,
    .backward = leaky_relu_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1}},
};

// y = tanh(x)            y' = 1 - y²
INLINE real tanh_value(real x, const double *k UNUSED)
{
    return tanh(x);
}
INLINE real tanh_slope(real x UNUSED, real y, const double *k UNUSED)
{
    return (1 - y) * (1 + y);
}
CELL_KERNELS(tanh)

static double tanh_gain(const double *k UNUSED)
{
    return 5.0 / 3;
}

const struct op op_tanh = {
    .row = {.name = "tanh", .doc = "Hyperbolic tangent."},
    .role = OP_ACTIVATION,
    .arity = 1,
    .reads_out = true,
    .bounded = true,
    .bound = {-1, 1},
    .gain = tanh_gain,
    .forward = tanh_forward,
    .backward = tanh_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};

// y = 1 / (1 + e^-x)     y' = e^-|x| / (1 + e^-|x|)², which unlike y (1 - y) does not cancel for
// large x
INLINE real sigmoid_value(real x, const double *k UNUSED)
{
    return 1 / (1 + exp(-x));
}
INLINE real sigmoid_slope(real x, real y UNUSED, const double *k UNUSED)
{
    real e = exp(-fabs(x));
    return e / ((1 + e) * (1 + e));
}
CELL_KERNELS(sigmoid)

const struct op op_sigmoid = {
    .row = {.name = "sigmoid", .doc = "Logistic function, 1 / (1 + exp(-x))."},
    .role = OP_ACTIVATION,
    .bounded = true,
    .bound = {0, 1},
    .arity = 1,
    .reads_in = true,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
    .probe = {{.cols = 5, .lo = -4, .hi = 4}},
};

// y = x Φ(x) = x/2 erfc(-x/√2): erfc, because 1 + erf cancels in the left tail.      y' = Φ(x) + x
// φ(x)
INLINE real gelu_value(real x, const double *k UNUSED)
{
    return (real).5 * x * erfc(x * (real)-M_SQRT1_2);
}
INLINE real gelu_slope(real x, real y UNUSED, const double *k UNUSED)
{
    real density = exp((real)-.5 * x * x) * (real)(M_SQRT1_2 * M_2_SQRTPI / 2);
    return (real).5 * erfc(x * (real)-M_SQRT1_2) + x * density;
}
CELL_KERNELS(gelu)

const struct op op_gelu = {
    .row = {.name = "gelu",
            .doc = "Gaussian error linear unit, x times the normal distribution function."},
    .role = OP_ACTIVATION,
    .arity = 1,
    .reads_in = true,
    .gain = relu_gain,
    .forward = gelu_forward,
    .backward = gelu_backward,
    .probe = {{.cols = 5, .lo = -3, .hi = 3}},
};

// y_i = e^(x_i - max) / Σ_j e^(x_j - max)
KERNEL static void softmax_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *x = s->in[0].v + r * cols;
        real *y = s->out.v + r * cols, max = x[0], sum = 0;
        for (size_t c = 1; c < cols; c++)
            max = x[c] > max ? x[c] : max;
        LANES for (size_t c = 0; c < cols; c++) y[c] = exp(x[c] - max);
        for (size_t c = 0; c < cols; c++)
            sum += y[c];
        LANES for (size_t c = 0; c < cols; c++) y[c] /= sum;
    }
}

// dx_i = y_i (dy_i - Σ_j dy_j y_j)
KERNEL static void softmax_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *y = s->out.v + r * cols, *dy = s->out.d + r * cols;
        real *dx = s->in[0].d + r * cols, dot = 0;
        for (size_t c = 0; c < cols; c++)
            dot += dy[c] * y[c];
        for (size_t c = 0; c < cols; c++)
            dx[c] = (s->add[0] ? dx[c] : 0) + y[c] * (dy[c] - dot);
    }
}

const struct op op_softmax = {
    .row = {.name = "softmax", .doc = "Positive outputs that sum to one over the layer."},
    .role = OP_ACTIVATION,
    .span = SPAN_ROW,
    .arity = 1,
    .reads_out = true,
    .forward = softmax_forward,
    .backward = softmax_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};
