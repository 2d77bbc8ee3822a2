// SPDX-License-Identifier: MIT
#include "server/jobs/epoch_series.h"

#include "engine/table/task.h"

#include <math.h>
#include <string.h>

#include "tests/harness.h"

static struct curve curve;
static struct arena arena;
static struct err err;

static void start(size_t n_class, size_t n_val)
{
    const struct model m = {
        .answer = {.task = n_class ? &task_classification : &task_regression, .n_class = n_class}};
    const struct train_spec s = {.epochs = 10, .batch_size = 8};
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    curve_init(&curve);
    curve.beat.best_metric = "val_loss";
    ck_assert(epoch_series_declare(&curve, &m, &s, n_val > 0, &arena, &err));
    ck_assert(curve_begin(&curve, &arena, &err));
}

static void add(int epoch, bool best)
{
    const struct train_epoch t = {.epoch = epoch,
                                  .step = (uint64_t)epoch * 3,
                                  .train_loss = epoch * 10,
                                  .val_loss = epoch * 20,
                                  .metric = {epoch * 30},
                                  .watched = epoch * 20,
                                  .best = best};
    epoch_series_add(&curve, &t, &(struct epoch_place){epoch, epoch * 3, .5, NULL, 0});
}

static void expect_names(const char *const *name, size_t n)
{
    const struct series_list *l = &curve.series[SERIES_RUN];
    ck_assert_uint_eq(l->n, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(l->item[i].name, name[i]);
}

TEST(a_curve_has_its_series_by_task)
{
    static const char *const name[] = {"train_loss", "lr",       "grad_norm", "seconds",
                                       "val_loss",   "val_rmse", "val_mae",   "val_r2"};
    start(0, 5);
    expect_names(name, 8);
    start(3, 0);
    expect_names(name, 4);
}

TEST(a_curve_holds_epochs_and_the_best_of_them)
{
    start(0, 5);
    add(1, true);
    add(2, false);
    ck_assert_uint_eq(curve.beat.n_row, 2);
    ck_assert_int_eq(curve.beat.epoch, 2);
    ck_assert_int_eq(curve.beat.step, 6);
    ck_assert_int_eq(curve.beat.best_epoch, 1);
    ck_assert_double_eq(curve.beat.best_value, 20);
    ck_assert_double_eq(curve.beat.row[1].run[0], 20);
    ck_assert_double_eq(curve.beat.row[1].run[3], .5);
    ck_assert_double_eq(curve.beat.row[1].run[4], 40);
    ck_assert_double_eq(curve.beat.row[1].run[5], 60);
    ck_assert_ptr_null(curve.beat.row[1].parts);
}

// Every layer has every statistic under its name, also after the oldest points are gone.
TEST(a_curve_keeps_what_was_observed_of_each_layer)
{
    static const struct layer_spec layer[2];
    const struct model m = {.spec = {.layer = layer, .n_layer = 2},
                            .answer = {.task = &task_regression}};
    const struct train_spec s = {.observe = true};
    const struct series_list *l = &curve.series[SERIES_PARTS];
    arena_release(&arena);
    arena_init(&arena, 8 << 20);
    curve_init(&curve);
    ck_assert(epoch_series_declare(&curve, &m, &s, false, &arena, &err));
    ck_assert(curve_begin(&curve, &arena, &err));
    for (int epoch = 1; epoch <= CURVE_POINTS + 2; epoch++) {
        const struct layer_stats stats[3] = {{.grad_norm = epoch}, {.dead = .5}, {.std = epoch}};
        const struct train_epoch t = {.epoch = epoch, .layer = stats, .n_layer = 3};
        epoch_series_add(&curve, &t, &(struct epoch_place){.epoch = epoch});
    }
    ck_assert_uint_eq(l->n, 3 * LAYER_STATS);
    for (int i = 0; i < CURVE_POINTS; i++) {
        const double *v = curve.beat.row[i].parts;
        ck_assert_double_eq(v[series_find(l, "layers.0", "grad_norm")], i + 3);
        ck_assert_double_eq(v[series_find(l, "layers.1", "dead")], .5);
        ck_assert_double_eq(v[series_find(l, "output", "std")], i + 3);
        ck_assert_double_eq(v[series_find(l, "output", "mean")], 0);
    }
}

TEST(a_full_curve_drops_its_oldest_epoch)
{
    start(0, 5);
    for (int epoch = 1; epoch <= CURVE_POINTS + 3; epoch++)
        add(epoch, false);
    ck_assert(curve_full(&curve));
    for (int i = 0; i < CURVE_POINTS; i++) {
        ck_assert_int_eq(curve.beat.row[i].epoch, i + 4);
        ck_assert_double_eq(curve.beat.row[i].run[0], (i + 4) * 10);
    }
}

TEST(a_curve_knows_which_epochs_it_has_dropped_since_it_was_stored)
{
    start(0, 5);
    int epoch = 0;
    while (!curve_full(&curve))
        add(++epoch, false);
    ck_assert_int_eq(curve.beat.gap_to, 0);
    for (int i = 0; i < 3; i++)
        add(++epoch, false);
    ck_assert(curve.beat.gap_from == 1 && curve.beat.gap_to == 3);
    curve_stored(&curve);
    ck_assert(curve.beat.n_row == 0 && curve.beat.gap_from == 0 && curve.beat.gap_to == 0);
    for (int i = 0; i < CURVE_POINTS + 1; i++)
        add(++epoch, false);
    ck_assert(curve.beat.gap_from == CURVE_POINTS + 4 && curve.beat.gap_to == CURVE_POINTS + 4);
}

// A run of several trainings counts their epochs together, and may record more of each.
LOOP_TEST(series_behind_those_of_an_epoch_get_their_values, 2)
{
    const struct model m = {.answer = {.task = &task_regression}};
    const struct train_spec s = {.epochs = 10};
    const struct train_epoch t = {.epoch = 1, .val_loss = 20, .metric = {30, 31, 32}, .best = true};
    const double fold = 4;
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    curve_init(&curve);
    ck_assert(epoch_series_declare(&curve, &m, &s, _i, &arena, &err));
    ck_assert(curve_declare(&curve, SERIES_RUN, "", "fold", SERIES_WHOLE, &arena, &err));
    ck_assert(curve_begin(&curve, &arena, &err));
    epoch_series_add(&curve, &t, &(struct epoch_place){7, 70, .5, &fold, 1});
    const struct series_list *l = &curve.series[SERIES_RUN];
    const double *v = curve.beat.row[0].run;
    ck_assert_double_eq(v[series_find(l, "", "fold")], 4);
    ck_assert_double_eq(v[series_find(l, "", "seconds")], .5);
    if (_i)
        ck_assert_double_eq(v[series_find(l, "", "val_r2")], 32);
    ck_assert(curve.beat.epoch == 7 && curve.beat.step == 70 && curve.beat.best_epoch == 0);
}
