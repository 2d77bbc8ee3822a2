// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/train/lr_finder.h"
#include "tests/engine/train/trainlab.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"

#include <math.h>
#include <string.h>

static const struct lr_sweep usual = {1e-7, 10, 100};

struct seen {
    struct lr_point point[200];
    size_t n, stop_at;
};

static void keep(void *ctx, const struct lr_point *p)
{
    struct seen *s = ctx;
    s->point[s->n++] = *p;
}

static bool seen_enough(void *ctx)
{
    const struct seen *s = ctx;
    return s->stop_at && s->n == s->stop_at;
}

struct hunt {
    struct lab_job job;
    struct lab_run run;
    struct train_rows rows;
    struct seen seen;
    struct lr_found found;
};

static void hunt_init(struct hunt *h, const char *optimizer)
{
    *h = (struct hunt){.found = {0}};
    lab_job_init(&h->job, 1, 32, "relu", "batch", .1);
    h->job.train.optimizer = lab_pick(&optimizer_table, optimizer);
    lab_build(&h->run, &h->job, lab_task(6, 0, &h->job.train.loss), false);
    h->rows = lab_rows(&h->run.arena, 1000, 6, 0, 3);
}

static void hunt(struct hunt *h, const struct lr_sweep *sweep)
{
    const struct lr_hooks hooks = {.ctx = &h->seen, .point = keep};
    const struct halt halt = {seen_enough, &h->seen};
    const struct exec x = {.halt = &halt};
    h->run.ok = lr_find(&h->run.model, &h->job.train, sweep, &h->rows, &hooks, &x, &h->found,
                        &h->run.arena, &h->run.e);
}

static uint64_t weights(const struct hunt *h)
{
    return lab_hash(h->run.model.value, h->run.model.n_value * sizeof(real));
}

TEST(a_sweep_raises_the_rate_exponentially_and_leaves_the_weights_alone)
{
    static struct hunt h;
    hunt_init(&h, "adamw");
    uint64_t before = weights(&h);
    hunt(&h, &usual);
    ck_assert_msg(h.run.ok, "%s", h.run.e.text);
    ck_assert_uint_eq(weights(&h), before);
    ck_assert_uint_eq(h.seen.n, h.found.steps);
    double average = 0;
    for (size_t i = 0; i < h.seen.n; i++) {
        const struct lr_point *p = &h.seen.point[i];
        average = .98 * average + .02 * p->loss;
        ck_assert_uint_eq(p->step, i + 1);
        ck_assert_double_eq_tol(log10(p->lr), -7 + 8 * (double)i / 99, 1e-9);
        ck_assert_double_eq_tol(p->smoothed, average / (1 - pow(.98, (double)i + 1)), 1e-9);
    }
    arena_release(&h.run.arena);
}

// The rates it suggests for Adam lie where Adam learns; the curve's end does not.
TEST(the_suggested_rate_learns)
{
    static struct hunt h;
    hunt_init(&h, "adamw");
    hunt(&h, &usual);
    ck_assert_msg(h.run.ok, "%s", h.run.e.text);
    const double rates[] = {h.found.valley, h.found.minimum, h.found.steep};
    for (int i = 0; i < 3; i++)
        ck_assert_msg(rates[i] > 1e-5 && rates[i] < .5, "suggestion %d: %g", i, rates[i]);
    h.job.train.optimizer.value[0] = h.found.valley;
    h.job.train.epochs = 20;
    struct train_rows val = lab_rows(&h.run.arena, 300, 6, 0, 4);
    double first = h.seen.point[0].loss;
    lab_train(&h.run, &h.job, &h.rows, &val, NULL);
    ck_assert_msg(h.run.ok && h.run.result.best_value < .3 * first, "%g after %g",
                  h.run.result.best_value, first);
    arena_release(&h.run.arena);
}

TEST(an_exploding_loss_ends_the_sweep_well)
{
    static struct hunt h;
    hunt_init(&h, "sgd");
    hunt(&h, &(struct lr_sweep){1e-3, 1e6, 200});
    ck_assert_msg(h.run.ok, "%s", h.run.e.text);
    ck_assert_uint_lt(h.found.steps, 200);
    double best = INFINITY;
    for (size_t i = 0; i < h.seen.n; i++) {
        best = fmin(best, h.seen.point[i].smoothed);
        ck_assert_int_eq(h.seen.point[i].smoothed > 4 * best, i + 1 == h.seen.n);
    }
    arena_release(&h.run.arena);
}

// With a rate of 1e30 the second step is not finite: no error, and nothing to suggest.
TEST(a_step_that_is_not_finite_ends_the_sweep_well)
{
    static struct hunt h;
    hunt_init(&h, "sgd");
    for (size_t i = 0; i < h.rows.n; i++)
        ((real *)h.rows.y)[i] *= (real)1e15;
    uint64_t before = weights(&h);
    hunt(&h, &(struct lr_sweep){1e300, 1e301, 100});
    ck_assert_msg(h.run.ok && h.run.e.kind == ERR_NONE, "%s", h.run.e.text);
    ck_assert_uint_lt(h.found.steps, 10);
    ck_assert(isnan(h.found.valley) && isnan(h.found.minimum) && isnan(h.found.steep));
    ck_assert_uint_eq(weights(&h), before);
    arena_release(&h.run.arena);
}

TEST(a_sweep_stops_when_asked)
{
    static struct hunt h;
    hunt_init(&h, "adamw");
    h.seen.stop_at = 7;
    uint64_t before = weights(&h);
    hunt(&h, &usual);
    ck_assert(!h.run.ok);
    ck_assert_int_eq(h.run.e.kind, ERR_CANCELLED);
    ck_assert_uint_eq(h.seen.n, 7);
    ck_assert_uint_eq(weights(&h), before);
    arena_release(&h.run.arena);
}

// A warm-up would hide the rate, averages and watching need no time here.
TEST(what_hides_the_rate_is_off_in_a_sweep)
{
    static struct hunt h;
    hunt_init(&h, "adamw");
    h.job.train.schedule = lab_pick(&schedule_table, "cosine");
    h.job.train.ema = .9;
    h.job.train.observe = true;
    hunt(&h, &usual);
    ck_assert_msg(h.run.ok, "%s", h.run.e.text);
    ck_assert_double_eq_tol(h.seen.point[50].lr, 1e-7 * pow(1e8, 50.0 / 99), 1e-12);
    arena_release(&h.run.arena);
}

// Falls from 2 to .5 around 1e-3, then explodes; wavy. Expected: what fastai's functions give for
// the same points.
TEST(suggestions_are_those_of_fastai)
{
    enum { N = 97 };
    static struct lr_point p[N];
    uint32_t scratch[N];
    for (int i = 0; i < N; i++) {
        double lr = 1e-7 * pow(1e8, i / 99.0), x = log10(lr);
        p[i] = (struct lr_point){.lr = lr,
                                 .smoothed = 2 - 1.5 / (1 + exp(-2 * (x + 3))) +
                                             (x > -2 ? exp(3 * x) : 0) + .02 * sin(i * 1.7)};
    }
    struct lr_found f = lr_suggest(p, N, 100, scratch);
    ck_assert_double_eq_tol(f.valley, 0.0010974987654930567, 1e-12);
    ck_assert_double_eq_tol(f.minimum, 0.007924828983539169, 1e-12);
    ck_assert_double_eq_tol(f.steep, 0.001917910261672489, 1e-12);
    f = lr_suggest(p, 16, 100, scratch);
    ck_assert(isnan(f.valley) && isnan(f.minimum) && isnan(f.steep));
}

TEST(a_loss_that_only_rises_has_no_valley)
{
    enum { N = 97 };
    static struct lr_point p[N];
    uint32_t scratch[N];
    for (int i = 0; i < N; i++)
        p[i] = (struct lr_point){.lr = 1e-7 * (i + 1), .smoothed = 1 + i};
    struct lr_found f = lr_suggest(p, N, 100, scratch);
    ck_assert(isnan(f.valley));
    ck_assert(isnan(f.steep));
    ck_assert_double_eq_tol(f.minimum, 1.1e-7, 1e-20); // a tenth of the first that counts
}

TEST(a_sweep_that_makes_no_sense_is_refused_with_its_pointer)
{
    static const struct {
        struct lr_sweep sweep;
        const char *at;
    } bad[] = {
        {{0, 10, 100}, "/finder/min"},      {{NAN, 10, 100}, "/finder/min"},
        {{1e-3, 1e-3, 100}, "/finder/max"}, {{1e-3, INFINITY, 100}, "/finder/max"},
        {{1e-3, 1, 9}, "/finder/steps"},    {{1e-3, 1, 10001}, "/finder/steps"},
    };
    struct err none = {0};
    ck_assert(lr_check(&usual, "/finder", &none));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        ck_assert(!lr_check(&bad[i].sweep, "/finder", &e));
        ck_assert_str_eq(e.at, bad[i].at);
    }
}
