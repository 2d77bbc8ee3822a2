// SPDX-License-Identifier: MIT
// All memory of a run: see trainer.h.

#include "engine/train/trainer.h"

#include "engine/train/train_check.h"

#include <math.h>

static bool init_scoring(struct trainer *t, struct arena *a, struct err *e)
{
    const struct model *m = t->m;
    size_t n = t->val->n;
    t->watched = train_metric(t->spec->monitor, m, &t->watched_at);
    t->best_value = NAN;
    if (n == 0)
        return true;
    t->best = arena_alloc(a, m->n_value, sizeof *t->best);
    t->answer = arena_alloc(a, n * answer_width(&m->answer), sizeof *t->answer);
    t->target = arena_alloc(a, n * m->answer.n_target, sizeof *t->target);
    t->scratch = arena_alloc(a, 2 * n, sizeof *t->scratch);
    if (!t->best || !t->answer || !t->target || !t->scratch)
        return train_out_of_memory(e);
    predict_targets(m, t->val->y, n, t->target, exec_halt(t->x));
    return predictor_init(&t->scorer, m, n < SCORE_ROWS ? (uint32_t)n : SCORE_ROWS, a, e);
}

static bool init_optimizer(struct trainer *t, struct arena *a, struct err *e)
{
    const struct model *m = t->m;
    const struct optim_setup setup = {.pick = &t->spec->optimizer,
                                      .param = m->value,
                                      .grad = t->grad,
                                      .n = m->n_trained,
                                      .model_param = m->param,
                                      .n_model_param = m->n_param,
                                      .group = t->spec->group,
                                      .n_group = t->spec->n_group};
    t->schedule = schedule_start();
    return optimizer_init(&t->optimizer, &setup, a, e);
}

static bool init_plan(struct trainer *t, struct arena *a, struct err *e)
{
    const struct model *m = t->m;
    uint32_t most = t->batch + train_lone_row(t->train->n, t->batch, m->by_column);
    struct plan_memory memory = {
        .param = m->value, .grad = t->grad, .buffer = m->value + m->n_trained};
    return plan_init(&t->plan, &m->train, most, memory, a, e) &&
           mixer_init(&t->mixer, t->spec, most, m->n_in, a, e);
}

bool trainer_init(struct trainer *t, struct arena *a, struct err *e)
{
    size_t n = t->train->n;
    BUG(n == 0 || n > UINT32_MAX || !t->train->w != (t->m->train_w == GRAPH_NONE));
    t->batch = train_batch_size(t->spec, n);
    t->batches = train_batches(n, t->batch, t->m->by_column);
    t->steps = train_steps(t->spec, t->batches);
    t->epochs = train_epochs(t->spec, t->batches);
    t->grad = arena_zalloc(a, t->m->n_trained, sizeof *t->grad);
    t->order = arena_alloc(a, n, sizeof *t->order);
    if (!t->grad || !t->order)
        return train_out_of_memory(e);
    return init_plan(t, a, e) && init_optimizer(t, a, e) &&
           regularizer_init(&t->regularizer, t->m, t->spec, t->grad, a, e) &&
           average_init(t, a, e) && init_scoring(t, a, e) &&
           (!t->spec->observe || observer_init(&t->observer, t->m, &t->plan, t->grad, a, e));
}
