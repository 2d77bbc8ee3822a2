// SPDX-License-Identifier: MIT
#pragma once

// What the files of optimizer rows (optim_*.c) share: hyperparameters that mean the same in every
// row.

#include "engine/base/vmath.h"
#include "engine/optim/optim.h"

#define HYPER_LR(rate)                                                                             \
    {                                                                                              \
        .name = "lr", .doc = "Learning rate, before the schedule's factor.", .def = {rate},        \
        .min = 0, .max = 1e6                                                                       \
    }
#define HYPER_L2                                                                                   \
    {                                                                                              \
        .name = "weight_decay", .doc = "L2 penalty, added to the gradient.", .min = 0, .max = 10   \
    }
#define HYPER_DECAY(decay)                                                                         \
    {                                                                                              \
        .name = "weight_decay", .doc = "Decoupled weight decay, multiplied by the learning rate.", \
        .def = {decay}, .min = 0, .max = 10                                                        \
    }
#define HYPER_EPS(eps)                                                                             \
    {                                                                                              \
        .name = "eps", .doc = "Added to the denominator.", .def = {eps}, .min = 1e-30, .max = 1    \
    }
#define HYPER_MOMENTUM(share)                                                                      \
    {                                                                                              \
        .name = "momentum", .doc = "Momentum factor: share of the last update that is kept.",      \
        .def = {share}, .min = 0, .max = .9999                                                     \
    }
#define HYPER_BETAS(b1, b2, least)                                                                 \
    {                                                                                              \
        .name = "betas", .doc = "Decay rates of the first and second moment of the gradient.",     \
        .count = 2, .def = {b1, b2}, .min = least, .max = .999999                                  \
    }

static inline int slots_1(const double *value)
{
    (void)value;
    return 1;
}

static inline int slots_2(const double *value)
{
    (void)value;
    return 2;
}

// A span of group g has g's coefficients: its own numbers, in registers for the length of a loop.
#define COEFS(c, s)                                                                                \
    real c[OPTIM_COEFS];                                                                           \
    for (int coef_i = 0; coef_i < OPTIM_COEFS; coef_i++)                                           \
    c[coef_i] = (s)->coef[coef_i]
