// SPDX-License-Identifier: MIT
// What a run is told to take is what it takes, to the byte, whatever is switched on: estimate and
// allocation are the same functions.

#include "tests/harness.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/train/score.h"
#include "engine/train/train.h"
#include "tests/engine/train/trainlab.h"

static struct lab_job job;

static void plain(void)
{
}
static void moving(void)
{
    job.train.ema = .9;
}
static void averaged(void)
{
    job.train.swa = 1;
}
static void mixed_up(void)
{
    job.train.mixup = .5;
}
static void mixed(void)
{
    job.train.cutmix = .5;
}
static void observed(void)
{
    job.train.observe = true;
}
static void gated(void)
{
    job.train.observe = true;
    job.layer[1].activation = lab_pick(&activation_table, "glu");
}
static void sharpened(void)
{
    lab_hyper(&optimizer_table, &job.train.optimizer, "sam", .05);
}
static void ahead(void)
{
    lab_hyper(&optimizer_table, &job.train.optimizer, "lookahead", 3);
}
static void weighed(void)
{
    job.layer[0].norm = lab_pick(&norm_table, "weight");
}
static void lone(void) // a last row that joins the batch before it
{
    job.train.batch_size = 7;
}

static void (*const change[])(void) = {plain, moving,    averaged, mixed_up, mixed, observed,
                                       gated, sharpened, ahead,    weighed,  lone};
enum { CHANGES = sizeof change / sizeof *change };

// Memory that the caller takes for the rows themselves is announced as well.
static void expect_announced(size_t rows, size_t in, size_t val, bool weighted)
{
    struct lab_run r;
    struct train_rows none = {.n = 0};
    lab_build(&r, &job, lab_task((uint32_t)in, 3, &job.train.loss), weighted);
    struct train_rows train = lab_rows(&r.arena, rows, in, 3, 3),
                      watched = lab_rows(&r.arena, val, in, 3, 4);
    train.w = weighted ? arena_zalloc(&r.arena, rows, sizeof *train.w) : NULL;
    watched.w = weighted ? arena_zalloc(&r.arena, val, sizeof *train.w) : NULL;
    for (size_t i = 0; weighted && i < rows; i++)
        ((real *)train.w)[i] = 1;
    size_t before = r.arena.used - (r.model.n_value * sizeof(real) + 63) / 64 * 64;
    double told = train_memory(&r.model, &job.train, (struct train_size){rows, val, 0});
    lab_train(&r, &job, &train, val ? &watched : &none, NULL);
    ck_assert_msg(r.ok, "%s", r.e.text);
    double encoded = (double)((rows + val) * (in + 1 + weighted)) * sizeof(real), after = 0;
    if (val) {
        struct score s;
        size_t used = r.arena.used;
        ck_assert(score_rows(&s, &r.model, &watched, NULL, &r.arena, &r.e));
        after = (double)(r.arena.used - used);
        r.arena.used = used;
    }
    double took = (double)(r.arena.used - before) + encoded + after;
    ck_assert_msg(took == told, "took %.0f, announced %.0f", took, told);
    ck_assert(r.state.bytes == (double)(r.arena.used - before));
    arena_release(&r.arena);
}

// Wide: parameters count; long: rows count.
LOOP_TEST(memory_is_announced_to_the_byte, CHANGES * 4)
{
    bool wide = _i % 2, validated = _i / 2 % 2;
    lab_job_init(&job, 2, wide ? 512 : 16, "gelu", "batch", .1);
    job.train.epochs = 2;
    change[_i / 4]();
    expect_announced(wide ? 204 : 20000, wide ? 300 : 20, validated ? 100 : 0, false);
}

LOOP_TEST(every_optimizer_is_announced_to_the_byte, optimizer_table.n)
{
    lab_job_init(&job, 1, 100, "relu", NULL, 0);
    job.train.optimizer = pick_row(&optimizer_table, optimizer_table.row[_i]);
    job.train.epochs = 1;
    expect_announced(100, 40, 300, _i % 2);
}

// The first size that is too much for an arena is refused, and the one that was announced is not.
TEST(an_arena_of_the_announced_size_is_enough)
{
    struct lab_run r;
    struct train_rows none = {.n = 0};
    for (int less = 0; less < 2; less++) {
        lab_job_init(&job, 1, 64, "relu", NULL, 0);
        job.train.epochs = 1;
        lab_build(&r, &job, lab_task(10, 0, &job.train.loss), false);
        struct train_rows rows = lab_rows(&r.arena, 100, 10, 0, 3);
        size_t values = (r.model.n_value * sizeof(real) + 63) / 64 * 64;
        double told = train_memory(&r.model, &job.train, (struct train_size){100, 0, 0});
        r.arena.max =
            r.arena.used - values + (size_t)told - 100 * 11 * sizeof(real) - (less ? 64 : 0);
        lab_train(&r, &job, &rows, &none, NULL);
        ck_assert_msg(r.ok == !less, "%s", r.e.text);
        ck_assert_int_eq(r.e.kind, less ? ERR_TOO_LARGE : ERR_NONE);
        arena_release(&r.arena);
    }
}
