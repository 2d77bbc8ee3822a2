// SPDX-License-Identifier: MIT
// Averages of the weights: EMA and SWA.
//
// The running statistics of batch norm are not averaged. Under EMA the live ones serve; the mean of
// epochs' ends lies far from any weights they were taken at, so they are computed anew for it, as
// torch.optim.swa_utils.update_bn does: the mean over all batches of the training rows.

#include "engine/train/trainer.h"

#include "engine/base/rng.h"
#include "engine/base/vmath.h"
#include "engine/nn/op.h"

#include <math.h>
#include <string.h>

enum { SPAN = 16384 };

bool average_init(struct trainer *t, struct run_state *run, struct err *e)
{
    struct average *v = &t->average;
    const struct model *m = t->m;
    v->factor = NAN;
    v->from = t->epochs - average_epochs(t->spec, t->epochs) + 1;
    if (!average_wanted(t->spec))
        return true;
    STATE_COUNT(run, "average.n", &v->k, UINT64_MAX);
    STATE_NUMBER(run, "average.factor", &v->factor);
    STATE_KEEP(run, "average.values", v->value, m->n_trained);
    STATE_SCRATCH(run, "average.kept", v->kept, average_statistics(m));
    STATE_SCRATCH(run, "average.sum", v->sum, average_statistics(m));
    if (!run_state_granted(run))
        return train_out_of_memory(e);
    if (!run_state_sizing(run))
        train_copy(t, v->value, m->value, m->n_trained);
    return true;
}

// Work on all parameters, in spans for the executor.
struct blend {
    real *to;
    real *from;
    size_t n;
    real share;
};

static uint32_t average_spans(size_t n)
{
    return (uint32_t)((n + SPAN - 1) / SPAN);
}

static size_t span_length(size_t n, size_t at)
{
    return n - at < SPAN ? n - at : SPAN;
}

static void copy_span(void *arg, uint32_t i)
{
    const struct blend *b = arg;
    size_t at = (size_t)i * SPAN;
    memcpy(b->to + at, b->from + at, span_length(b->n, at) * sizeof *b->to);
}

void train_copy(const struct trainer *t, real *to, const real *from, size_t n)
{
    struct blend b = {.to = to, .from = (real *)from, .n = n};
    exec_run(t->x, average_spans(n), copy_span, &b);
}

// e += share (p - e)
KERNEL static void blend(real *to, const real *from, size_t n, real share)
{
    LANES for (size_t i = 0; i < n; i++) to[i] += share * (from[i] - to[i]);
}

static void blend_span(void *arg, uint32_t i)
{
    const struct blend *b = arg;
    size_t at = (size_t)i * SPAN;
    blend(b->to + at, b->from + at, span_length(b->n, at), b->share);
}

static void include(struct trainer *t, double share)
{
    struct blend b = {t->average.value, t->m->value, t->m->n_trained, (real)share};
    exec_run(t->x, average_spans(b.n), blend_span, &b);
}

// e = δ e + (1 - δ) p,  δ = min(ema, (1 + k) / (10 + k))
void average_step(struct trainer *t)
{
    if (t->spec->ema <= 0)
        return;
    double k = (double)++t->average.k;
    include(t, 1 - fmin(t->spec->ema, (1 + k) / (10 + k)));
}

// The mean of the k ends so far: e += (p - e) / k
void average_epoch(struct trainer *t, int epoch)
{
    if (t->spec->swa > 0 && epoch >= t->average.from)
        include(t, 1 / (double)++t->average.k);
}

double average_rate(struct trainer *t, int epoch, double factor)
{
    if (t->spec->swa <= 0 || epoch < t->average.from)
        return factor;
    if (isnan(t->average.factor))
        t->average.factor = factor;
    return t->average.factor;
}

static void swap_span(void *arg, uint32_t i)
{
    const struct blend *b = arg;
    size_t at = (size_t)i * SPAN, n = span_length(b->n, at);
    LANES for (size_t k = at; k < at + n; k++)
    {
        real keep = b->to[k];
        b->to[k] = b->from[k];
        b->from[k] = keep;
    }
}

static void swap_weights(struct trainer *t)
{
    struct blend b = {.to = t->m->value, .from = t->average.value, .n = t->m->n_trained};
    exec_run(t->x, average_spans(b.n), swap_span, &b);
}

// sum += what one batch added to statistics that were 0, undone of its share in them.
static void add_statistics(struct trainer *t, const struct norm *norm, const struct node *n)
{
    double share = norm->new_share(n->value);
    const real *live = t->m->value + t->m->n_trained;
    for (int k = 0; k < OP_PARAMS && n->op->param[k].name; k++) {
        const struct node *leaf = &t->m->train.node[n->in[k + 1]];
        for (size_t c = 0; n->op->param[k].buffer && c < leaf->cols; c++)
            t->average.sum[leaf->at + c] +=
                share > 0 ? (real)((double)live[leaf->at + c] / share / t->batches)
                          : t->average.kept[leaf->at + c] / (real)t->batches;
    }
}

static void count_batch(struct trainer *t, uint32_t b)
{
    memset(t->m->value + t->m->n_trained, 0, average_statistics(t->m) * sizeof *t->m->value);
    train_load(t, b, false);
    plan_forward(&t->plan, t->rows, rng_key(t->spec->seed, RNG_DROPOUT, t->step, b + 1), t->x);
    for (uint32_t i = 0; i < t->m->train.n; i++) {
        const struct node *n = &t->m->train.node[i];
        const struct norm *norm = n->kind == NODE_OP ? norm_of(n->op) : NULL;
        if (norm && norm->new_share)
            add_statistics(t, norm, n);
    }
}

static void compute_statistics(struct trainer *t)
{
    struct average *v = &t->average;
    real *live = t->m->value + t->m->n_trained;
    size_t n = average_statistics(t->m);
    memcpy(v->kept, live, n * sizeof *live);
    memset(v->sum, 0, n * sizeof *v->sum);
    for (uint32_t b = 0; b < t->batches && !halt_asked(exec_halt(t->x)); b++)
        count_batch(t, b);
    memcpy(live, v->sum, n * sizeof *live);
}

void train_swap_in(struct trainer *t)
{
    optimizer_swap_in(&t->optimizer, t->x);
    if (t->average.k == 0)
        return;
    swap_weights(t);
    if (t->spec->swa > 0 && average_statistics(t->m))
        compute_statistics(t);
}

void train_swap_out(struct trainer *t)
{
    size_t n = average_statistics(t->m);
    if (t->average.k > 0) {
        swap_weights(t);
        if (t->spec->swa > 0 && n)
            memcpy(t->m->value + t->m->n_trained, t->average.kept, n * sizeof *t->average.kept);
    }
    optimizer_swap_out(&t->optimizer, t->x);
}
