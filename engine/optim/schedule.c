// SPDX-License-Identifier: MIT
// What all learning-rate schedules go through: see schedule.h. The warm-up is none of the rows'
// business: it comes first, and rows count from its end. A schedule is looked at along the whole
// run before that begins, since a rate that is no number must not end a job after hours.

#include "engine/optim/schedule.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

static const struct schedule *schedule_row_of(const struct pick *p)
{
    return (const struct schedule *)(const void *)p->row;
}

static uint64_t warm_steps(const struct pick *p, uint64_t n)
{
    double warmup = pick_value(&schedule_table, p, "warmup");
    return (uint64_t)(warmup < 1 ? warmup * (double)n : warmup);
}

double schedule_factor(const struct pick *p, uint64_t k, uint64_t n, uint32_t per_epoch)
{
    uint64_t warm = warm_steps(p, n);
    if (k < warm)
        return (double)(k + 1) / (double)warm;
    uint64_t past = k - warm, left = warm < n ? n - warm : 1;
    const struct schedule_at at = {.t = (double)past / (double)left,
                                   .k = past,
                                   .n = left,
                                   .epoch = (double)past / per_epoch,
                                   .epochs = (double)left / per_epoch,
                                   .warm = (double)warm};
    return schedule_row_of(p)->factor(p->value, &at);
}

struct schedule_state schedule_start(void)
{
    return (struct schedule_state){.scale = 1, .best = NAN};
}

void schedule_init(struct schedule_state *s, struct run_state *run)
{
    *s = schedule_start();
    STATE_NUMBER(run, "schedule.scale", &s->scale);
    STATE_NUMBER(run, "schedule.best", &s->best);
    STATE_COUNT(run, "schedule.bad", &s->bad, INT_MAX - 1);
    STATE_COUNT(run, "schedule.cooldown", &s->cooldown, INT_MAX - 1);
}

void schedule_observe(const struct pick *p, double watched, struct schedule_state *s)
{
    if (schedule_row_of(p)->observe)
        schedule_row_of(p)->observe(p->value, watched, s);
}

static bool check_warmup(const struct pick *p, uint64_t n, struct err *e)
{
    uint64_t warm = warm_steps(p, n);
    return warm == 0 || warm < n ||
           fail_at(
               e, ERR_INVALID, "/schedule/warmup",
               "the warm-up takes %llu steps and training has %llu in all; make it shorter, or a "
               "share below 1",
               (unsigned long long)warm, (unsigned long long)n);
}

static bool check_ascending(const struct hyper *hyper, const double *value, struct err *e)
{
    char at[64];
    snprintf(at, sizeof at, "/schedule/%s", hyper->name);
    for (int i = 1; i < hyper->count; i++)
        if (value[i] <= value[i - 1])
            return fail_at(e, ERR_INVALID, at, "%s must ascend, but %.15g follows %.15g",
                           hyper->name, value[i], value[i - 1]);
    return true;
}

static bool check_lists(const struct pick *p, struct err *e)
{
    const struct hyper *hyper;
    size_t at;
    bool ok = true;
    for (size_t k = 0; ok && (hyper = hyper_at(&schedule_table, p->row, k, &at)); k++)
        ok = !hyper->list || check_ascending(hyper, &p->value[at], e);
    return ok;
}

// Steps spread evenly over training, the first and the last among them.
static bool check_factors(const struct pick *p, uint64_t n, uint32_t per_epoch, struct err *e)
{
    enum { SAMPLES = 4096 };
    uint64_t most = n < SAMPLES ? n : SAMPLES;
    for (uint64_t i = 0; i < most; i++) {
        uint64_t k = most < 2 ? 0 : (uint64_t)((double)(n - 1) * (double)i / (double)(most - 1));
        double f = schedule_factor(p, k, n, per_epoch);
        if (!(f >= 0 && isfinite(f)))
            return fail_at(e, ERR_INVALID, "/schedule",
                           "schedule \"%s\" multiplies the rate by %g at step %llu of %llu; change "
                           "it so that no rate is negative or infinite",
                           p->row->name, f, (unsigned long long)k + 1, (unsigned long long)n);
    }
    return true;
}

bool schedule_check(const struct pick *p, uint64_t n, uint32_t per_epoch, struct err *e)
{
    return check_warmup(p, n, e) && check_lists(p, e) && check_factors(p, n, per_epoch, e);
}
