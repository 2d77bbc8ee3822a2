// SPDX-License-Identifier: MIT
#pragma once

// Where the time comes from, so that tests can move it. Wall time is for display and for what must
// outlive the process; whatever is decided by time inside the process uses monotonic time, which no
// clock change touches. Constant data; both functions may be called from any thread.

#include <stdint.h>
#include <time.h>

struct clock {
    int64_t (*wall)(void *ctx); // milliseconds since 1970, UTC
    int64_t (*mono)(void *ctx); // milliseconds since some fixed moment
    void *ctx;
};

extern const struct clock clock_system;

// That many milliseconds from now, for waits on CLOCK_MONOTONIC.
struct timespec clock_after(int64_t ms);

static inline int64_t clock_wall(const struct clock *c)
{
    return c->wall(c->ctx);
}

static inline int64_t clock_mono(const struct clock *c)
{
    return c->mono(c->ctx);
}
