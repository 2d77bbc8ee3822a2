// SPDX-License-Identifier: MIT
// Initial weights: see init.h.

#include "init.h"

#include "rng.h"
#include "tables.h"

// He et al. 2015: gain / √fan_in
static double kaiming(double fan_in, double fan_out, double gain)
{
    (void)fan_out;
    return gain / sqrt(fan_in);
}

// Glorot & Bengio 2010: √(2 / (fan_in + fan_out))
static double xavier(double fan_in, double fan_out, double gain)
{
    (void)gain;
    return sqrt(2 / (fan_in + fan_out));
}

// torch.nn.Linear: U(±1/√fan_in), whose deviation is 1/√(3 fan_in)
static double torch_linear(double fan_in, double fan_out, double gain)
{
    (void)fan_out;
    (void)gain;
    return 1 / sqrt(3 * fan_in);
}

static const struct init kaiming_uniform = {
    .row = {.name = "kaiming_uniform",
            .doc = "He's uniform distribution, scaled by the activation's gain."},
    .deviation = kaiming,
};
static const struct init kaiming_normal = {
    .row = {.name = "kaiming_normal",
            .doc = "He's normal distribution, scaled by the activation's gain."},
    .normal = true,
    .deviation = kaiming,
};
static const struct init xavier_uniform = {
    .row = {.name = "xavier_uniform", .doc = "Glorot's uniform distribution."},
    .deviation = xavier,
};
static const struct init xavier_normal = {
    .row = {.name = "xavier_normal", .doc = "Glorot's normal distribution."},
    .normal = true,
    .deviation = xavier,
};
static const struct init torch = {
    .row = {.name = "torch",
            .doc = "What torch.nn.Linear does: uniform within 1/sqrt(inputs), biases too."},
    .bias = true,
    .deviation = torch_linear,
};

void init_linear(const struct pick *p, double gain, uint64_t key, real *weight, size_t outputs,
                 size_t inputs, real *bias)
{
    const struct init *init = (const struct init *)(const void *)p->row;
    double deviation = init->deviation((double)inputs, (double)outputs, gain);
    double bound = deviation * sqrt(3.0), bias_bound = 1 / sqrt((double)inputs);
    uint64_t weights = rng_key(key, RNG_INIT, 0, 0), biases = rng_key(key, RNG_INIT, 1, 0);
    for (size_t i = 0; i < outputs * inputs; i++)
        weight[i] = (real)(init->normal ? deviation * rng_normal(weights, i)
                                        : bound * (2 * rng_unit(weights, i) - 1));
    for (size_t i = 0; i < outputs; i++)
        bias[i] = (real)(init->bias ? bias_bound * (2 * rng_unit(biases, i) - 1) : 0);
}

static const struct row *const init_row[] = {&kaiming_uniform.row, &kaiming_normal.row,
                                             &xavier_uniform.row, &xavier_normal.row, &torch.row};
const struct table init_table = {"init", init_row, sizeof init_row / sizeof *init_row, {{0}}};
