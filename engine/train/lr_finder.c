// SPDX-License-Identifier: MIT
// fastai's finder (fastai/callback/schedule.py), see lr_finder.h. Steps are the trainer's own, so
// what is found holds for the training that follows; schedule, early stopping and averages are off,
// as they would hide the rate. What the points suggest is a pure function of them: a stored curve
// gives the same answer later.

#include "engine/train/lr_finder.h"

#include "engine/optim/schedule.h"
#include "engine/train/train_check.h"
#include "engine/train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS_MIN = 10, STEPS_MAX = 10000, LAST = 5 };

static const double keep = .98; // weight of the past in the smoothed loss

static bool fault(const char *at, const char *field, const char *why, struct err *e)
{
    char pointer[sizeof e->at];
    snprintf(pointer, sizeof pointer, "%s/%s", at, field);
    return fail_at(e, ERR_INVALID, pointer, "%s", why);
}

bool lr_check(const struct lr_sweep *s, const char *at, struct err *e)
{
    if (!(s->min > 0))
        return fault(at, "min", "the first learning rate must be above 0", e);
    if (!(s->max > s->min) || !isfinite(s->max))
        return fault(at, "max", "the last learning rate must be a number above the first", e);
    return (s->steps >= STEPS_MIN && s->steps <= STEPS_MAX) ||
           fault(at, "steps", "a sweep takes from 10 to 10000 steps", e);
}

// Where the longest falling run ends, and how many points it has. It is a subsequence: points in
// between may lie above it.
static size_t longest_fall(const struct lr_point *p, size_t n, uint32_t *length)
{
    size_t end = 0;
    for (size_t i = 0; i < n; i++) {
        length[i] = 1;
        for (size_t j = 0; j < i; j++)
            if (p[i].smoothed < p[j].smoothed && length[i] < length[j] + 1)
                length[i] = length[j] + 1;
        if (length[i] > length[end])
            end = i;
    }
    return end;
}

// Half of the way (1/3 + 1/6) through the run, taken to have begun as many points before its end as
// it has.
static double valley(const struct lr_point *p, size_t n, uint32_t *length)
{
    size_t end = longest_fall(p, n, length), points = length[end];
    size_t start = end > points ? end - points : 0;
    double third = (double)(end - start) / 3;
    return points > 1 ? p[start + (size_t)third + (size_t)(third / 2)].lr : NAN;
}

static double minimum(const struct lr_point *p, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (p[i].smoothed < p[best].smoothed)
            best = i;
    return p[best].lr / 10;
}

static double steep(const struct lr_point *p, size_t n)
{
    double least = 0, at = NAN;
    for (size_t i = 0; i + 1 < n; i++) {
        double slope = (p[i + 1].smoothed - p[i].smoothed) / log(p[i + 1].lr / p[i].lr);
        if (slope < least) {
            least = slope;
            at = p[i].lr;
        }
    }
    return at;
}

struct lr_found lr_suggest(const struct lr_point *p, size_t n, int steps, uint32_t *scratch)
{
    size_t first = (size_t)steps / 10;
    struct lr_found f = {NAN, NAN, NAN, n};
    if (n < first + LAST + 2)
        return f;
    p += first;
    n -= first + LAST;
    f.valley = valley(p, n, scratch);
    f.minimum = minimum(p, n);
    f.steep = steep(p, n);
    return f;
}

// The sweep's own state beside the trainer's.
struct finder {
    struct trainer trainer;
    struct train_spec spec;
    struct train_hooks hooks;
    const struct lr_sweep *sweep;
    struct lr_point *point; // [steps]
    uint32_t *scratch;
    real *before; // the model's values
    double average, best;
};

// What makes no difference to a step, or would hide the rate, is off.
static struct train_spec spec_of_sweep(const struct train_spec *s, const struct lr_sweep *sweep)
{
    struct train_spec own = *s;
    own.schedule = pick_row(&schedule_table, table_find(&schedule_table, "constant"));
    own.steps = sweep->steps;
    own.ema = own.swa = 0;
    own.observe = false;
    own.monitor = "val_loss";
    return own;
}

static bool finder_init(struct finder *f, const struct train_rows *none, struct run_state *run,
                        struct err *e)
{
    struct trainer *t = &f->trainer;
    size_t steps = (size_t)f->sweep->steps;
    t->spec = &f->spec;
    t->hooks = &f->hooks;
    t->val = none;
    f->best = INFINITY;
    STATE_SCRATCH(run, "finder.points", f->point, steps);
    STATE_SCRATCH(run, "finder.lengths", f->scratch, steps);
    STATE_SCRATCH(run, "finder.before", f->before, t->m->n_value);
    if (!run_state_granted(run))
        return train_out_of_memory(e);
    memcpy(f->before, t->m->value, t->m->n_value * sizeof *f->before);
    return trainer_init(t, run, e);
}

// One step at the next rate; its point.
static bool try_rate(struct finder *f, struct lr_point *p, struct err *e)
{
    struct trainer *t = &f->trainer;
    const struct lr_sweep *s = f->sweep;
    struct stepped stepped;
    uint32_t b = (uint32_t)(t->step % t->batches);
    if (b == 0)
        train_shuffle(t, (int)(t->step / t->batches) + 1);
    t->lr = s->min * pow(s->max / s->min, (double)t->step / (s->steps - 1));
    train_load(t, b, mix_wanted(t->spec));
    if (!train_step(t, &stepped, e))
        return false;
    f->average = keep * f->average + (1 - keep) * stepped.loss;
    *p = (struct lr_point){.step = t->step,
                           .lr = t->lr,
                           .loss = stepped.loss,
                           .smoothed = f->average / (1 - pow(keep, (double)t->step))};
    f->best = fmin(f->best, p->smoothed);
    return true;
}

// Points taken, through *n. A step that is not finite ends the sweep as an explosion does.
static bool lr_finder_sweep(struct finder *f, const struct lr_hooks *hooks, size_t *n,
                            struct err *e)
{
    bool going = true;
    for (*n = 0; going && *n < (size_t)f->sweep->steps;) {
        struct err own = {0};
        struct lr_point *p = &f->point[*n];
        if (!train_begin(&f->trainer, e))
            return false;
        if (!try_rate(f, p, &own))
            return own.kind == ERR_DIVERGED || err_pass(e, &own);
        ++*n;
        if (hooks->point)
            hooks->point(hooks->ctx, p);
        going = p->smoothed <= 4 * f->best;
    }
    return true;
}

bool lr_find(struct model *m, const struct train_spec *s, const struct lr_sweep *rates,
             const struct train_rows *rows, const struct lr_hooks *hooks, const struct exec *x,
             struct lr_found *found, struct arena *a, struct err *e)
{
    struct train_rows none = {.n = 0};
    struct finder f = {.trainer = {.m = m, .train = rows, .x = x},
                       .spec = spec_of_sweep(s, rates),
                       .hooks = {.ctx = hooks->ctx, .step = hooks->step},
                       .sweep = rates};
    struct run_state run; // nobody goes on with a sweep
    size_t n = 0;
    run_state_init(&run, a);
    if (!lr_check(rates, "", e) || !train_check(m, &f.spec, rows->n, e) ||
        !finder_init(&f, &none, &run, e))
        return false;
    bool ok = lr_finder_sweep(&f, hooks, &n, e);
    memcpy(m->value, f.before, m->n_value * sizeof *m->value);
    if (ok)
        *found = lr_suggest(f.point, n, rates->steps, f.scratch);
    return ok;
}
