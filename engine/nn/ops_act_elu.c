// SPDX-License-Identifier: MIT
// Exponential linear units: a line above zero, an exponential that levels off below.

#include "engine/nn/ops_cell.h"

// scale x above 0, scale α (e^(x/width) - 1) elsewhere, and its slope
INLINE real elu_of(real x, real scale, real alpha, real width)
{
    return scale * (x > 0 ? x : alpha * expm1(-relu_of(-x) / width));
}
INLINE real elu_slope_of(real x, real scale, real alpha, real width)
{
    return scale * (x > 0 ? 1 : alpha / width * exp(-relu_of(-x) / width));
}

#define ALPHA(lowest, text)                                                                        \
    {                                                                                              \
        .name = "alpha", .doc = text, .def = {1}, .min = lowest, .max = 1000                       \
    }

INLINE real elu_value(real x, const double *k)
{
    return elu_of(x, 1, (real)k[0], 1);
}
INLINE real elu_slope(real x, real y UNUSED, const double *k)
{
    return elu_slope_of(x, 1, (real)k[0], 1);
}
CELL_KERNELS(elu)

const struct op op_elu = {
    CELL(elu),
    .row = {.name = "elu",
            .doc = "Exponential linear unit: x above zero, alpha (exp(x) - 1) below.",
            .torch = "torch.nn.ELU",
            .hyper = {ALPHA(0, "Large negative inputs give minus this.")}},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -3, .hi = 3, .gap = .1}},
};
const struct activation activation_elu = {
    .op = &op_elu,
    .gain = gain_relu,
};

INLINE real celu_value(real x, const double *k)
{
    return elu_of(x, 1, (real)k[0], (real)k[0]);
}
INLINE real celu_slope(real x, real y UNUSED, const double *k)
{
    return elu_slope_of(x, 1, (real)k[0], (real)k[0]);
}
CELL_KERNELS(celu)

const struct op op_celu = {
    CELL(celu),
    .row = {.name = "celu",
            .doc = "ELU that is smooth for every alpha: alpha (exp(x / alpha) - 1) below zero.",
            .torch = "torch.nn.CELU",
            .hyper = {ALPHA(1e-3, "Large negative inputs give minus this.")}},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -3, .hi = 3, .gap = .1}},
};
const struct activation activation_celu = {
    .op = &op_celu,
    .gain = gain_relu,
};

// Klambauer et al. 2017: the constants for which mean 0 and variance 1 reproduce themselves
static const double SELU_SCALE = 1.0507009873554804934193349852946;
static const double SELU_ALPHA = 1.6732632423543772848170429916717;

INLINE real selu_value(real x, const double *k UNUSED)
{
    return elu_of(x, (real)SELU_SCALE, (real)SELU_ALPHA, 1);
}
INLINE real selu_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return elu_slope_of(x, (real)SELU_SCALE, (real)SELU_ALPHA, 1);
}
CELL_KERNELS(selu)

// torch.nn.init.calculate_gain
static double selu_gain(const double *k UNUSED)
{
    return .75;
}

const struct op op_selu = {
    CELL(selu),
    .row = {.name = "selu",
            .doc = "Scaled ELU that keeps mean 0 and variance 1 from layer to layer.",
            .torch = "torch.nn.SELU"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -3, .hi = 3, .gap = .1}},
};
const struct activation activation_selu = {
    .op = &op_selu,
    .gain = selu_gain,
};
