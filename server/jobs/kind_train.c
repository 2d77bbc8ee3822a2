// SPDX-License-Identifier: MIT
// The kind of job that makes a model: one training on the job's own split, whose model is published
// with its scores.

#include "engine/table/task.h"
#include "server/jobs/epoch_series.h"
#include "server/jobs/job_kind.h"
#include "server/jobs/model_summary.h"
#include "server/jobs/publish.h"
#include "server/jobs/trial.h"

static void train_resolve(struct job_spec *s, const struct prepared *p)
{
    const struct trial_plan plan = trial_plan(s, p);
    s->train.batch_size = (int)plan.batch;
    s->planned = plan.epochs;
}

static bool train_kind_begin(struct run *r, struct err *e)
{
    struct trial *t = r->own = arena_need(&r->arena, 1, sizeof *t);
    if (!trial_begin(t, &r->prepared, r, e))
        return false;
    const struct trial_plan plan = trial_plan(&r->spec, &r->prepared);
    struct job_beat *b = &r->curve.beat;
    b->epochs = plan.epochs;
    b->steps = plan.steps;
    b->best_metric = r->spec.train.monitor;
    trial_note(t, r);
    return epoch_series_declare(&r->curve, &r->prepared.model, &r->spec.train, t->val.n > 0,
                                &r->arena, e);
}

static void on_epoch(void *ctx, const struct train_epoch *t)
{
    struct run *r = ctx;
    epoch_series_add(&r->curve, t,
                     &(struct epoch_place){t->epoch, (int64_t)t->step, run_seconds(r), NULL, 0});
    run_told(r);
}

static bool train_work(struct run *r, const struct exec *x, struct err *e)
{
    return trial_train(r->own, r,
                       &(const struct train_hooks){.ctx = r, .epoch = on_epoch, .step = run_step},
                       x, e);
}

static bool train_conclude(struct run *r, struct err *e)
{
    const struct trial *t = r->own;
    const struct model *m = &r->prepared.model;
    const struct model_summary summary = {&r->prepared, &t->val,        &t->test,
                                          &t->result,   run_seconds(r), &r->halt};
    const struct model_new model = {.name = r->job.name,
                                    .task = m->answer.task->row.name,
                                    .summary = summary_write(&summary, &r->arena, e)};
    size_t len;
    const char *header = model.summary ? model_file_header(m, &r->prepared.prep, r->job.name,
                                                           r->job.spec, &len, &r->arena, e)
                                       : NULL;
    return header && publish_model(r,
                                   (const struct digest_part[]){
                                       {header, len}, {m->value, m->n_value * sizeof *m->value}},
                                   &model, e);
}

const struct job_kind job_kind_train = {
    .row = {.name = "train", .doc = "Train a model and publish it with its scores."},
    .resolve = train_resolve,
    .begin = train_kind_begin,
    .work = train_work,
    .conclude = train_conclude,
};
