// SPDX-License-Identifier: MIT
// Looking inside: see observe.h. A layer is a task of the executor, alone with its memory, so the
// numbers do not depend on threads.

#include "engine/train/observe.h"

#include "engine/base/sum.h"
#include "engine/base/vmath.h"

#include <stdio.h>
#include <string.h>

const struct layer_stat layer_stat_list[LAYER_STATS] = {
#define LAYER_STAT(member, doc) {#member, doc, offsetof(struct layer_stats, member)},
#include "engine/train/layer_stats.def"
};

enum { SHIFT, SUM, SQUARES, ALIVE, SUMS }; // rows of observed_layer.column

// The last value in front of dropout and residual link.
static bool gives_out(const struct node *n)
{
    return n->kind == NODE_OP && n->rows == 0 && !n->op->train_only && n->op != &op_add;
}

static void find_value(struct observed_layer *l, const struct plan *p, uint32_t layer)
{
    for (uint32_t i = 0; i < p->graph->n; i++) {
        const struct node *n = &p->graph->node[i];
        if (n->layer != layer || !gives_out(n))
            continue;
        l->value = &p->buf[i];
        l->activation = activation_of(n->op);
    }
}

static void find_weight(struct observed_layer *l, const struct model *m, uint32_t layer)
{
    for (size_t i = 0; i < m->n_param; i++)
        if (m->param[i].layer == layer && !m->param[i].vector)
            l->weight = &m->param[i];
}

static size_t observed_units(const struct model *m, uint32_t layer)
{
    return layer < m->spec.n_layer ? (size_t)m->spec.layer[layer].units : m->n_out;
}

// A layer gives out a value for each unit, or fewer where they are gates of each other.
static void find_layer(struct observer *o, const struct model *m, const struct plan *p, uint32_t i)
{
    struct observed_layer *l = &o->layer[i];
    real *column = i ? l[-1].column + SUMS * observed_units(m, i - 1) : o->column;
    *l = (struct observed_layer){.column = column};
    find_value(l, p, i);
    find_weight(l, m, i);
    BUG(!l->value || !l->weight || l->value->cols > observed_units(m, i));
}

bool observer_init(struct observer *o, const struct model *m, const struct plan *p,
                   const real *grad, struct run_state *run, struct err *e)
{
    uint32_t n = (uint32_t)m->spec.n_layer + 1;
    size_t units = 0;
    for (uint32_t i = 0; i < n; i++)
        units += observed_units(m, i);
    *o = (struct observer){.n = n, .value = m->value, .grad = grad};
    STATE_SCRATCH(run, "observer.layers", o->layer, n);
    STATE_SCRATCH(run, "observer.stats", o->stats, n);
    STATE_SCRATCH(run, "observer.before", o->before, m->n_trained);
    STATE_SCRATCH(run, "observer.columns", o->column, SUMS * units);
    if (!run_state_granted(run))
        return fail(e, ERR_TOO_LARGE,
                    "recording the layers' statistics needs more memory than a job may use; use "
                    "fewer units, or set training.observe to false");
    for (uint32_t i = 0; !run_state_sizing(run) && i < n; i++)
        find_layer(o, m, p, i);
    return true;
}

static size_t weights(const struct observed_layer *l)
{
    return (size_t)l->weight->rows * l->weight->cols;
}

// Column sums of x - x_0 and its square (x_0 being the first row: E[x²] - E[x]² alone would
// cancel), and of the cells that are not 0.
KERNEL static void add_columns(const real *v, size_t rows, size_t cols, real *column)
{
    real *shift = column + SHIFT * cols, *sum = column + SUM * cols;
    real *squares = column + SQUARES * cols, *alive = column + ALIVE * cols;
    memset(column, 0, SUMS * cols * sizeof *column);
    memcpy(shift, v, cols * sizeof *shift);
    for (size_t r = 0; r < rows; r++)
        LANES for (size_t c = 0; c < cols; c++)
        {
            real x = v[r * cols + c], d = x - shift[c];
            sum[c] += d;
            squares[c] += d * d;
            alive[c] += x != 0 ? (real)1 : (real)0;
        }
}

// Means μ_c of n values and squares around them give those around the mean of all:
// Σ (x - μ)² = Σ_c (Q_c - D_c²/n + n (μ_c - μ)²)
static void observe_spread(const real *column, size_t rows, size_t cols, struct layer_stats *s)
{
    double n = (double)rows, all = 0, sum = 0;
    for (size_t c = 0; c < cols; c++)
        sum += (double)column[SHIFT * cols + c] + (double)column[SUM * cols + c] / n;
    s->mean = sum / (double)cols;
    for (size_t c = 0; c < cols; c++) {
        double d = (double)column[SUM * cols + c], q = (double)column[SQUARES * cols + c];
        double off = (double)column[SHIFT * cols + c] + d / n - s->mean;
        all += q - d * d / n + n * off * off;
    }
    s->std = sqrt(fmax(all, 0) / (n * (double)cols));
}

static double dead_share(const real *column, size_t cols)
{
    size_t dead = 0;
    for (size_t c = 0; c < cols; c++)
        dead += column[ALIVE * cols + c] == 0;
    return (double)dead / (double)cols;
}

KERNEL static uint32_t outside(const real *v, size_t n, real lo, real hi)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += v[i] <= lo || v[i] >= hi;
    return count;
}

static double saturated_share(const struct observed_layer *l, size_t rows)
{
    size_t n = rows * l->value->cols;
    double lo = l->activation->bound[0], hi = l->activation->bound[1], near = .01 * (hi - lo);
    if (!isfinite(near))
        return NAN;
    return outside(l->value->v, n, (real)(lo + near), (real)(hi - near)) / (double)n;
}

static void observe_layer(void *arg, uint32_t i)
{
    struct observer *o = arg;
    const struct observed_layer *l = &o->layer[i];
    struct layer_stats *s = &o->stats[i];
    size_t cols = l->value->cols, at = l->weight->at, n = weights(l);
    *s = (struct layer_stats){.dead = NAN, .saturated = NAN};
    s->grad_norm = sqrt(sum_squares(o->grad + at, n));
    memcpy(o->before + at, o->value + at, n * sizeof *o->before);
    add_columns(l->value->v, o->rows, cols, l->column);
    observe_spread(l->column, o->rows, cols, s);
    if (l->activation && l->activation->dies)
        s->dead = dead_share(l->column, cols);
    if (l->activation && l->activation->bounded)
        s->saturated = saturated_share(l, o->rows);
}

void observe_gradient(struct observer *o, uint32_t rows, const struct exec *x)
{
    o->rows = rows;
    exec_run(x, o->n, observe_layer, o);
}

static void observe_move(void *arg, uint32_t i)
{
    struct observer *o = arg;
    const struct observed_layer *l = &o->layer[i];
    struct layer_stats *s = &o->stats[i];
    const real *now = o->value + l->weight->at, *before = o->before + l->weight->at;
    double length = sqrt(sum_squares(before, weights(l)));
    double moved = sqrt(sum_squared_distance(now, before, weights(l)));
    s->weight_norm = sqrt(sum_squares(now, weights(l)));
    s->update_ratio = length > 0 ? moved / length : NAN;
}

void observe_update(struct observer *o, const struct exec *x)
{
    exec_run(x, o->n, observe_move, o);
}
