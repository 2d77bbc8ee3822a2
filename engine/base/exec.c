// SPDX-License-Identifier: MIT
// See exec.h.

#include "engine/base/exec.h"

// A loop whose pieces ask first, wherever they run.
struct asking {
    void (*fn)(void *arg, uint32_t i);
    void *arg;
    const struct halt *halt;
};

static void ask_first(void *arg, uint32_t i)
{
    const struct asking *a = arg;
    if (!halt_asked(a->halt))
        a->fn(a->arg, i);
}

void exec_run(const struct exec *x, uint32_t n, void (*fn)(void *arg, uint32_t i), void *arg)
{
    struct asking a = {fn, arg, exec_halt(x)};
    if (x && x->run && n > 1 && a.halt)
        x->run(x->ctx, n, ask_first, &a);
    else if (x && x->run && n > 1)
        x->run(x->ctx, n, fn, arg);
    else
        for (uint32_t i = 0; i < n && !halt_asked(a.halt); i++)
            fn(arg, i);
}
