// SPDX-License-Identifier: MIT
// What is refused before a run begins.

#include "tests/harness.h"
#include "engine/train/trainer.h"
#include "tests/engine/train/trainlab.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/train/train_check.h"

#include <limits.h>
#include <string.h>

static struct lab_job job;

static void lone_rows(void)
{
    job.train.batch_size = 1;
    job.layer[0].norm = lab_pick(&norm_table, "batch");
}
static void unknown_metric(void)
{
    job.train.monitor = "val_accuracy";
}
static void both_averages(void)
{
    job.train.ema = .99;
    job.train.swa = .5;
}
static void nothing_to_average(void)
{
    job.train.swa = .2;
    job.train.epochs = 5;
}
static void both_mixes(void)
{
    job.train.mixup = .2;
    job.train.cutmix = .5;
}
static void mixup_alone(void)
{
    job.train.mixup = .2;
    job.train.batch_size = 1;
}
static void cutmix_alone(void)
{
    job.train.cutmix = .2;
    job.train.batch_size = 1;
}
static void nothing(void)
{
}
static void swa_by_steps(void)
{
    job.train.swa = .25;
    job.train.steps = 40;
}

static const struct {
    void (*change)(void);
    const char *at; // NULL: accepted
} choices[] = {
    {nothing, NULL},
    {swa_by_steps, NULL},
    {lone_rows, "/training/batch_size"},
    {unknown_metric, "/training/early_stopping/metric"},
    {both_averages, "/training/swa"},
    {nothing_to_average, "/training/swa"},
    {both_mixes, "/regularization/cutmix"},
    {mixup_alone, "/training/batch_size"},
    {cutmix_alone, "/training/batch_size"},
};

LOOP_TEST(what_does_not_go_together_is_refused_with_its_pointer, sizeof choices / sizeof *choices)
{
    struct lab_run r;
    lab_job_init(&job, 1, 8, "relu", NULL, 0);
    choices[_i].change();
    lab_build(&r, &job, lab_task(3, 0, &job.train.loss), false);
    bool ok = train_check(&r.model, &job.train, 300, &r.e);
    ck_assert_msg(ok == !choices[_i].at, "%s", r.e.text);
    ck_assert_int_eq(r.e.kind, ok ? ERR_NONE : ERR_INVALID);
    ck_assert_str_eq(r.e.at, ok ? "" : choices[_i].at);
    arena_release(&r.arena);
}

static bool check(size_t n, struct err *e)
{
    struct lab_run r;
    lab_build(&r, &job, lab_task(3, 0, &job.train.loss), false);
    *e = (struct err){0};
    bool ok = train_check(&r.model, &job.train, n, e);
    arena_release(&r.arena);
    return ok;
}

TEST(rows_that_cannot_be_mixed_blame_the_batch_or_the_split)
{
    struct err e;
    lab_job_init(&job, 1, 8, "relu", NULL, 0);
    job.train.mixup = .2;
    job.train.batch_size = 1;
    ck_assert(!check(2, &e));
    ck_assert_str_eq(e.at, "/training/batch_size");
    ck_assert(!check(1, &e));
    ck_assert_str_eq(e.at, "/split");
    job.train.batch_size = 2;
    ck_assert(check(2, &e));
}

static const struct {
    size_t rows;
    uint32_t batch;
} usual[] = {{1, 1},       {63, 63},      {64, 64},       {1024, 64},
             {1025, 128},  {8192, 128},   {8193, 256},    {30000, 256},
             {30001, 512}, {100000, 512}, {100001, 1024}, {5000000, 1024}};

LOOP_TEST(batches_grow_with_the_rows, sizeof usual / sizeof *usual)
{
    lab_job_init(&job, 1, 8, "relu", NULL, 0);
    job.train.batch_size = 0;
    ck_assert_uint_eq(train_batch_size(&job.train, usual[_i].rows), usual[_i].batch);
    job.train.batch_size = 7;
    ck_assert_uint_eq(train_batch_size(&job.train, usual[_i].rows),
                      usual[_i].rows < 7 ? usual[_i].rows : 7);
}

TEST(a_search_along_lines_wants_all_rows_and_the_true_gradient)
{
    struct err e;
    lab_job_init(&job, 1, 8, "relu", NULL, 0);
    job.train.optimizer = lab_pick(&optimizer_table, "lbfgs");
    ck_assert_uint_eq(train_batch_size(&job.train, 5000), 5000);
    ck_assert(check(5000, &e));
    job.train.batch_size = 100;
    ck_assert(!check(5000, &e));
    ck_assert_str_eq(e.at, "/training/batch_size");
    ck_assert_ptr_nonnull(strstr(e.text, "5000"));
    ck_assert(check(100, &e));
    job.train.regularization.gradient_noise = .1;
    ck_assert(!check(100, &e));
    ck_assert_str_eq(e.at, "/regularization/gradient_noise");
    job.train.regularization.gradient_noise = 0;
    job.train.regularization.clip_value = 1;
    ck_assert(!check(100, &e));
    ck_assert_str_eq(e.at, "/regularization/gradient_clip_value");
}

TEST(an_optimizer_that_averages_leaves_nothing_to_ema)
{
    struct err e;
    lab_job_init(&job, 1, 8, "relu", NULL, 0);
    job.train.optimizer = lab_pick(&optimizer_table, "schedule_free_adamw");
    ck_assert(check(100, &e));
    job.train.ema = .9;
    ck_assert(!check(100, &e));
    ck_assert_str_eq(e.at, "/training/ema");
}

TEST(a_norm_of_weights_leaves_nothing_to_max_norm)
{
    struct err e;
    lab_job_init(&job, 1, 8, "relu", "weight", 0);
    ck_assert(check(100, &e));
    job.train.regularization.max_norm = 3;
    ck_assert(!check(100, &e));
    ck_assert_str_eq(e.at, "/regularization/max_norm");
}

TEST(steps_may_end_in_the_middle_of_an_epoch)
{
    struct train_spec s = {.epochs = 7};
    ck_assert_uint_eq(train_steps(&s, 4), 28);
    ck_assert_int_eq(train_epochs(&s, 4), 7);
    s.steps = 10;
    ck_assert_uint_eq(train_steps(&s, 4), 10);
    ck_assert_int_eq(train_epochs(&s, 4), 3);
    s.steps = 12;
    ck_assert_int_eq(train_epochs(&s, 4), 3);
}
