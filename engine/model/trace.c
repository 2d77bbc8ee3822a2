// SPDX-License-Identifier: MIT
// See trace.h.

#include "engine/model/trace.h"

#include <string.h>

static void trace_load(const struct buf *to, const real *from, size_t rows)
{
    memcpy(to->v, from, rows * to->cols * sizeof *from);
}

bool trace_run(struct trace *t, const struct model *m, const real *x, const real *y, size_t n,
               const struct halt *halt, struct arena *a, struct err *e)
{
    const struct exec here = {.halt = halt};
    *t = (struct trace){.rows = n, .gradients = y};
    t->grad = arena_zalloc(a, m->n_trained, sizeof *t->grad);
    if (!t->grad)
        return fail(e, ERR_TOO_LARGE, "the model needs more memory than one request may use");
    struct plan_memory memory = {.param = m->value,
                                 .grad = y ? t->grad : NULL,
                                 .buffer = m->value + m->n_trained,
                                 .inspect = true};
    if (!model_inspect(m, &t->view, a, e) ||
        !plan_init(&t->plan, &t->view.graph, (uint32_t)n, memory, a, e))
        return false;
    trace_load(&t->plan.buf[t->view.x], x, n);
    if (y)
        trace_load(&t->plan.buf[t->view.y], y, n);
    plan_forward(&t->plan, (uint32_t)n, 0, &here);
    if (y)
        plan_backward(&t->plan, (uint32_t)n, &here);
    return halt_go_on(halt, e);
}

uint32_t trace_nodes(const struct trace *t)
{
    return t->gradients ? t->view.graph.n : t->view.out + 1;
}
