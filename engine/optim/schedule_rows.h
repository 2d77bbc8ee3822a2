// SPDX-License-Identifier: MIT
#pragma once

// The rows of schedule_table and what they share (schedule*.c only).

#include "engine/optim/schedule.h"

#include <math.h>

extern const struct schedule schedule_cosine, schedule_constant, schedule_step, schedule_multi_step,
    schedule_exponential, schedule_polynomial, schedule_inverse_time, schedule_inverse_sqrt,
    schedule_cosine_restarts, schedule_one_cycle, schedule_cyclic, schedule_plateau,
    schedule_flat_cos, schedule_coslog;

// Half a cosine from a at u = 0 to b at u = 1.
static inline double cosine_between(double a, double b, double u)
{
    return b + (a - b) * (1 + cos(M_PI * u)) / 2;
}

#define MIN_KNOB(what)                                                                             \
    {                                                                                              \
        .name = "min", .doc = (what), .min = 0, .max = 1                                           \
    }
