// SPDX-License-Identifier: MIT
// The kind of job that looks for a good learning rate: one sweep on the training rows, with a curve
// and without a model.

#include "api/schema/job_parts.h"
#include "engine/train/lr_finder.h"
#include "server/jobs/job_kind.h"
#include "server/jobs/lr_series.h"
#include "server/jobs/trial.h"

static const struct field sweep_fields[] = {
    REAL("min", struct lr_sweep, min, .def = "1e-7", .above_min = true, .max = 1e3,
         .doc = "Learning rate of the first step."),
    REAL("max", struct lr_sweep, max, .def = "10", .above_min = true, .max = 1e6,
         .doc = "Learning rate of the last step."),
    INT("steps", struct lr_sweep, steps, .def = "100", .min = 10, .max = 10000,
        .doc = "Largest number of steps; the job ends earlier when the loss explodes."),
    {0},
};
const struct schema job_part_lr_finder = {
    .name = "LearningRateSweep", .field = sweep_fields, .size = sizeof(struct lr_sweep)};

static const struct field found_fields[] = {
    REAL("valley", struct lr_found, valley, .nullable = true,
         .doc = "In the middle of the loss's longest fall: the usual choice."),
    REAL("steep", struct lr_found, steep, .nullable = true, .doc = "Where the loss falls fastest."),
    REAL("minimum", struct lr_found, minimum, .nullable = true,
         .doc = "A tenth of where the loss is least."),
    {0},
};
const struct schema job_result_lr_finder = {.name = "LearningRateFound",
                                            .doc = "What a sweep over learning rates suggests.",
                                            .field = found_fields,
                                            .size = sizeof(struct lr_found),
                                            .reply = true};

// What a run works on, and what it finds.
struct sweep_run {
    struct trial trial;
    struct lr_found found;
};

static bool sweep_check(const struct job_spec *s, const struct prepared *p, const struct arena *a,
                        struct err *e)
{
    (void)p, (void)a;
    return lr_check(job_part(s), "/lr_finder", e);
}

static void sweep_resolve(struct job_spec *s, const struct prepared *p)
{
    const struct lr_sweep *sweep = job_part(s);
    s->train.batch_size = (int)trial_plan(s, p).batch;
    s->planned = sweep->steps;
}

static bool sweep_begin(struct run *r, struct err *e)
{
    struct sweep_run *s = r->own = arena_need(&r->arena, 1, sizeof *s);
    const struct lr_sweep *sweep = job_part(&r->spec);
    if (!trial_begin(&s->trial, &r->prepared, r, e))
        return false;
    r->curve.beat.epochs = r->curve.beat.steps = sweep->steps;
    trial_note(&s->trial, r);
    return lr_series_declare(&r->curve, &r->arena, e);
}

static void on_point(void *ctx, const struct lr_point *p)
{
    struct run *r = ctx;
    lr_series_add(&r->curve, p);
    run_told(r);
}

static bool sweep_work(struct run *r, const struct exec *x, struct err *e)
{
    struct sweep_run *s = r->own;
    const struct lr_hooks hooks = {r, on_point, run_step};
    r->result = &s->found;
    return lr_find(&r->prepared.model, &r->spec.train, job_part(&r->spec), &s->trial.train, &hooks,
                   x, &s->found, &r->arena, e);
}

const struct job_kind job_kind_lr_finder = {
    .row = {.name = "lr_finder",
            .doc = "Sweep over learning rates to find a good one; GET /jobs/{id}/lr shows it."},
    .check = sweep_check,
    .resolve = sweep_resolve,
    .begin = sweep_begin,
    .work = sweep_work,
    .conclude = run_conclude,
    .result = &job_result_lr_finder,
};
