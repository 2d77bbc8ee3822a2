// SPDX-License-Identifier: MIT
// Activations made of straight pieces and powers. Each is a value and a slope (ops_cell.h makes the
// loops); at a kink the slope is PyTorch's. Where the slope can be told from the output the input
// need not be kept, and the op may run in place.

#include "engine/nn/ops_cell.h"

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
    CELL(identity),
    .row = {.name = "identity",
            .doc = "No activation: the layer stays linear.",
            .alias = {"linear"},
            .torch = "torch.nn.Identity"},
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};
const struct activation activation_identity = {.op = &op_identity};

// y = max(x, 0)
INLINE real relu_value(real x, const double *k UNUSED)
{
    return relu_of(x);
}
INLINE real relu_slope(real x UNUSED, real y, const double *k UNUSED)
{
    return relu_slope_of(y);
}
CELL_KERNELS(relu)

const struct op op_relu = {
    CELL(relu),
    .row = {.name = "relu",
            .doc = "Rectified linear unit, max(x, 0).",
            .alias = {"rectifier"},
            .torch = "torch.nn.ReLU"},
    .reads_out = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1}},
};
const struct activation activation_relu = {
    .op = &op_relu,
    .gain = gain_relu,
    .dies = true,
};

// y = min(max(x, 0), 6)
INLINE real relu6_value(real x, const double *k UNUSED)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}
INLINE real relu6_slope(real x UNUSED, real y, const double *k UNUSED)
{
    return y > 0 && y < 6;
}
CELL_KERNELS(relu6)

const struct op op_relu6 = {
    CELL(relu6),
    .row = {.name = "relu6",
            .doc = "ReLU with a maximum of 6, min(max(x, 0), 6).",
            .torch = "torch.nn.ReLU6"},
    .reads_out = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 8, .gap = .1, .kink = {0, 6}}},
};
const struct activation activation_relu6 = {
    .op = &op_relu6,
    .gain = gain_relu,
    .dies = true,
};

// y = x where x >= 0, slope * x elsewhere
INLINE real leaky_relu_value(real x, const double *k)
{
    return x * (x > 0 ? 1 : (real)k[0]);
}
INLINE real leaky_relu_slope(real x, real y UNUSED, const double *k)
{
    return x > 0 ? 1 : (real)k[0];
}
CELL_KERNELS(leaky_relu)

static double leaky_relu_gain(const double *k)
{
    return sqrt(2 / (1 + k[0] * k[0]));
}

const struct op op_leaky_relu = {
    CELL(leaky_relu),
    .row = {.name = "leaky_relu",
            .doc = "ReLU with a small slope for negative inputs, so that no unit can die.",
            .torch = "torch.nn.LeakyReLU",
            .hyper =
                {{.name = "slope", .doc = "Slope below zero.", .def = {.01}, .min = 0, .max = 1}}},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1}},
};
const struct activation activation_leaky_relu = {
    .op = &op_leaky_relu,
    .gain = leaky_relu_gain,
};

// y = min(max(x, min_val), max_val)
INLINE real hard_tanh_value(real x, const double *k)
{
    return x < (real)k[0] ? (real)k[0] : x > (real)k[1] ? (real)k[1] : x;
}
INLINE real hard_tanh_slope(real x UNUSED, real y, const double *k)
{
    return y > (real)k[0] && y < (real)k[1];
}
CELL_KERNELS(hard_tanh)

static const char *hard_tanh_misfit(const double *k, uint32_t cols UNUSED)
{
    return k[0] < k[1] ? NULL : "min_val must be below max_val";
}

const struct op op_hard_tanh = {
    CELL(hard_tanh),
    .row =
        {.name = "hard_tanh",
         .doc = "Piecewise linear tanh: x between the lowest and the highest value.",
         .alias = {"hardtanh"},
         .torch = "torch.nn.Hardtanh",
         .hyper =
             {{.name = "min_val", .doc = "Lowest value.", .def = {-1}, .min = -1000, .max = 1000},
              {.name = "max_val", .doc = "Highest value.", .def = {1}, .min = -1000, .max = 1000}}},
    .reads_out = true,
    .misfit = hard_tanh_misfit,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1, .kink = {-1, 1}}},
};
const struct activation activation_hard_tanh = {
    .op = &op_hard_tanh,
    .bounded = true,
    .bound = {-1, 1},
};

// y = min(max(x + 3, 0), 6) / 6
INLINE real hard_sigmoid_value(real x, const double *k UNUSED)
{
    return x < -3 ? 0 : x > 3 ? 1 : (x + 3) / 6;
}
INLINE real hard_sigmoid_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return x > -3 && x < 3 ? (real)(1.0 / 6) : 0;
}
CELL_KERNELS(hard_sigmoid)

const struct op op_hard_sigmoid = {
    CELL(hard_sigmoid),
    .row = {.name = "hard_sigmoid",
            .doc = "Piecewise linear sigmoid: 0 up to -3, 1 from 3 on, a straight line between.",
            .alias = {"hardsigmoid"},
            .torch = "torch.nn.Hardsigmoid"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -4, .hi = 4, .gap = .1, .kink = {-3, 3}}},
};
const struct activation activation_hard_sigmoid = {
    .op = &op_hard_sigmoid,
    .bounded = true,
    .bound = {0, 1},
    .dies = true,
};

// y = x min(max(x + 3, 0), 6) / 6
INLINE real hard_swish_value(real x, const double *k UNUSED)
{
    return x < -3 ? 0 : x > 3 ? x : x * (x + 3) / 6;
}
INLINE real hard_swish_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return x < -3 ? 0 : x >= 3 ? 1 : x / 3 + (real).5;
}
CELL_KERNELS(hard_swish)

const struct op op_hard_swish = {
    CELL(hard_swish),
    .row = {.name = "hard_swish",
            .doc = "x times hard_sigmoid(x).",
            .alias = {"hardswish"},
            .torch = "torch.nn.Hardswish"},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -4, .hi = 4, .gap = .1, .kink = {-3, 3}}},
};
const struct activation activation_hard_swish = {
    .op = &op_hard_swish,
    .gain = gain_relu,
    .dies = true,
};

// y = x where x > threshold, value elsewhere
INLINE real threshold_value(real x, const double *k)
{
    return x <= (real)k[0] ? (real)k[1] : x;
}
INLINE real threshold_slope(real x, real y UNUSED, const double *k)
{
    return x > (real)k[0];
}
CELL_KERNELS(threshold)

const struct op op_threshold = {
    CELL(threshold),
    .row = {.name = "threshold",
            .doc = "The input where it is above the threshold, else a fixed value.",
            .torch = "torch.nn.Threshold",
            .hyper = {{.name = "threshold",
                       .doc = "Inputs up to this are replaced.",
                       .def = {0},
                       .min = -1000,
                       .max = 1000},
                      {.name = "value",
                       .doc = "Value that replaces them.",
                       .def = {0},
                       .min = -1000,
                       .max = 1000}}},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1}},
};
const struct activation activation_threshold = {
    .op = &op_threshold,
    .gain = gain_relu,
    .dies = true,
};

#define LAMBDA                                                                                     \
    {                                                                                              \
        .name = "lambda", .doc = "Half width of the range that becomes 0.", .def = {.5}, .min = 0, \
        .max = 1000                                                                                \
    }

// y = x - λ above λ, x + λ below -λ, 0 between
INLINE real softshrink_value(real x, const double *k)
{
    real low = x + (real)k[0], high = x - (real)k[0];
    return low < 0 ? low : high < 0 ? 0 : high;
}
// Of shrinks: 0 between -λ and λ.
INLINE real softshrink_slope(real x, real y UNUSED, const double *k)
{
    return fabs(x) > (real)k[0];
}
CELL_KERNELS(softshrink)

const struct op op_softshrink = {
    CELL(softshrink),
    .row = {.name = "softshrink",
            .doc = "Moves inputs towards 0 by lambda; inputs between -lambda and lambda become 0.",
            .torch = "torch.nn.Softshrink",
            .hyper = {LAMBDA}},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1, .kink = {-.5, .5}}},
};
const struct activation activation_softshrink = {
    .op = &op_softshrink,
    .dies = true,
};

// y = x outside of -λ ... λ, 0 between
INLINE real hard_shrink_value(real x, const double *k)
{
    return fabs(x) <= (real)k[0] ? 0 : x;
}
INLINE real hard_shrink_slope(real x, real y, const double *k)
{
    return softshrink_slope(x, y, k);
}
CELL_KERNELS(hard_shrink)

const struct op op_hard_shrink = {
    CELL(hard_shrink),
    .row = {.name = "hard_shrink",
            .doc = "Sets inputs between -lambda and lambda to 0.",
            .alias = {"hardshrink"},
            .torch = "torch.nn.Hardshrink",
            .hyper = {LAMBDA}},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2, .gap = .1, .kink = {-.5, .5}}},
};
const struct activation activation_hard_shrink = {
    .op = &op_hard_shrink,
    .dies = true,
};

// y = x²
INLINE real square_value(real x, const double *k UNUSED)
{
    return x * x;
}
INLINE real square_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return 2 * x;
}
CELL_KERNELS(square)

const struct op op_square = {
    CELL(square),
    .row = {.name = "square", .doc = "Square of the input."},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};
const struct activation activation_square = {.op = &op_square};

// y = x³
INLINE real cube_value(real x, const double *k UNUSED)
{
    return x * x * x;
}
INLINE real cube_slope(real x, real y UNUSED, const double *k UNUSED)
{
    return 3 * x * x;
}
CELL_KERNELS(cube)

const struct op op_cube = {
    CELL(cube),
    .row = {.name = "cube", .doc = "Third power of the input."},
    .reads_in = true,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}},
};
const struct activation activation_cube = {.op = &op_cube};
