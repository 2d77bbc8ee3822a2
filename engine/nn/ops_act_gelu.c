// SPDX-License-Identifier: MIT
// Activations of the form x F(x), F rising from 0 to 1. Written so that nothing cancels far left,
// where F is tiny and x large: the forms of the textbooks lose all their digits there in single
// precision.

#include "engine/nn/ops_cell.h"

// y = x Φ(x)             y' = Φ(x) + x φ(x)
INLINE real gelu_value(real x, const double *k UNUSED)
{
    return gelu_of(x);
}
INLINE real gelu_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return gelu_slope_of(x);
}
CELL_KERNELS(gelu)

const struct op op_gelu = {
    CELL(gelu),
    .row = {.name = "gelu",
            .doc = "Gaussian error linear unit: x times the standard normal CDF.",
            .torch = "torch.nn.GELU"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -3, .hi = 3}},
};
const struct activation activation_gelu = {
    .op = &op_gelu,
    .gain = gain_relu,
};

// y = x/2 (1 + tanh u) = x σ(2u), u = √(2/π) (x + .044715 x³), which does not cancel on the left
INLINE real gelu_tanh_inner(real x)
{
    return (real)(2 * M_SQRT1_2 * M_2_SQRTPI) * (x + (real).044715 * x * x * x);
}
INLINE real gelu_tanh_value(real x, const double *k UNUSED)
{
    return x * sigmoid_of(gelu_tanh_inner(x));
}
INLINE real gelu_tanh_slope(real x, real y UNUSED, const double *k UNUSED)
{
    real u = gelu_tanh_inner(x);
    real du = (real)(2 * M_SQRT1_2 * M_2_SQRTPI) * (1 + 3 * (real).044715 * x * x);
    return sigmoid_of(u) + x * du * sigmoid_slope_of(u);
}
CELL_KERNELS(gelu_tanh)

const struct op op_gelu_tanh = {
    CELL(gelu_tanh),
    .row = {.name = "gelu_tanh",
            .doc = "GELU, approximated with tanh.",
            .torch = "torch.nn.GELU(approximate='tanh')"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -3, .hi = 3}},
};
const struct activation activation_gelu_tanh = {
    .op = &op_gelu_tanh,
    .gain = gain_relu,
};

// y = x σ(x)             y' = σ(x) + x σ'(x)
INLINE real silu_value(real x, const double *k UNUSED)
{
    return silu_of(x);
}
INLINE real silu_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return silu_slope_of(x);
}
CELL_KERNELS(silu)

const struct op op_silu = {
    CELL(silu),
    .row = {.name = "silu",
            .doc = "Sigmoid linear unit: x times sigmoid(x).",
            .alias = {"swish"},
            .torch = "torch.nn.SiLU"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -4, .hi = 4}},
};
const struct activation activation_silu = {
    .op = &op_silu,
    .gain = gain_relu,
};

// y = x tanh(log(1 + e^x)) = x q/(q + 2), q = e^x (e^x + 2).     y' = q/(q + 2) + x 4 e^x (e^x + 1)
// / (q + 2)². Above 20 the fraction is 1 to the last bit.
INLINE real mish_exp(real x)
{
    return exp(x > 20 ? 20 : x);
}
INLINE real mish_value(real x, const double *k UNUSED)
{
    real e = mish_exp(x), q = e * (e + 2);
    return x * (q / (q + 2));
}
INLINE real mish_slope(real x, real y UNUSED, const double *k UNUSED)
{
    real e = mish_exp(x), q = e * (e + 2), d = q + 2;
    return q / d + x * (4 * e / d * ((e + 1) / d));
}
CELL_KERNELS(mish)

const struct op op_mish = {
    CELL(mish),
    .row = {.name = "mish", .doc = "x times tanh(softplus(x)).", .torch = "torch.nn.Mish"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -4, .hi = 4}},
};
const struct activation activation_mish = {
    .op = &op_mish,
    .gain = gain_relu,
};
