// SPDX-License-Identifier: MIT
// Smooth activations: sigmoids and what is made of log and exp. Forms that keep their relative
// precision in both tails and next to 0.

#include "engine/nn/ops_cell.h"

// y = 1 / (1 + e^-x)
INLINE real sigmoid_value(real x, const double *k UNUSED)
{
    return sigmoid_of(x);
}
INLINE real sigmoid_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return sigmoid_slope_of(x);
}
CELL_KERNELS(sigmoid)

const struct op op_sigmoid = {
    CELL(sigmoid),
    .row = {.name = "sigmoid",
            .doc = "Logistic function, 1 / (1 + exp(-x)).",
            .alias = {"logistic"},
            .torch = "torch.nn.Sigmoid"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -4, .hi = 4}},
};
const struct activation activation_sigmoid = {
    .op = &op_sigmoid,
    .bounded = true,
    .bound = {0, 1},
};

// y = tanh(x)            y' = 1/cosh² x = 4 e^-2|x| / (1 + e^-2|x|)², since 1 - y² cancels
INLINE real tanh_value(real x, const double *k UNUSED)
{
    return tanh(x);
}
INLINE real tanh_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return 4 * sigmoid_slope_of(2 * x);
}
CELL_KERNELS(tanh)

static double tanh_gain(const double *k UNUSED)
{
    return 5.0 / 3;
}

const struct op op_tanh = {
    CELL(tanh),
    .row = {.name = "tanh", .doc = "Hyperbolic tangent.", .torch = "torch.nn.Tanh"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};
const struct activation activation_tanh = {
    .op = &op_tanh,
    .gain = tanh_gain,
    .bounded = true,
    .bound = {-1, 1},
};

// y = x / (1 + |x|)      y' = 1 / (1 + |x|)²
INLINE real softsign_value(real x, const double *k UNUSED)
{
    return x / (1 + fabs(x));
}
INLINE real softsign_slope(real x, real y UNUSED, const double *k UNUSED)
{
    real d = 1 + fabs(x);
    return 1 / (d * d);
}
CELL_KERNELS(softsign)

const struct op op_softsign = {
    CELL(softsign),
    .row = {.name = "softsign",
            .doc = "x / (1 + |x|): like tanh, but saturates slowly.",
            .torch = "torch.nn.Softsign"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -4, .hi = 4}},
};
const struct activation activation_softsign = {
    .op = &op_softsign,
    .bounded = true,
    .bound = {-1, 1},
};

// y = x - tanh(x). Next to 0 that cancels. There Lambert's fraction tanh x = x / (1 + t),
// t = x²/(3 + x²/(5 + x²/(7 + ...))), gives y = x t / (1 + t); for |x| < 1 its rest after 15 is
// below 1e-17.
INLINE real tanhshrink_value(real x, const double *k UNUSED)
{
    real q = fabs(x) < 1 ? x * x : 1;
    real t = q / (3 + q / (5 + q / (7 + q / (9 + q / (11 + q / (13 + q / 15))))));
    return fabs(x) < 1 ? x * t / (1 + t) : x - tanh(x);
}
INLINE real tanhshrink_slope(real x, real y UNUSED, const double *k UNUSED)
{
    real t = tanh(x);
    return t * t;
}
CELL_KERNELS(tanhshrink)

const struct op op_tanhshrink = {
    CELL(tanhshrink),
    .row = {.name = "tanhshrink", .doc = "x - tanh(x).", .torch = "torch.nn.Tanhshrink"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};
const struct activation activation_tanhshrink = {.op = &op_tanhshrink};

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
INLINE real softplus_of(real x)
{
    return relu_of(x) + log1p(exp(-fabs(x)));
}

// y = log(1 + e^(βx)) / β, and x where βx is above the threshold
INLINE real softplus_value(real x, const double *k)
{
    real z = x * (real)k[0];
    return z > (real)k[1] ? x : softplus_of(z) / (real)k[0];
}
INLINE real softplus_slope(real x, real y UNUSED, const double *k)
{
    real z = x * (real)k[0];
    return z > (real)k[1] ? 1 : sigmoid_of(z);
}
CELL_KERNELS(softplus)

const struct op op_softplus = {
    CELL(softplus),
    .row = {.name = "softplus",
            .doc = "Smooth ReLU, log(1 + exp(beta x)) / beta.",
            .torch = "torch.nn.Softplus",
            .hyper = {{.name = "beta",
                       .doc = "The larger, the closer to ReLU.",
                       .def = {1},
                       .min = 1e-3,
                       .max = 1000},
                      {.name = "threshold",
                       .doc = "Where beta x is above this, the output is x.",
                       .def = {20},
                       .min = 0,
                       .max = 1000}}},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -4, .hi = 4}},
};
const struct activation activation_softplus = {.op = &op_softplus};

// y = log σ(x) = -log(1 + e^-x)      y' = σ(-x)
INLINE real log_sigmoid_value(real x, const double *k UNUSED)
{
    return -softplus_of(-x);
}
INLINE real log_sigmoid_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return sigmoid_of(-x);
}
CELL_KERNELS(log_sigmoid)

const struct op op_log_sigmoid = {
    CELL(log_sigmoid),
    .row = {.name = "log_sigmoid",
            .doc = "Logarithm of the sigmoid.",
            .alias = {"logsigmoid"},
            .torch = "torch.nn.LogSigmoid"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -4, .hi = 4}},
};
const struct activation activation_log_sigmoid = {.op = &op_log_sigmoid};
