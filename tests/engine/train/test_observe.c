// SPDX-License-Identifier: MIT
// What is reported about layers, against plain loops over the plan's own numbers.

#include "tests/harness.h"
#include "engine/train/trainer.h"
#include "tests/engine/train/trainlab.h"
#include "engine/optim/optim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 12, IN = 3, UNITS = 6 };

struct scene {
    struct lab_job job;
    struct lab_run run;
    struct train_rows rows, none;
    struct train_hooks hooks;
    struct trainer trainer;
};

// One observed step of plain descent on a small network.
static void scene(struct scene *s, const char *activation, double dropout, int residual)
{
    *s = (struct scene){.none = {.n = 0}};
    lab_job_init(&s->job, 2, UNITS, activation, NULL, dropout);
    s->job.layer[1].residual = residual;
    s->job.train.optimizer = lab_pick(&optimizer_table, "sgd");
    s->job.train.observe = true;
    lab_build(&s->run, &s->job, lab_task(IN, 0, &s->job.train.loss), false);
    s->rows = lab_rows(&s->run.arena, ROWS, IN, 0, 3);
    s->trainer = (struct trainer){.m = &s->run.model,
                                  .spec = &s->job.train,
                                  .train = &s->rows,
                                  .val = &s->none,
                                  .hooks = &s->hooks,
                                  .observing = true,
                                  .lr = .1};
    ck_assert(trainer_init(&s->trainer, &s->run.state, &s->run.e));
}

static const struct layer_stats *step(struct scene *s)
{
    struct stepped stepped;
    train_shuffle(&s->trainer, 1);
    train_load(&s->trainer, 0, false);
    ck_assert(train_step(&s->trainer, &stepped, &s->run.e));
    ck_assert_uint_eq(s->trainer.observer.n, 3);
    return s->trainer.observer.stats;
}

static const struct buf *value_of(const struct scene *s, const char *name)
{
    for (uint32_t i = 0; i < s->run.model.train.n; i++)
        if (strcmp(s->run.model.train.node[i].name, name) == 0)
            return &s->trainer.plan.buf[i];
    ck_abort_msg("there is no node %s", name);
    return NULL;
}

static void check_spread(const struct buf *b, const struct layer_stats *s)
{
    double sum = 0, squares = 0, n = ROWS * b->cols;
    for (size_t i = 0; i < ROWS * b->cols; i++)
        sum += (double)b->v[i] / n;
    for (size_t i = 0; i < ROWS * b->cols; i++)
        squares += pow((double)b->v[i] - sum, 2) / n;
    ck_assert_double_eq_tol(s->mean, sum, 1e-6);
    ck_assert_double_eq_tol(s->std, sqrt(squares), 1e-6);
}

// Also behind dropout and a residual link, which must not have overwritten the values.
LOOP_TEST(mean_and_spread_are_of_what_the_activation_gave, 4)
{
    static struct scene s;
    static const char *const activation[] = {"relu", "gelu", "tanh", "identity"};
    char name[32];
    scene(&s, activation[_i], .4, 1);
    const struct layer_stats *stats = step(&s);
    snprintf(name, sizeof name, "layers.1.%s", activation[_i]);
    const struct buf *b = value_of(&s, name);
    ck_assert(b->v != value_of(&s, "layers.1.dropout")->v);
    check_spread(b, &stats[1]);
    check_spread(value_of(&s, "output.linear"), &stats[2]);
    if (_i == 0)
        for (size_t i = 0; i < ROWS * UNITS; i++)
            ck_assert_double_ge((double)b->v[i], 0);
    arena_release(&s.run.arena);
}

static void drive(struct scene *s, int unit, double bias)
{
    real *w = lab_param(&s->run.model, "layers.0.weight");
    for (int c = 0; c < IN; c++)
        w[unit * IN + c] *= (real)1e-3;
    lab_param(&s->run.model, "layers.0.bias")[unit] = (real)bias;
}

TEST(a_unit_that_is_0_for_every_row_is_dead)
{
    static struct scene s;
    scene(&s, "relu", 0, 0);
    for (int unit = 0; unit < UNITS; unit++)
        drive(&s, unit, unit < 2 ? -1 : 1);
    const struct layer_stats *stats = step(&s);
    ck_assert_double_eq(stats[0].dead, 2.0 / UNITS);
    ck_assert(isnan(stats[0].saturated));
    ck_assert(isnan(stats[2].dead) && isnan(stats[2].saturated));
    arena_release(&s.run.arena);
}

// tanh 3 = .995 is within .02 of 1, tanh 2 = .964 is not; σ 5 = .993 is within .01 of 1, σ 4 is not
TEST(a_value_within_a_hundredth_of_the_range_of_a_bound_is_saturated)
{
    static struct scene s;
    scene(&s, "tanh", 0, 0);
    static const double to_tanh[UNITS] = {3, -3, 2, -2, 0, 4};
    for (int unit = 0; unit < UNITS; unit++)
        drive(&s, unit, to_tanh[unit]);
    const struct layer_stats *stats = step(&s);
    ck_assert_double_eq(stats[0].saturated, 3.0 / UNITS);
    ck_assert(isnan(stats[0].dead));
    arena_release(&s.run.arena);
    scene(&s, "sigmoid", 0, 0);
    static const double to_sigmoid[UNITS] = {5, -5, 4, -4, 0, 2};
    for (int unit = 0; unit < UNITS; unit++)
        drive(&s, unit, to_sigmoid[unit]);
    ck_assert_double_eq(step(&s)[0].saturated, 2.0 / UNITS);
    arena_release(&s.run.arena);
}

static double norm(const real *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

// A step of plain descent moves a matrix by lr times its gradient.
TEST(norms_are_of_the_weight_matrix_and_its_update)
{
    static struct scene s;
    scene(&s, "tanh", 0, 0);
    const real *w = lab_param(&s.run.model, "layers.1.weight");
    double before = norm(w, UNITS * UNITS);
    const struct layer_stats *stats = step(&s);
    const real *g = s.trainer.grad + (w - s.run.model.value);
    ck_assert_double_eq_tol(stats[1].grad_norm, norm(g, UNITS * UNITS), 1e-6);
    ck_assert_double_eq_tol(stats[1].weight_norm, norm(w, UNITS * UNITS), 1e-6);
    ck_assert_double_ne(stats[1].weight_norm, before);
    ck_assert_double_eq_tol(stats[1].update_ratio, .1 * stats[1].grad_norm / before, 1e-6);
    ck_assert_double_gt(stats[1].update_ratio, 0);
    arena_release(&s.run.arena);
}

TEST(the_gradient_is_observed_before_penalties_and_limits)
{
    static struct scene s;
    scene(&s, "tanh", 0, 0);
    double plain = step(&s)[0].grad_norm;
    arena_release(&s.run.arena);
    scene(&s, "tanh", 0, 0);
    s.job.train.regularization.l2 = 10;
    s.job.train.regularization.clip_value = 1e-3;
    s.job.train.regularization.gradient_noise = 1;
    ck_assert_double_eq(step(&s)[0].grad_norm, plain);
    arena_release(&s.run.arena);
}

struct told {
    size_t n[8];
    struct layer_stats last[8];
};

static void keep(void *ctx, const struct train_epoch *r)
{
    struct told *t = ctx;
    t->n[r->epoch] = r->n_layer;
    if (r->n_layer)
        t->last[r->epoch] = r->layer[0];
}

// Every epoch has its own, and watching does not change what is learnt.
TEST(each_epoch_reports_its_layers)
{
    struct lab_job j;
    struct lab_run r[2];
    uint64_t hash[2];
    for (int i = 0; i < 2; i++) {
        struct told told = {.n = {0}};
        struct train_hooks hooks = {.ctx = &told, .epoch = keep};
        lab_job_init(&j, 2, 16, "relu", "batch", .1);
        j.train.observe = i;
        lab_build(&r[i], &j, lab_task(5, 3, &j.train.loss), false);
        struct train_rows rows = lab_rows(&r[i].arena, 200, 5, 3, 3);
        lab_train(&r[i], &j, &rows, NULL, &hooks);
        ck_assert(r[i].ok);
        ck_assert_uint_eq(told.n[1], i ? 3 : 0);
        ck_assert_uint_eq(told.n[5], i ? 3 : 0);
        ck_assert(!i || told.last[1].grad_norm != told.last[5].grad_norm);
        hash[i] = lab_hash(r[i].model.value, r[i].model.n_value * sizeof(real));
        arena_release(&r[i].arena);
    }
    ck_assert_uint_eq(hash[0], hash[1]);
}
