// SPDX-License-Identifier: MIT
#pragma once

// The rows of schedule_table and what they share (schedule*.c only).

#include "engine/optim/schedule.h"

#include <math.h>

#define SCHEDULE(name) extern const struct schedule schedule_##name;
#include "engine/optim/schedule.def"

// Half a cosine from a at u = 0 to b at u = 1.
static inline double cosine_between(double a, double b, double u)
{
    return b + (a - b) * (1 + cos(M_PI * u)) / 2;
}

#define MIN_HYPER(what)                                                                            \
    {                                                                                              \
        .name = "min", .doc = (what), .min = 0, .max = 1                                           \
    }
