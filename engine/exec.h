// SPDX-License-Identifier: MIT
#pragma once

// How the engine gets threads without starting any: whoever calls it may hand it an executor. The
// engine cuts work into n pieces that depend on the problem only, never on the number of threads;
// an executor decides who runs which. NULL in place of one runs everything on the caller.

#include <stdint.h>

struct exec {
    // Call fn(arg, i) once for every i in 0..n-1, on any threads, and return when all have
    // returned.
    void (*run)(void *ctx, uint32_t n, void (*fn)(void *arg, uint32_t i), void *arg);
    void *ctx;
};

static inline void exec_run(const struct exec *x, uint32_t n, void (*fn)(void *arg, uint32_t i),
                            void *arg)
{
    if (x && n > 1)
        x->run(x->ctx, n, fn, arg);
    else
        for (uint32_t i = 0; i < n; i++)
            fn(arg, i);
}
