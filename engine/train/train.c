// SPDX-License-Identifier: MIT
// The training loop: see train.h. Epochs, what is told of them, and whose weights are kept. A step
// is in train_step.c, averages in train_average.c, what can be known beforehand in train_check.c,
// all memory of a run in trainer.c.

#include "engine/train/train.h"

#include "engine/train/train_check.h"
#include "engine/train/trainer.h"

#include <math.h>
#include <string.h>

static double rate(struct trainer *t, int epoch)
{
    double factor =
        schedule_factor(&t->spec->schedule, t->step, t->steps, t->batches) * t->schedule.scale;
    return optimizer_lr(&t->spec->optimizer) * average_rate(t, epoch, factor);
}

static bool train_epoch(struct trainer *t, struct train_epoch *r, struct err *e)
{
    double sum = 0, weight = 0;
    struct stepped s;
    train_shuffle(t, r->epoch);
    for (uint32_t b = 0; b < t->batches && t->step < t->steps; b++) {
        if (!train_begin(t, e))
            return false;
        t->lr = rate(t, r->epoch);
        t->observing = t->spec->observe && (b + 1 == t->batches || t->step + 1 == t->steps);
        train_load(t, b, mix_wanted(t->spec));
        if (!train_step(t, &s, e))
            return false;
        average_step(t);
        sum += s.loss * s.weight;
        weight += s.weight;
        r->grad_norm = s.norm > r->grad_norm ? s.norm : r->grad_norm;
    }
    r->train_loss = weight > 0 ? sum / weight : 0;
    average_epoch(t, r->epoch);
    return true;
}

// Loss and metrics of the weights as they stand, on the validation rows.
static bool train_score(struct trainer *t, struct train_epoch *r, struct err *e)
{
    const struct metric *metric;
    size_t n = t->val->n;
    t->scorer.weight = t->val->w;
    r->val_loss = predictor_run(&t->scorer, t->val->x, t->val->y, n, t->answer, t->x);
    if (!train_go_on(t, e))
        return false;
    if (!isfinite(r->val_loss) || !predict_finite(t->answer, n * answer_width(&t->m->answer)))
        return train_diverged(t, "the validation loss",
                              plan_first_broken(&t->scorer.plan, t->scorer.plan.batch), e);
    struct scored s = {.answer = t->answer,
                       .target = t->target,
                       .n = n,
                       .k = answer_width(&t->m->answer),
                       .n_target = t->m->answer.n_target,
                       .scratch = t->scratch,
                       .halt = exec_halt(t->x)};
    for (size_t i = 0; (metric = metric_for(&t->m->answer, i)); i++)
        r->metric[i] = metric->value(&s);
    r->watched = t->watched ? r->metric[t->watched_at] : r->val_loss;
    return train_go_on(t, e);
}

// The watched value decides whether this epoch is the best so far; ties go to the later epoch.
static void judge(struct trainer *t, struct train_epoch *r)
{
    double value = r->watched;
    bool larger = t->watched && t->watched->larger_better;
    bool better = isnan(t->best_value) || (larger ? value > t->best_value : value < t->best_value);
    r->best = better || value == t->best_value;
    if (better)
        t->improved = r->epoch;
    if (r->best) {
        t->best_value = value;
        t->best_epoch = r->epoch;
        train_copy(t, t->best, t->m->value, t->m->n_value);
    }
}

static bool validate(struct trainer *t, struct train_epoch *r, struct err *e)
{
    train_swap_in(t);
    bool ok = train_score(t, r, e);
    if (ok)
        judge(t, r);
    train_swap_out(t);
    return ok;
}

static void train_tell(struct trainer *t, struct train_epoch *r)
{
    r->step = t->step;
    r->lr = t->lr;
    r->layer = t->observer.stats;
    r->n_layer = t->observer.n;
    if (t->hooks->epoch)
        t->hooks->epoch(t->hooks->ctx, r);
}

static bool run_epoch(struct trainer *t, int epoch, struct err *e)
{
    struct train_epoch r = {.epoch = epoch, .steps = t->steps, .val_loss = NAN, .watched = NAN};
    for (int i = 0; i < METRICS_MAX; i++)
        r.metric[i] = NAN;
    if (!train_epoch(t, &r, e) || (t->val->n && !validate(t, &r, e)))
        return false;
    bool larger = t->watched && t->watched->larger_better;
    double watched = t->val->n == 0 ? r.train_loss : larger ? -r.watched : r.watched;
    schedule_observe(&t->spec->schedule, watched, &t->schedule);
    train_tell(t, &r);
    return true;
}

// Patience counts from the last improvement, under SWA not before there is an average.
static bool patient(const struct trainer *t, int epoch)
{
    int since = t->improved;
    if (t->spec->swa > 0 && since < t->average.from)
        since = t->average.from;
    return t->val->n == 0 || t->spec->patience == 0 || epoch - since < t->spec->patience;
}

static bool train_finish(struct trainer *t, int epochs, struct train_result *result, struct err *e)
{
    struct model *m = t->m;
    if (t->val->n)
        train_copy(t, m->value, t->best, m->n_value);
    else
        train_swap_in(t);
    const char *broken = model_first_broken(m, m->value, exec_halt(t->x));
    if (!train_go_on(t, e))
        return false;
    if (broken)
        return train_diverged(t, "a parameter", broken, e);
    *result = (struct train_result){.epochs = epochs,
                                    .best_epoch = t->val->n ? t->best_epoch : epochs,
                                    .steps = t->step,
                                    .best_value = t->best_value,
                                    .stopped_early = t->step < t->steps};
    return true;
}

bool train_run(struct model *m, const struct train_spec *s, const struct train_rows *train,
               const struct train_rows *val, const struct train_hooks *hooks, const struct exec *x,
               struct train_result *result, struct arena *a, struct err *e)
{
    struct trainer t = {.m = m, .spec = s, .train = train, .val = val, .hooks = hooks, .x = x};
    if (!train_check(m, s, train->n, e) || !trainer_init(&t, a, e))
        return false;
    int epoch = 0;
    do
        if (!run_epoch(&t, ++epoch, e))
            return false;
    while (epoch < t.epochs && patient(&t, epoch));
    return train_finish(&t, epoch, result, e);
}
