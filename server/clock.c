// SPDX-License-Identifier: MIT
// The system's clocks: see clock.h.

#include "clock.h"

#include <time.h>

static int64_t milliseconds(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000;
}

static int64_t system_wall(void *ctx)
{
    (void)ctx;
    return milliseconds(CLOCK_REALTIME);
}

static int64_t system_mono(void *ctx)
{
    (void)ctx;
    return milliseconds(CLOCK_MONOTONIC);
}

const struct clock clock_system = {system_wall, system_mono, 0};
