// SPDX-License-Identifier: MIT
// See init_data.h. For every layer the training graph up to it runs anew: what a layer sees depends
// on all that came before, and in a plan of the whole graph the next op may work in its place.

#include "engine/model/init_data.h"

#include "engine/model/init.h"
#include "engine/nn/plan.h"

#include <string.h>

// A layer's output is linear in what is scaled, so the second round only takes off rounding.
enum { ROUNDS = 2 };

struct fitter {
    struct model *m;
    const real *x;
    uint32_t rows;
    struct graph graph; // the training graph up to a linear layer, its last node
    struct plan plan;
    struct exec exec; // this thread, until the halt
};

// What scales the output: the weight, or what a norm of the weights puts in place of its length.
static struct buf scaled_by(const struct fitter *f, const struct node *linear)
{
    const struct node *weight = &f->graph.node[linear->in[1]];
    return f->plan.buf[weight->kind == NODE_OP ? weight->in[1] : linear->in[1]];
}

static double column_mean(struct buf out, uint32_t rows, uint32_t c)
{
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
        sum += (double)out.v[r * out.cols + c];
    return sum / rows;
}

// Mean square of the distances from every unit's mean; the bias takes the means off.
static double center(struct buf out, uint32_t rows, real *bias, const struct halt *halt)
{
    double square = 0;
    for (uint32_t c = 0; c < out.cols && !halt_due_row(halt, c); c++) {
        double mean = column_mean(out, rows, c);
        bias[c] = (real)((double)bias[c] - mean);
        for (size_t r = 0; r < rows; r++) {
            double d = (double)out.v[r * out.cols + c] - mean;
            square += d * d;
        }
    }
    return square / ((double)rows * out.cols);
}

static void scale(real *v, size_t n, double by, const struct halt *halt)
{
    for (size_t i = 0; i < n && !halt_due(halt, i); i++)
        v[i] = (real)((double)v[i] * by);
}

// One round. With y = x W + b, W and b over the deviation give y over the deviation.
static void fit(struct fitter *f)
{
    uint32_t last = f->graph.n - 1;
    const struct node *linear = &f->graph.node[last];
    struct buf w = scaled_by(f, linear), bias = f->plan.buf[linear->in[2]];
    plan_forward(&f->plan, f->rows, 0, &f->exec);
    double variance = center(f->plan.buf[last], f->rows, bias.v, f->exec.halt);
    if (!(variance > 0 && isfinite(variance)))
        return;
    scale(w.v, (size_t)w.rows * w.cols, 1 / sqrt(variance), f->exec.halt);
    scale(bias.v, bias.cols, 1 / sqrt(variance), f->exec.halt);
}

// Running statistics move with every pass, so the plan gets copies.
static bool make_plan(struct fitter *f, struct arena *a, struct err *e)
{
    struct model *m = f->m;
    size_t n = m->n_value - m->n_trained;
    real *statistics = arena_alloc(a, n + 1, sizeof *statistics);
    if (!statistics)
        return fail(e, ERR_TOO_LARGE, "there is not enough memory to look at the first rows");
    memcpy(statistics, m->value + m->n_trained, n * sizeof *statistics);
    struct plan_memory memory = {.param = m->value, .buffer = statistics};
    return plan_init(&f->plan, &f->graph, f->rows, memory, a, e);
}

static bool fit_layer(struct fitter *f, uint32_t node, struct arena *a, struct err *e)
{
    struct arena_mark mark = arena_mark(a);
    f->graph = f->m->train;
    f->graph.n = node + 1;
    bool ok = make_plan(f, a, e);
    if (ok)
        memcpy(f->plan.buf[f->m->train_x].v, f->x, (size_t)f->rows * f->m->n_in * sizeof *f->x);
    for (int k = 0; ok && k < ROUNDS; k++)
        fit(f);
    arena_rewind(a, mark);
    return ok && halt_go_on(f->exec.halt, e);
}

bool init_from_data(struct model *m, const real *x, size_t n, const struct halt *halt,
                    struct arena *a, struct err *e)
{
    struct fitter f = {.m = m,
                       .x = x,
                       .rows = n < INIT_DATA_ROWS ? (uint32_t)n : INIT_DATA_ROWS,
                       .exec = {.halt = halt}};
    size_t layer = 0;
    bool ok = true;
    for (uint32_t i = 0; ok && n > 1 && i < m->train.n; i++)
        if (m->train.node[i].kind == NODE_OP && m->train.node[i].op == &op_linear)
            ok = !init_wants_data(model_init_of(m, layer++)) || fit_layer(&f, i, a, e);
    return ok;
}
