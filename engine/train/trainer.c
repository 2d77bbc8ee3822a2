// SPDX-License-Identifier: MIT
// All memory of a run: see trainer.h.

#include "engine/train/trainer.h"

#include "engine/train/train_check.h"

#include <math.h>

static bool init_scoring(struct trainer *t, struct run_state *run, struct err *e)
{
    const struct model *m = t->m;
    size_t n = t->val->n;
    t->watched = train_metric(t->spec->monitor, m, &t->watched_at);
    t->best_value = NAN;
    if (n == 0)
        return true;
    STATE_COUNT(run, "early_stopping.improved", &t->improved, (uint64_t)t->epochs);
    STATE_NUMBER(run, "early_stopping.best_value", &t->best_value);
    STATE_COUNT(run, "early_stopping.best_epoch", &t->best_epoch, (uint64_t)t->epochs);
    STATE_KEEP(run, "early_stopping.best", t->best, m->n_value);
    return scorer_init(&t->scorer, m, t->val, n < SCORE_ROWS ? (uint32_t)n : SCORE_ROWS,
                       exec_halt(t->x), run, e);
}

static bool init_optimizer(struct trainer *t, struct run_state *run, struct err *e)
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
    schedule_init(&t->schedule, run);
    return optimizer_init(&t->optimizer, &setup, run, e);
}

static bool init_plan(struct trainer *t, struct run_state *run, struct err *e)
{
    const struct model *m = t->m;
    uint32_t most = t->batch + train_lone_row(t->train->n, t->batch, m->by_column);
    run_state_other(run, "plan", plan_bytes(&m->train, most, true));
    if (!mixer_init(&t->mixer, t->spec, most, m->n_in, run, e))
        return false;
    if (run_state_sizing(run))
        return true;
    struct plan_memory memory = {
        .param = m->value, .grad = t->grad, .buffer = m->value + m->n_trained};
    return plan_init(&t->plan, &m->train, most, memory, run->arena, e);
}

static bool init_position(struct trainer *t, struct run_state *run, struct err *e)
{
    size_t n = t->train->n;
    t->batch = train_batch_size(t->spec, n);
    t->batches = train_batches(n, t->batch, t->m->by_column);
    t->steps = train_steps(t->spec, t->batches);
    t->epochs = train_epochs(t->spec, t->batches);
    STATE_COUNT(run, "position.epoch", &t->epoch, (uint64_t)t->epochs);
    STATE_COUNT(run, "position.step", &t->step, t->steps);
    STATE_SCRATCH(run, "gradient", t->grad, t->m->n_trained);
    STATE_SCRATCH(run, "order", t->order, n);
    return run_state_granted(run) || train_out_of_memory(e);
}

bool trainer_init(struct trainer *t, struct run_state *run, struct err *e)
{
    size_t n = t->train->n;
    BUG(n == 0 || n > UINT32_MAX);
    BUG(!run_state_sizing(run) && !t->train->w != (t->m->train_w == GRAPH_NONE));
    return init_position(t, run, e) && init_plan(t, run, e) && init_optimizer(t, run, e) &&
           regularizer_init(&t->regularizer, t->m, &t->spec->regularization, t->spec->seed, t->grad,
                            run, e) &&
           average_init(t, run, e) && init_scoring(t, run, e) &&
           (!t->spec->observe || observer_init(&t->observer, t->m, &t->plan, t->grad, run, e));
}
