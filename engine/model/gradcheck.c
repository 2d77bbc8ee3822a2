// SPDX-License-Identifier: MIT
// See gradcheck.h. Compiled in double only: central differences lose half of the digits, which
// leaves nothing to compare in single precision. A difference that does not shrink with its step is
// taken at a kink, where there is no gradient to agree with, and is counted apart.

#include "engine/model/gradcheck.h"

#include "engine/model/init.h"
#include "engine/model/trace.h"
#include "engine/nn/role.h"

#include <math.h>
#include <string.h>

static const double STEP = 1e-5;

// The network and a pass through it, whose numbers can be moved one by one.
struct bench {
    struct model model;
    struct trace trace;
    size_t rows;
    struct exec exec; // this thread, until the halt
};

// The same choice in this build's tables.
static struct pick own(const struct table *t, const struct pick *p)
{
    struct pick mine = *p;
    mine.row = p->row ? table_find(t, p->row->name) : NULL;
    return mine;
}

static struct model_spec own_spec(const struct model_spec *spec, struct arena *a)
{
    struct model_spec mine = *spec;
    struct layer_spec *layer = arena_need(a, spec->n_layer + 1, sizeof *layer);
    for (size_t i = 0; i < spec->n_layer; i++) {
        layer[i] = spec->layer[i];
        layer[i].activation = own(&activation_table, &layer[i].activation);
        layer[i].norm = own(&norm_table, &layer[i].norm);
        layer[i].init = (struct pick){0};
    }
    mine.layer = layer;
    mine.init = pick_row(&init_table, init_table.row[0]);
    return mine;
}

static real *widen(const float *v, size_t n, struct arena *a)
{
    real *w = arena_alloc(a, n, sizeof *w);
    for (size_t i = 0; w && i < n; i++)
        w[i] = v[i];
    return w;
}

static bool gradcheck_set_up(struct bench *b, const struct gradcheck_model *m, const float *x,
                             const float *y, struct arena *a, struct err *e)
{
    const struct model_spec spec = own_spec(m->spec, a);
    const struct pick loss = own(&loss_table, m->loss);
    const struct model_task task = {.answer = m->answer, .n_in = (uint32_t)m->n_in, .loss = &loss};
    if (!model_build(&b->model, &spec, &task, a, e))
        return false;
    BUG(b->model.n_value != m->n_value);
    real *wide_x = widen(x, b->rows * m->n_in, a),
         *wide_y = widen(y, b->rows * m->answer->n_target, a);
    if (!wide_x || !wide_y)
        return fail(e, ERR_TOO_LARGE, "the check needs more memory than one request may use");
    for (size_t i = 0; i < m->n_value; i++)
        b->model.value[i] = m->value[i];
    return trace_run(&b->trace, &b->model, wide_x, wide_y, b->rows, b->exec.halt, a, e);
}

static double loss_at(struct bench *b, real *place, real value)
{
    real keep = *place;
    *place = value;
    plan_forward(&b->trace.plan, (uint32_t)b->rows, 0, &b->exec);
    *place = keep;
    return b->trace.plan.buf[b->trace.view.graph.n - 1].v[0];
}

struct slope {
    double central, bend; // bend: difference of the slopes to the right and to the left
};

static struct slope slope_at(struct bench *b, real *place, double loss, double h)
{
    double up = loss_at(b, place, *place + h), down = loss_at(b, place, *place - h);
    return (struct slope){(up - down) / (2 * h), (up - 2 * loss + down) / h};
}

// Where the loss is smooth the bend shrinks with the step; at a corner it stays.
static bool is_kink(struct bench *b, real *place, double loss, double h, double bend)
{
    return fabs(bend) > 1e-6 && fabs(slope_at(b, place, loss, h / 8).bend) > .5 * fabs(bend);
}

static void gradcheck_check(struct bench *b, struct gradcheck_part *p, real *v, const real *d,
                            size_t at, double loss)
{
    double h = STEP * fmax(1, fabs(v[at])), got = d[at];
    struct slope s = slope_at(b, &v[at], loss, h);
    double error = fabs(got - s.central) / fmax(1e-3, fmax(fabs(got), fabs(s.central)));
    p->checked++;
    if (error > 1e-6 && is_kink(b, &v[at], loss, h, s.bend)) {
        p->kinks++;
    } else if (error >= p->error) {
        p->error = error;
        p->worst = at;
        p->autograd = got;
        p->difference = s.central;
    }
}

static void check_part(struct bench *b, struct gradcheck_part *p, real *v, const real *d,
                       size_t most, double loss)
{
    size_t n = p->n < most ? p->n : most;
    for (size_t i = 0; i < n && !halt_asked(b->exec.halt); i++)
        gradcheck_check(b, p, v, d, i * p->n / n, loss);
}

bool gradcheck_run(const struct gradcheck_model *m, const float *x, const float *y, size_t rows,
                   size_t most, struct gradcheck *out, const struct halt *halt, struct arena *a,
                   struct err *e)
{
    struct bench b = {.rows = rows, .exec = {.halt = halt}};
    if (!gradcheck_set_up(&b, m, x, y, a, e))
        return false;
    const struct buf *input = &b.trace.plan.buf[b.trace.view.x];
    size_t n = 0, each;
    *out = (struct gradcheck){
        .part = arena_need(a, b.model.n_param + 1, sizeof *out->part),
        .loss = b.trace.plan.buf[b.trace.view.graph.n - 1].v[0],
    };
    for (size_t i = 0; i < b.model.n_param; i++)
        n += b.model.param[i].trained;
    each = most / (n + 1) ? most / (n + 1) : 1;
    for (size_t i = 0; i < b.model.n_param; i++) {
        const struct model_param *q = &b.model.param[i];
        struct gradcheck_part *p = &out->part[out->n];
        if (!q->trained)
            continue;
        *p = (struct gradcheck_part){.name = q->name, .n = (size_t)q->rows * q->cols};
        check_part(&b, p, b.model.value + q->at, b.trace.grad + q->at, each, out->loss);
        out->n++;
    }
    out->part[out->n] = (struct gradcheck_part){.name = "input", .n = rows * m->n_in};
    check_part(&b, &out->part[out->n++], input->v, input->d, each, out->loss);
    for (size_t i = 1; i < out->n; i++)
        if (out->part[i].error > out->part[out->worst].error)
            out->worst = i;
    return halt_go_on(halt, e);
}
