// SPDX-License-Identifier: MIT
#pragma once

// How the engine gets threads without starting any: whoever calls it may hand it an executor. The
// engine cuts work into n pieces that depend on the problem only, never on the number of threads;
// an executor decides who runs which, and until when. NULL in place of one runs everything on the
// caller, to the end.

#include "engine/base/halt.h"

#include <stdint.h>

struct exec {
    // Call fn(arg, i) once for every i in 0..n-1, on any threads, and return when all have
    // returned. NULL: on the caller.
    void (*run)(void *ctx, uint32_t n, void (*fn)(void *arg, uint32_t i), void *arg);
    void *ctx;
    // Asked before every piece; NULL: never. Once it says stop, all further pieces are left out, so
    // results are wrong from then on: whoever owns the run asks again before it believes them.
    const struct halt *halt;
};

static inline const struct halt *exec_halt(const struct exec *x)
{
    return x ? x->halt : NULL;
}

void exec_run(const struct exec *x, uint32_t n, void (*fn)(void *arg, uint32_t i), void *arg);
