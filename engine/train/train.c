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
    const struct plan *plan = &t->scorer.predictor.plan;
    r->val_loss = scorer_run(&t->scorer, t->x);
    if (!train_go_on(t, e))
        return false;
    if (!isfinite(r->val_loss) || !scorer_finite(&t->scorer))
        return train_diverged(t, "the validation loss", plan_first_broken(plan, plan->batch), e);
    scorer_metrics(&t->scorer, exec_halt(t->x), r->metric);
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

static bool run_epoch(struct trainer *t, struct err *e)
{
    struct train_epoch r = {
        .epoch = t->epoch + 1, .steps = t->steps, .val_loss = NAN, .watched = NAN};
    for (int i = 0; i < METRICS_MAX; i++)
        r.metric[i] = NAN;
    if (!train_epoch(t, &r, e) || (t->val->n && !validate(t, &r, e)))
        return false;
    bool larger = t->watched && t->watched->larger_better;
    double watched = t->val->n == 0 ? r.train_loss : larger ? -r.watched : r.watched;
    schedule_observe(&t->spec->schedule, watched, &t->schedule);
    t->epoch = r.epoch;
    train_tell(t, &r);
    return true;
}

// Patience counts from the last improvement, under SWA not before there is an average.
static bool patient(const struct trainer *t)
{
    int since = t->improved;
    if (t->spec->swa > 0 && since < t->average.from)
        since = t->average.from;
    return t->val->n == 0 || t->spec->patience == 0 || t->epoch - since < t->spec->patience;
}

static bool train_finish(struct trainer *t, struct train_result *result, struct err *e)
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
    *result = (struct train_result){.epochs = t->epoch,
                                    .best_epoch = t->val->n ? t->best_epoch : t->epoch,
                                    .steps = t->step,
                                    .best_value = t->best_value,
                                    .stopped_early = t->step < t->steps};
    return true;
}

// A state that was read stands between two epochs of this run.
static bool train_resume(struct trainer *t, struct run_state *run, struct err *e)
{
    if (!t->hooks->resume)
        return true;
    if (!t->hooks->resume(t->hooks->ctx, run, e))
        return false;
    uint64_t step = (uint64_t)t->epoch * t->batches;
    return t->step == (step < t->steps ? step : t->steps) ||
           fail(e, ERR_INVALID,
                "the saved run stands at step %llu of epoch %d, where no epoch of this one ends",
                (unsigned long long)t->step, t->epoch);
}

bool train_run(struct model *m, const struct train_spec *s, const struct train_rows *train,
               const struct train_rows *val, const struct train_hooks *hooks, const struct exec *x,
               struct train_result *result, struct run_state *run, struct err *e)
{
    struct trainer t = {.m = m, .spec = s, .train = train, .val = val, .hooks = hooks, .x = x};
    size_t outside = run->n;
    BUG(!run_state_find(run, "model.values"));
    bool ok =
        train_check(m, s, train->n, e) && trainer_init(&t, run, e) && train_resume(&t, run, e);
    while (ok && t.epoch < t.epochs && patient(&t))
        ok = run_epoch(&t, e);
    ok = ok && train_finish(&t, result, e);
    run->n = outside; // the others are about `t`, which ends here
    return ok;
}

// What the worker does, without memory and without rows.
double train_memory(const struct model *m, const struct train_spec *s, struct train_size n)
{
    const struct train_rows train = {.n = n.train}, val = {.n = n.val},
                            scored = {.n = n.val > n.test ? n.val : n.test};
    struct model own = *m;
    struct trainer t = {.m = &own, .spec = s, .train = &train, .val = &val};
    struct scorer c;
    struct run_state run, after;
    struct err e = {0};
    run_state_init(&run, NULL);
    run_state_init(&after, NULL);
    bool ok = model_room(&own, &run, &e) && trainer_init(&t, &run, &e) &&
              (scored.n == 0 || scorer_init(&c, m, &scored, SCORE_ROWS, NULL, &after, &e));
    BUG(!ok);
    double row =
        ((double)m->n_in + (double)m->answer.n_target + (m->train_w != GRAPH_NONE)) * sizeof(real);
    return run.bytes + after.bytes + (double)(n.train + n.val + n.test) * row;
}
