// SPDX-License-Identifier: MIT
// One step of training: a batch, its loss and gradients, the regularisers beside the graph, the
// optimizer.

#include "engine/train/trainer.h"

#include "engine/base/rng.h"

#include <math.h>
#include <string.h>

bool train_out_of_memory(struct err *e)
{
    return fail(
        e, ERR_TOO_LARGE,
        "training needs more memory than a job may use; use fewer units or a smaller batch");
}

bool train_go_on(const struct trainer *t, struct err *e)
{
    return !halt_asked(exec_halt(t->x)) ||
           fail(e, ERR_CANCELLED, "stopped at step %llu of %llu", (unsigned long long)t->step,
                (unsigned long long)t->steps);
}

bool train_begin(const struct trainer *t, struct err *e)
{
    if (t->hooks->step)
        t->hooks->step(t->hooks->ctx, t->step);
    return train_go_on(t, e);
}

void train_shuffle(struct trainer *t, int epoch)
{
    const struct halt *halt = exec_halt(t->x);
    for (size_t i = 0; i < t->train->n; i++)
        t->order[i] = (uint32_t)i;
    if (t->spec->shuffle)
        rng_shuffle(rng_key(t->spec->seed, RNG_SHUFFLE, (uint64_t)epoch, 0), t->order, t->train->n,
                    halt);
}

static real *input(const struct trainer *t, uint32_t node, size_t i)
{
    const struct buf *b = &t->plan.buf[node];
    return b->v + i * b->cols;
}

static void load_row(struct trainer *t, size_t i, size_t row)
{
    const struct model *m = t->m;
    const struct train_rows *rows = t->train;
    memcpy(input(t, m->train_x, i), rows->x + row * m->n_in, m->n_in * sizeof *rows->x);
    memcpy(input(t, m->train_y, i), rows->y + row * m->answer.n_target,
           m->answer.n_target * sizeof *rows->y);
    if (rows->w)
        *input(t, m->train_w, i) = rows->w[row];
}

// With weights w and w' of the two rows the loss λ w L(y) + (1 - λ) w' L(y') is that of a row which
// weighs λ w + (1 - λ) w' = W and of which λ w / W is the first one's.
static void load_partner(struct trainer *t, size_t i, size_t other)
{
    const struct model *m = t->m;
    const struct train_rows *rows = t->train;
    real share = (real)t->mixer.share, *to = input(t, m->train_share, i);
    memcpy(input(t, m->train_y2, i), rows->y + other * m->answer.n_target,
           m->answer.n_target * sizeof *rows->y);
    *to = share;
    if (share == 1)
        return;
    mix_row(&t->mixer, input(t, m->train_x, i), rows->x + other * m->n_in);
    if (!rows->w)
        return;
    real *w = input(t, m->train_w, i), own = share * *w;
    *w = own + (1 - share) * rows->w[other];
    *to = *w > 0 ? own / *w : share;
}

void train_load(struct trainer *t, uint32_t b, bool mixed)
{
    size_t first = (size_t)b * t->batch;
    t->rows = (uint32_t)(b + 1 == t->batches ? t->train->n - first : t->batch);
    const struct halt *halt = exec_halt(t->x);
    for (size_t i = 0; i < t->rows && !halt_due_row(halt, i); i++)
        load_row(t, i, t->order[first + i]);
    if (mixed)
        mixer_draw(&t->mixer, t->step, t->rows);
    else
        t->mixer.share = 1;
    bool paired = t->m->train_share != GRAPH_NONE;
    for (size_t i = 0; paired && i < t->rows && !halt_due_row(halt, i); i++)
        load_partner(t, i, t->order[first + (mixed ? t->mixer.partner[i] : i)]);
}

// The parameter with the first gradient that is not finite; where only their sum is not, with the
// largest.
static const char *broken_gradient(const struct trainer *t)
{
    const char *largest = NULL;
    real most = 0;
    for (size_t i = 0; i < t->m->n_param; i++) {
        const struct model_param *p = &t->m->param[i];
        for (size_t k = 0; p->trained && k < (size_t)p->rows * p->cols; k++) {
            real g = fabs(t->grad[p->at + k]);
            if (!isfinite(g))
                return p->name;
            if (g > most) {
                most = g;
                largest = p->name;
            }
        }
    }
    return largest;
}

bool train_diverged(const struct trainer *t, const char *what, const char *where, struct err *e)
{
    return train_go_on(t, e) &&
           fail(e, ERR_DIVERGED,
                "diverged at step %llu: %s is not finite, first in %s; lower optimizer.lr (the "
                "learning rate was %g), lengthen schedule.warmup or set "
                "regularization.gradient_clip_norm",
                (unsigned long long)t->step + 1, what, where ? where : "the network", t->lr);
}

// Forward and backward over the loaded batch: the loss without penalties.
static bool pass(struct trainer *t, double *loss, struct err *e)
{
    plan_forward(&t->plan, t->rows, rng_key(t->spec->seed, RNG_DROPOUT, t->step, 0), t->x);
    *loss = (double)t->plan.buf[t->m->train.n - 1].v[0];
    if (!isfinite(*loss))
        return train_diverged(t, "the loss", plan_first_broken(&t->plan, t->rows), e);
    plan_backward(&t->plan, t->rows, t->x);
    return true;
}

static double clip_factor(const struct trainer *t, double norm)
{
    double longest = t->spec->clip_norm;
    return longest > 0 && norm > longest ? longest / (norm + 1e-6) : 1;
}

// A gradient is shortened on its way into the update, which costs nothing, but for noise on top of
// the shortened one, and for a step that takes its gradient from elsewhere (SAM), where it is
// another one that may be too long. A line search wants it as it is.
static bool shortens_in_place(const struct trainer *t)
{
    const struct optim *row = t->optimizer.row;
    return t->spec->regularization.gradient_noise > 0 ||
           (t->spec->clip_norm > 0 && optimizer_evaluates(&t->spec->optimizer) && !row->all);
}

static bool step_evaluate(void *ctx, double *loss, struct err *e)
{
    struct trainer *t = ctx;
    if (!pass(t, loss, e) || !train_go_on(t, e))
        return false;
    *loss += regularize_gradient(&t->regularizer, t->x);
    if (shortens_in_place(t)) {
        double clip = clip_factor(t, optimizer_grad_norm(&t->optimizer, t->x));
        regularize_finish(&t->regularizer, t->step, clip, t->x);
    }
    return true;
}

static bool update(struct trainer *t, double loss, double clip, struct err *e)
{
    if (shortens_in_place(t)) {
        regularize_finish(&t->regularizer, t->step, clip, t->x);
        clip = 1;
    }
    if (!optimizer_step(&t->optimizer, t->lr, loss, clip, &t->closure, t->x, e))
        return false;
    regularize_weights(&t->regularizer, t->x);
    return true;
}

static double batch_weight(const struct trainer *t)
{
    double sum = 0;
    for (size_t i = 0; t->train->w && i < t->rows; i++)
        sum += (double)*input(t, t->m->train_w, i);
    return t->train->w ? sum : t->rows;
}

bool train_step(struct trainer *t, struct stepped *s, struct err *e)
{
    t->closure = (struct optim_closure){step_evaluate, t};
    s->weight = batch_weight(t);
    if (!pass(t, &s->loss, e))
        return false;
    if (t->observing)
        observe_gradient(&t->observer, t->rows, t->x);
    double penalty = regularize_gradient(&t->regularizer, t->x);
    s->norm = optimizer_grad_norm(&t->optimizer, t->x);
    if (!isfinite(s->norm))
        return train_diverged(t, "the gradient", broken_gradient(t), e);
    if (!update(t, s->loss + penalty, clip_factor(t, s->norm), e))
        return false;
    if (t->observing)
        observe_update(&t->observer, t->x);
    if (!train_go_on(t, e))
        return false;
    t->step++;
    return true;
}
