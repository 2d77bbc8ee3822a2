// SPDX-License-Identifier: MIT
#include "server/jobs/curve.h"

#include <math.h>
#include <string.h>

#include "tests/harness.h"
#include "engine/table/task.h"

static struct curve curve;
static struct arena arena;
static struct err err;

static void start(size_t n_class, size_t n_val)
{
    const struct model m = {
        .answer = {.task = n_class ? &task_classification : &task_regression, .n_class = n_class}};
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    const struct train_spec s = {.epochs = 10, .batch_size = 8, .monitor = "val_loss"};
    ck_assert(curve_init(&curve, &m, &s, 20, n_val, &arena, &err));
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
    curve_add(&curve, &t, .5);
}

TEST(a_curve_names_its_columns_by_task)
{
    start(0, 5);
    ck_assert_str_eq(curve.names,
                     "train_loss lr grad_norm seconds val_loss val_rmse val_mae val_r2");
    ck_assert_uint_eq(curve.beat.n_name, 8);
    ck_assert_int_eq(curve.beat.steps, 30);
    start(3, 0);
    ck_assert_str_eq(curve.names, "train_loss lr grad_norm seconds");
    ck_assert_uint_eq(curve.beat.n_name, 4);
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
    ck_assert_double_eq(curve.beat.row[1].value[0], 20);
    ck_assert_double_eq(curve.beat.row[1].value[3], .5);
    ck_assert_double_eq(curve.beat.row[1].value[4], 40);
    ck_assert_double_eq(curve.beat.row[1].value[5], 60);
}

TEST(a_full_curve_drops_its_oldest_epoch)
{
    start(0, 5);
    for (int epoch = 1; epoch <= CURVE_EPOCHS + 3; epoch++)
        add(epoch, false);
    ck_assert(curve_full(&curve));
    for (int i = 0; i < CURVE_EPOCHS; i++) {
        ck_assert_int_eq(curve.beat.row[i].epoch, i + 4);
        ck_assert_double_eq(curve.beat.row[i].value[0], (i + 4) * 10);
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
    for (int i = 0; i < CURVE_EPOCHS + 1; i++)
        add(++epoch, false);
    ck_assert(curve.beat.gap_from == CURVE_EPOCHS + 4 && curve.beat.gap_to == CURVE_EPOCHS + 4);
}
