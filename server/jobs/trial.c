// SPDX-License-Identifier: MIT
// See trial.h.

#include "server/jobs/trial.h"

#include "engine/model/init_data.h"
#include "engine/train/train_check.h"
#include "server/jobs/fine_tune.h"

struct trial_plan trial_plan(const struct job_spec *s, const struct prepared *p)
{
    uint32_t batch = train_batch_size(&s->train, p->split.n_train);
    uint32_t batches = train_batches(p->split.n_train, batch, p->model.by_column);
    return (struct trial_plan){batch, train_epochs(&s->train, batches),
                               (int64_t)train_steps(&s->train, batches)};
}

static bool trial_rows(struct trial *t, struct run *r, struct err *e)
{
    const struct prepared *p = t->prepared;
    const struct split *s = &p->split;
    return prepare_rows(p, s->train, s->n_train, &t->train, &r->halt, &r->arena, e) &&
           prepare_rows(p, s->val, s->n_val, &t->val, &r->halt, &r->arena, e) &&
           prepare_rows(p, s->test, s->n_test, &t->test, &r->halt, &r->arena, e);
}

static bool trial_weights(struct trial *t, struct run *r, struct err *e)
{
    struct model *m = &t->prepared->model;
    run_state_init(&t->state, &r->arena);
    if (!model_room(m, &t->state, e) || !model_init_weights(m, r->spec.train.seed, &r->halt, e) ||
        !init_from_data(m, t->train.x, t->train.n, &r->halt, &r->arena, e))
        return false;
    if (r->spec.from)
        fine_tune_copy(m, &t->prepared->prep, &r->from);
    return true;
}

bool trial_begin(struct trial *t, struct prepared *p, struct run *r, struct err *e)
{
    *t = (struct trial){.prepared = p};
    return trial_rows(t, r, e) && trial_weights(t, r, e);
}

bool trial_train(struct trial *t, struct run *r, const struct train_hooks *hooks,
                 const struct exec *x, struct err *e)
{
    return train_run(&t->prepared->model, &r->spec.train, &t->train, &t->val, hooks, x, &t->result,
                     &t->state, e);
}

void trial_note(const struct trial *t, struct run *r)
{
    const struct model *m = &t->prepared->model;
    run_note(r,
             arena_printf(&r->arena,
                          "%zu training rows, %zu validation rows, %zu test rows; %zu rows without "
                          "a target%s are left out; %u inputs, %zu parameters",
                          t->train.n, t->val.n, t->test.n, t->prepared->split.n_dropped,
                          r->spec.prep.weights ? " or weight" : "", m->n_in, m->n_trained));
}
