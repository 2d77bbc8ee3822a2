// SPDX-License-Identifier: MIT
// A step over all spans, and what goes around it for every row. See optimizer.h. Sharpness-aware
// minimisation and lookahead wrap whatever row was picked: the one moves the parameters before the
// gradient is taken, the other pulls them back every few steps, and no row knows of either.

#include "engine/optim/optimizer.h"

#include "engine/base/sum.h"
#include "engine/base/vmath.h"

#include <string.h>

double optimizer_lr(const struct pick *pick)
{
    return pick_value(&optimizer_table, pick, "lr");
}

bool optimizer_evaluates(const struct pick *pick)
{
    return pick_optim(pick)->all || pick_value(&optimizer_table, pick, "sam") > 0;
}

static void norm_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    const struct optim_span *s = &o->span[i];
    o->partial[i] = sum_squares(s->g, s->n);
}

double optimizer_grad_norm(struct optimizer *o, const struct exec *x)
{
    exec_run(x, o->n_span, norm_span, o);
    double sum = 0;
    for (uint32_t i = 0; i < o->n_span; i++)
        sum += o->partial[i];
    return sqrt(sum);
}

static void optimizer_prepare(struct optimizer *o, double lr)
{
    for (size_t i = 0; i < o->n_group; i++) {
        struct optim_group *g = &o->group[i];
        double coef[OPTIM_COEFS] = {0};
        o->row->prepare(g->value, o->k, lr * g->lr, g->run, coef);
        for (int c = 0; c < OPTIM_COEFS; c++)
            g->coef[c] = (real)coef[c];
    }
}

static void begin_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    const struct optim_span *s = &o->span[i];
    if (o->row->begin)
        o->row->begin(s);
    if (o->slow)
        memcpy(o->slow + s->at, s->p, s->n * sizeof *s->p);
}

static void step_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    const struct optim_span *s = &o->span[i];
    (s->rows ? o->row->matrix : o->row->step)(s);
}

// φ += α (p - φ);  p = φ
KERNEL static void pull_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    const struct optim_span *s = &o->span[i];
    real *p = s->p, *slow = o->slow + s->at, alpha = o->alpha;
    LANES for (size_t k = 0; k < s->n; k++) p[k] = slow[k] += alpha * (p[k] - slow[k]);
}

// p + ρ g/‖g‖, keeping p; the factor comes in as the span's clip.
KERNEL static void climb_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    const struct optim_span *s = &o->span[i];
    real *p = s->p, *kept = o->backup + s->at, clip = s->clip;
    const real *g = s->g;
    LANES for (size_t k = 0; k < s->n; k++)
    {
        kept[k] = p[k];
        p[k] += clip * g[k];
    }
}

static void return_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    const struct optim_span *s = &o->span[i];
    memcpy(s->p, o->backup + s->at, s->n * sizeof *s->p);
}

static void set_clip(struct optimizer *o, double clip)
{
    for (uint32_t i = 0; i < o->n_span; i++)
        o->span[i].clip = (real)clip;
}

// Sharpness-aware: the gradient a step uphill in place of the one here.
static bool sharpen(struct optimizer *o, const struct optim_closure *c, const struct exec *x,
                    struct err *e)
{
    double norm = optimizer_grad_norm(o, x), loss;
    if (!(norm > 0))
        return true;
    set_clip(o, o->sam / norm);
    exec_run(x, o->n_span, climb_span, o);
    bool ok = c->evaluate(c->ctx, &loss, e);
    exec_run(x, o->n_span, return_span, o);
    return ok;
}

bool optimizer_step(struct optimizer *o, double lr, double loss, double clip,
                    const struct optim_closure *c, const struct exec *x, struct err *e)
{
    BUG(!c && (o->row->all || o->sam > 0));
    if (o->sam > 0 && !sharpen(o, c, x, e))
        return false;
    o->k++;
    optimizer_prepare(o, o->row->all ? 1 : lr);
    if (o->k == 1 && (o->row->begin || o->slow))
        exec_run(x, o->n_span, begin_span, o);
    if (o->row->all)
        return o->row->all(o, lr, loss, c, x, e);
    set_clip(o, clip);
    for (uint32_t i = 0; i < o->n_span && o->row->matrix; i++)
        o->span[i].halt = exec_halt(x);
    exec_run(x, o->n_span, step_span, o);
    if (o->slow && o->k % o->lookahead == 0)
        exec_run(x, o->n_span, pull_span, o);
    return true;
}

static void swap_in_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    o->row->swap_in(&o->span[i]);
}

static void swap_out_span(void *arg, uint32_t i)
{
    struct optimizer *o = arg;
    o->row->swap_out(&o->span[i]);
}

void optimizer_swap_in(struct optimizer *o, const struct exec *x)
{
    if (o->row->swap_in && o->k > 0)
        exec_run(x, o->n_span, swap_in_span, o);
}

void optimizer_swap_out(struct optimizer *o, const struct exec *x)
{
    if (o->row->swap_out && o->k > 0)
        exec_run(x, o->n_span, swap_out_span, o);
}
