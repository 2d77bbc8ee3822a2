// SPDX-License-Identifier: MIT
// Training as a whole: it learns, it repeats itself bit for bit whatever the threads, it allocates
// nothing per step, it says where it diverged.

#include "tests/harness.h"
#include "tests/heap.h"
#include "engine/train/mix.h"
#include "engine/optim/schedule.h"
#include "tests/engine/train/trainlab.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/train/train_check.h"
#include "engine/model/predict.h"

#include <math.h>
#include <string.h>

struct run {
    struct arena arena;
    struct run_state state;
    struct model model;
    struct train_result result;
    struct err e;
    struct train_epoch last;
    struct layer_stats layer[LAYERS_MAX];
    unsigned long allocations[64];
    bool ok;
};

static void keep_last(void *ctx, const struct train_epoch *r)
{
    struct run *run = ctx;
    run->last = *r;
    for (size_t i = 0; i < r->n_layer; i++)
        run->layer[i] = r->layer[i];
    run->allocations[r->epoch % 64] = heap_allocations();
}

static void train(struct run *r, const struct lab_job *j, size_t d, size_t k, size_t n,
                  size_t n_val, const struct exec *x)
{
    *r = (struct run){.ok = false};
    arena_init(&r->arena, (size_t)1 << 30);
    run_state_init(&r->state, &r->arena);
    struct train_rows rows = lab_rows(&r->arena, n, d, k, 3),
                      val = lab_rows(&r->arena, n_val, d, k, 4);
    struct model_task task = lab_task((uint32_t)d, k, &j->train.loss);
    struct train_hooks hooks = {.ctx = r, .epoch = keep_last};
    task.mixed = mix_wanted(&j->train);
    ck_assert_msg(lab_model(&r->model, &j->model, &task, &r->state, &r->e), "%s", r->e.text);
    model_init_weights(&r->model, j->train.seed, NULL, NULL);
    r->ok = train_run(&r->model, &j->train, &rows, &val, &hooks, x, &r->result, &r->state, &r->e);
}

// Every activation, with and without batch norm, on every kind of target: the network must beat the
// trivial answer clearly.
static const char *const norms[] = {NULL, "batch"};
static const size_t kinds[] = {0, 2, 5};

LOOP_TEST(a_network_learns, activation_table.n * 2 * 3)
{
    struct lab_job j;
    struct run r;
    const char *activation = activation_table.row[_i / 6]->name;
    lab_job_init(&j, 1, 32, activation, norms[_i / 3 % 2], 0);
    j.train.epochs = 25;
    j.train.optimizer.value[0] = .01;
    size_t k = kinds[_i % 3];
    train(&r, &j, 6, k, 1000, 300, NULL);
    ck_assert_msg(r.ok, "%s", r.e.text);
    double first = r.last.metric[0];
    if (k == 0)
        ck_assert_msg(first < .45, "%s, rmse %g", activation, first);
    else
        ck_assert_msg(first > (k == 2 ? .8 : .7), "%s, %zu classes, accuracy %g", activation, k,
                      first);
    arena_release(&r.arena);
}

LOOP_TEST(every_optimizer_learns, optimizer_table.n)
{
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 1, 32, "relu", "batch", 0);
    j.train.optimizer = pick_row(&optimizer_table, optimizer_table.row[_i]);
    j.train.optimizer.value[0] *= 5;
    j.train.epochs = 20;
    train(&r, &j, 6, 5, 1000, 300, NULL);
    ck_assert_msg(r.ok && r.last.metric[0] > .7, "%s: accuracy %g", optimizer_table.row[_i]->name,
                  r.last.metric[0]);
    arena_release(&r.arena);
}

static uint64_t weights_hash(const struct run *r)
{
    return lab_hash(r->model.value, r->model.n_value * sizeof *r->model.value);
}

// Everything that may be switched on beside the network, in groups that go together.
static void switch_on(struct train_spec *s, int which)
{
    s->observe = true;
    if (which == 1) {
        s->regularization.l1 = 1e-5;
        s->regularization.l2 = 1e-4;
        s->regularization.clip_value = .05;
        s->mixup = .4;
        s->ema = .9;
    }
    if (which == 2) {
        s->clip_norm = 1;
        s->regularization.gradient_noise = .01;
        s->regularization.max_norm = .9;
        s->cutmix = .8;
        s->swa = 1;
    }
}

// Large enough that layers, elementwise steps and the optimizer are cut into several tiles; the
// last batch is short.
LOOP_TEST(weights_have_the_same_bits_for_any_number_of_threads, 3)
{
    static const int counts[] = {1, 2, 3};
    struct lab_job j;
    lab_job_init(&j, 2, 384, "gelu", "batch", .2);
    switch_on(&j.train, _i);
    j.train.epochs = 2;
    j.train.batch_size = 160;
    struct run alone;
    train(&alone, &j, 400, 10, 500, 40, NULL);
    ck_assert_msg(alone.ok, "%s", alone.e.text);
    for (int i = 0; i < 3; i++) {
        struct exec x = lab_exec(&counts[i]);
        struct run r;
        train(&r, &j, 400, 10, 500, 40, &x);
        ck_assert_msg(r.ok, "%s", r.e.text);
        ck_assert_msg(weights_hash(&r) == weights_hash(&alone), "%d threads give other bits",
                      counts[i]);
        ck_assert_mem_eq(r.layer, alone.layer, 3 * sizeof *r.layer);
        arena_release(&r.arena);
    }
    arena_release(&alone.arena);
}

TEST(another_seed_gives_other_weights_and_the_same_seed_the_same)
{
    struct lab_job j;
    struct run a, b, c;
    lab_job_init(&j, 1, 16, "tanh", NULL, .1);
    train(&a, &j, 5, 3, 200, 50, NULL);
    train(&b, &j, 5, 3, 200, 50, NULL);
    j.train.seed = 2;
    train(&c, &j, 5, 3, 200, 50, NULL);
    ck_assert_uint_eq(weights_hash(&a), weights_hash(&b));
    ck_assert_uint_ne(weights_hash(&a), weights_hash(&c));
    arena_release(&a.arena);
    arena_release(&b.arena);
    arena_release(&c.arena);
}

LOOP_TEST(a_training_step_allocates_nothing, 3)
{
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 2, 128, "gelu", "batch", .1);
    switch_on(&j.train, _i);
    j.train.epochs = 10;
    train(&r, &j, 50, 10, 500, 100, NULL);
    ck_assert_msg(r.ok, "%s", r.e.text);
    ck_assert_uint_gt(r.allocations[2], 0);
    ck_assert_uint_eq(r.allocations[10] - r.allocations[2], 0);
    arena_release(&r.arena);
}

TEST(divergence_names_step_and_layer)
{
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 2, 16, "relu", NULL, 0);
    j.train.optimizer = lab_pick(&optimizer_table, "sgd");
    j.train.optimizer.value[0] = 1e6;
    train(&r, &j, 6, 0, 300, 50, NULL);
    ck_assert(!r.ok);
    ck_assert_int_eq(r.e.kind, ERR_DIVERGED);
    ck_assert_ptr_nonnull(strstr(r.e.text, "at step "));
    // In double the square of a finite gradient may overflow: then no single layer is to blame.
    ck_assert_msg(strstr(r.e.text, "first in layers.") || strstr(r.e.text, "first in output") ||
                      strstr(r.e.text, "first in loss") ||
                      (sizeof(real) == sizeof(double) && strstr(r.e.text, "first in the sum")),
                  "%s", r.e.text);
    arena_release(&r.arena);
}

TEST(early_stopping_restores_the_best_epoch)
{
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 2, 128, "relu", NULL, 0);
    j.train.epochs = 400;
    j.train.patience = 8;
    train(&r, &j, 20, 5, 150, 100, NULL);
    ck_assert_msg(r.ok, "%s", r.e.text);
    ck_assert(r.result.stopped_early);
    ck_assert_int_eq(r.result.epochs, r.result.best_epoch + 8);
    ck_assert_double_lt(r.result.best_value, r.last.val_loss);
    arena_release(&r.arena);
}

// Asks for the end before step 7.
struct ender {
    uint64_t step;
};

static void note_step(void *ctx, uint64_t step)
{
    ((struct ender *)ctx)->step = step;
}

static bool is_step_seven(void *ctx)
{
    return ((const struct ender *)ctx)->step == 7;
}

TEST(a_run_that_the_check_refuses_does_not_begin)
{
    struct lab_job j;
    struct run r = {.ok = false};
    lab_job_init(&j, 1, 16, "relu", NULL, 0);
    j.train.monitor = "val_luck";
    arena_init(&r.arena, 1 << 28);
    run_state_init(&r.state, &r.arena);
    struct train_rows rows = lab_rows(&r.arena, 300, 5, 3, 3), none = {0};
    struct model_task task = lab_task(5, 3, &j.train.loss);
    ck_assert(lab_model(&r.model, &j.model, &task, &r.state, &r.e));
    ck_assert(!train_run(&r.model, &j.train, &rows, &none, NULL, NULL, &r.result, &r.state, &r.e));
    ck_assert_int_eq(r.e.kind, ERR_INVALID);
    arena_release(&r.arena);
}

TEST(a_stop_request_ends_training_before_the_next_step)
{
    struct lab_job j;
    struct run r = {.ok = false};
    lab_job_init(&j, 1, 16, "relu", NULL, 0);
    arena_init(&r.arena, 1 << 28);
    run_state_init(&r.state, &r.arena);
    struct train_rows rows = lab_rows(&r.arena, 300, 5, 3, 3), none = {0};
    struct model_task task = lab_task(5, 3, &j.train.loss);
    struct ender ender = {0};
    const struct train_hooks hooks = {.ctx = &ender, .step = note_step};
    const struct halt halt = {is_step_seven, &ender};
    const struct exec x = {.halt = &halt};
    ck_assert(lab_model(&r.model, &j.model, &task, &r.state, &r.e));
    ck_assert(!train_run(&r.model, &j.train, &rows, &none, &hooks, &x, &r.result, &r.state, &r.e));
    ck_assert_int_eq(r.e.kind, ERR_CANCELLED);
    ck_assert_ptr_nonnull(strstr(r.e.text, "step 7"));
    arena_release(&r.arena);
}

TEST(a_lone_last_row_joins_its_neighbour_under_batch_norm_only)
{
    ck_assert_uint_eq(train_batches(129, 64, true), 2);
    ck_assert_uint_eq(train_batches(129, 64, false), 3);
    ck_assert_uint_eq(train_batches(130, 64, true), 3);
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 1, 16, "relu", "batch", 0);
    j.train.batch_size = 64;
    train(&r, &j, 5, 3, 129, 50, NULL);
    ck_assert_msg(r.ok && r.result.steps == 10, "%s", r.e.text);
    arena_release(&r.arena);
}

// 300 rows in batches of 64 are 5 steps an epoch: 12 steps end in the third.
TEST(training_by_steps_stops_after_exactly_those)
{
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 1, 16, "relu", NULL, 0);
    j.train.epochs = 1;
    j.train.steps = 12;
    j.train.schedule = lab_pick(&schedule_table, "cosine");
    train(&r, &j, 5, 3, 300, 50, NULL);
    ck_assert_msg(r.ok, "%s", r.e.text);
    ck_assert_uint_eq(r.result.steps, 12);
    ck_assert_int_eq(r.result.epochs, 3);
    ck_assert(!r.result.stopped_early);
    ck_assert_uint_eq(r.last.steps, 12);
    ck_assert_double_eq_tol(r.last.lr, 1e-3 * (1 + cos(M_PI * 11 / 12)) / 2, 1e-12);
    arena_release(&r.arena);
}

// Patience does not run out before there is an average to be judged.
TEST(early_stopping_waits_for_the_average)
{
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 1, 16, "relu", NULL, 0);
    j.train.optimizer.value[0] = 0;
    j.train.epochs = 40;
    j.train.patience = 3;
    j.train.swa = .5;
    train(&r, &j, 5, 3, 100, 50, NULL);
    ck_assert_msg(r.ok, "%s", r.e.text);
    ck_assert_int_eq(r.result.epochs, 21 + 3);
    arena_release(&r.arena);
}

// A schedule that halves the rate whenever it is told of an epoch, and remembers what it was told.
static double told[16];
static int n_told;

static void halve(const double *value, double watched, struct schedule_state *s)
{
    (void)value;
    told[n_told++] = watched;
    s->scale /= 2;
}

static double full(const double *value, const struct schedule_at *at)
{
    (void)value;
    (void)at;
    return 1;
}

// It sees the smaller-is-better form of what is watched: the training loss without validation rows.
LOOP_TEST(a_watching_schedule_sees_every_epoch_and_scales_the_rate, 3)
{
    static const struct schedule watching = {
        .row = {.name = "watching"}, .factor = full, .observe = halve};
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 1, 16, "relu", NULL, 0);
    j.train.schedule.row = &watching.row;
    j.train.monitor = _i == 1 ? "val_accuracy" : "val_loss";
    n_told = 0;
    train(&r, &j, 5, 3, 100, _i == 2 ? 0 : 50, NULL);
    ck_assert_msg(r.ok, "%s", r.e.text);
    ck_assert_int_eq(n_told, 5);
    ck_assert_double_eq(told[4], _i == 0   ? r.last.val_loss
                                 : _i == 1 ? -r.last.metric[0]
                                           : r.last.train_loss);
    ck_assert_double_eq_tol(r.last.lr, 1e-3 / 16, 1e-12);
    arena_release(&r.arena);
}

TEST(a_loss_that_does_not_fit_the_target_is_refused)
{
    struct lab_job j;
    struct model m;
    struct arena a;
    struct err e = {0};
    arena_init(&a, 1 << 24);
    lab_job_init(&j, 1, 16, "relu", NULL, 0);
    struct pick mse = lab_pick(&loss_table, "mse");
    struct model_task task = lab_task(5, 3, &mse);
    ck_assert(!model_build(&m, &j.model, &task, &a, &e));
    ck_assert_str_eq(e.at, "/loss");
    arena_release(&a);
}

TEST(a_prediction_does_not_depend_on_its_neighbours)
{
    struct lab_job j;
    struct run r;
    lab_job_init(&j, 2, 100, "gelu", "batch", .1);
    train(&r, &j, 13, 5, 300, 50, NULL);
    ck_assert_msg(r.ok, "%s", r.e.text);
    enum { N = 37, K = 5, D = 13 };
    struct train_rows x = lab_rows(&r.arena, N, D, K, 9);
    struct predictor p;
    double together[N * K], alone[K];
    ck_assert(predictor_init(&p, &r.model, PREDICT_ROWS, &r.arena, &r.e));
    predictor_run(&p, x.x, NULL, N, together, NULL);
    for (size_t i = 0; i < N; i++) {
        predictor_run(&p, x.x + i * D, NULL, 1, alone, NULL);
        ck_assert_mem_eq(alone, together + i * K, sizeof alone);
    }
    arena_release(&r.arena);
}
