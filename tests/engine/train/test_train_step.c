// SPDX-License-Identifier: MIT
// One step and what it is made of: batches, weights of rows, mixing, what an optimizer may ask for.

#include "tests/harness.h"
#include "engine/base/rng.h"
#include "engine/train/trainer.h"
#include "tests/engine/train/trainlab.h"
#include "engine/optim/optim.h"

#include <math.h>
#include <string.h>

enum { ROWS = 20, IN = 4, BATCH = 6 };

struct scene {
    struct lab_job job;
    struct lab_run run;
    struct train_rows rows, none;
    struct train_hooks hooks;
    struct trainer trainer;
};

static void prepare(struct scene *s)
{
    *s = (struct scene){.none = {.n = 0}};
    lab_job_init(&s->job, 1, 8, "tanh", NULL, 0);
    s->job.train.batch_size = BATCH;
    s->job.train.shuffle = false;
}

static void start(struct scene *s, bool weighted)
{
    lab_build(&s->run, &s->job, lab_task(IN, 0, &s->job.train.loss), weighted);
    s->rows = lab_rows(&s->run.arena, ROWS, IN, 0, 3);
    real *w = arena_need(&s->run.arena, ROWS, sizeof *w);
    for (int i = 0; i < ROWS; i++)
        w[i] = (real)(i % 4);
    s->rows.w = weighted ? w : NULL;
    s->trainer = (struct trainer){.m = &s->run.model,
                                  .spec = &s->job.train,
                                  .train = &s->rows,
                                  .val = &s->none,
                                  .hooks = &s->hooks,
                                  .lr = .1};
    ck_assert(trainer_init(&s->trainer, &s->run.state, &s->run.e));
    train_shuffle(&s->trainer, 1);
}

static const real *input(const struct scene *s, uint32_t node)
{
    return s->trainer.plan.buf[node].v;
}

TEST(without_shuffling_rows_come_in_the_order_given)
{
    static struct scene s;
    prepare(&s);
    start(&s, true);
    for (uint32_t b = 0; b < 4; b++) {
        train_load(&s.trainer, b, false);
        ck_assert_uint_eq(s.trainer.rows, b < 3 ? BATCH : 2);
        size_t n = s.trainer.rows;
        ck_assert_mem_eq(input(&s, s.run.model.train_x), s.rows.x + b * BATCH * IN,
                         n * IN * sizeof(real));
        ck_assert_mem_eq(input(&s, s.run.model.train_y), s.rows.y + b * BATCH, n * sizeof(real));
        ck_assert_mem_eq(input(&s, s.run.model.train_w), s.rows.w + b * BATCH, n * sizeof(real));
    }
    arena_release(&s.run.arena);
}

TEST(with_shuffling_every_epoch_has_an_order_of_its_own)
{
    static struct scene s;
    uint32_t first[ROWS];
    prepare(&s);
    s.job.train.shuffle = true;
    start(&s, false);
    memcpy(first, s.trainer.order, sizeof first);
    int seen[ROWS] = {0};
    train_shuffle(&s.trainer, 2);
    for (int i = 0; i < ROWS; i++)
        seen[s.trainer.order[i]]++;
    for (int i = 0; i < ROWS; i++)
        ck_assert_int_eq(seen[i], 1);
    ck_assert_mem_ne(first, s.trainer.order, sizeof first);
    arena_release(&s.run.arena);
}

// x = λ x + (1 - λ) x'; both targets; the two losses weigh λ w and (1 - λ) w'.
TEST(a_mixed_batch_has_both_targets_and_both_weights)
{
    static struct scene s;
    prepare(&s);
    s.job.train.mixup = 1;
    start(&s, true);
    const struct model *m = &s.run.model;
    train_load(&s.trainer, 1, true);
    double share = s.trainer.mixer.share;
    ck_assert(share > 0 && share < 1);
    for (size_t i = 0; i < BATCH; i++) {
        size_t row = BATCH + i, other = BATCH + s.trainer.mixer.partner[i];
        double w = (double)s.rows.w[row], v = (double)s.rows.w[other];
        double mixed = (double)input(&s, m->train_w)[i],
               part = (double)input(&s, m->train_share)[i];
        for (size_t c = 0; c < IN; c++)
            ck_assert_double_eq_tol((double)input(&s, m->train_x)[i * IN + c],
                                    share * (double)s.rows.x[row * IN + c] +
                                        (1 - share) * (double)s.rows.x[other * IN + c],
                                    1e-6);
        ck_assert(input(&s, m->train_y)[i] == s.rows.y[row]);
        ck_assert(input(&s, m->train_y2)[i] == s.rows.y[other]);
        ck_assert_double_eq_tol(mixed * part, share * w, 1e-6);
        ck_assert_double_eq_tol(mixed * (1 - part), (1 - share) * v, 1e-6);
    }
    arena_release(&s.run.arena);
}

TEST(a_batch_that_is_not_mixed_has_its_own_targets_only)
{
    static struct scene s;
    prepare(&s);
    s.job.train.mixup = 1;
    start(&s, false);
    const struct model *m = &s.run.model;
    train_load(&s.trainer, 0, true);
    train_load(&s.trainer, 0, false);
    ck_assert_mem_eq(input(&s, m->train_x), s.rows.x, BATCH * IN * sizeof(real));
    for (size_t i = 0; i < BATCH; i++)
        ck_assert(input(&s, m->train_share)[i] == 1 && input(&s, m->train_y2)[i] == s.rows.y[i]);
    arena_release(&s.run.arena);
}

// Rate 0: the weights stay, so a second look at the same batch must give loss and gradients again,
// with the penalty that was left out of the loss that is reported.
TEST(an_optimizer_that_asks_again_gets_the_objectives_loss_and_gradient)
{
    static struct scene s;
    struct stepped stepped;
    prepare(&s);
    s.job.train.optimizer = lab_pick(&optimizer_table, "sgd");
    s.job.train.regularization.l2 = .3;
    start(&s, false);
    s.trainer.lr = 0;
    train_load(&s.trainer, 0, false);
    ck_assert(train_step(&s.trainer, &stepped, &s.run.e));
    size_t n = s.run.model.n_trained;
    real *grad = arena_need(&s.run.arena, n, sizeof *grad);
    memcpy(grad, s.trainer.grad, n * sizeof *grad);
    memset(s.trainer.grad, 0, n * sizeof *grad);
    double loss, penalty = 0;
    ck_assert(s.trainer.closure.evaluate(s.trainer.closure.ctx, &loss, &s.run.e));
    ck_assert_mem_eq(grad, s.trainer.grad, n * sizeof *grad);
    const real *w = lab_param(&s.run.model, "layers.0.weight");
    for (int i = 0; i < 8 * IN; i++)
        penalty += .15 * (double)w[i] * (double)w[i];
    w = lab_param(&s.run.model, "output.weight");
    for (int i = 0; i < 8; i++)
        penalty += .15 * (double)w[i] * (double)w[i];
    ck_assert_double_eq_tol(loss - stepped.loss, penalty, 1e-5);
    arena_release(&s.run.arena);
}

static double length_of_step(struct scene *s)
{
    struct stepped stepped;
    size_t n = s->run.model.n_trained;
    double moved = 0;
    real *before = arena_need(&s->run.arena, n, sizeof *before);
    memcpy(before, s->run.model.value, n * sizeof *before);
    train_load(&s->trainer, 0, false);
    ck_assert_msg(train_step(&s->trainer, &stepped, &s->run.e), "%s", s->run.e.text);
    for (size_t i = 0; i < n; i++)
        moved += pow((double)s->run.model.value[i] - (double)before[i], 2);
    return sqrt(moved);
}

// With a limit of 1e-3 on each component and then of .5e-3 on the norm a step of plain descent has
// length lr * .5e-3; so it has when the gradient is taken elsewhere (SAM), where it is another.
LOOP_TEST(a_gradient_is_limited_by_value_then_by_norm, 2)
{
    static struct scene s;
    prepare(&s);
    s.job.train.optimizer = lab_pick(&optimizer_table, "sgd");
    if (_i)
        lab_hyper(&optimizer_table, &s.job.train.optimizer, "sam", .5);
    else
        s.job.train.regularization.clip_value = 1e-3;
    s.job.train.clip_norm = .5e-3;
    start(&s, false);
    ck_assert_double_eq_tol(length_of_step(&s) / .5e-4, 1, 1e-2);
    arena_release(&s.run.arena);
}

TEST(gradient_noise_comes_on_top_of_the_limits)
{
    static struct scene s;
    prepare(&s);
    s.job.train.optimizer = lab_pick(&optimizer_table, "sgd");
    s.job.train.clip_norm = .5e-3;
    s.job.train.regularization.gradient_noise = 1;
    start(&s, false);
    double expected = .1 * sqrt((double)s.run.model.n_trained);
    ck_assert_double_eq_tol(length_of_step(&s) / expected, 1, .3);
    arena_release(&s.run.arena);
}

static void set_all(struct scene *s, const char *name, int n, real value)
{
    real *w = lab_param(&s->run.model, name);
    for (int i = 0; i < n; i++)
        w[i] = value;
}

// Units of the largest number there is, and weights of 0 behind them: the answer is 0, the
// gradients of the layer below are, and those of the weights themselves overflow.
TEST(the_parameter_whose_gradient_is_not_finite_is_named)
{
    static struct scene s;
    struct stepped stepped;
    prepare(&s);
    lab_job_init(&s.job, 1, 8, "relu", NULL, 0);
    start(&s, false);
    real *y = arena_need(&s.run.arena, ROWS, sizeof *y);
    for (int i = 0; i < ROWS; i++)
        y[i] = 1000;
    s.rows.y = y;
    set_all(&s, "layers.0.weight", 8 * IN, 0);
    set_all(&s, "layers.0.bias", 8, sizeof(real) == sizeof(float) ? (real)3e38 : (real)1e308);
    set_all(&s, "output.weight", 8, 0);
    train_load(&s.trainer, 0, false);
    ck_assert(!train_step(&s.trainer, &stepped, &s.run.e));
    ck_assert_int_eq(s.run.e.kind, ERR_DIVERGED);
    ck_assert_msg(strstr(s.run.e.text, "the gradient is not finite, first in output.weight;"), "%s",
                  s.run.e.text);
    arena_release(&s.run.arena);
}

static void keep(void *ctx, const struct train_epoch *r)
{
    *(struct train_epoch *)ctx = *r;
}

// Rows 0, 1, 2 with weights 1, 2, 1 are rows 0, 1, 1, 2: the same steps, the same losses.
TEST(a_row_of_weight_2_counts_as_the_row_twice)
{
    static const int twice[] = {0, 1, 1, 2};
    static const real weight[] = {1, 2, 1};
    struct lab_run r[2];
    struct lab_job j;
    struct train_epoch last[2];
    lab_job_init(&j, 1, 8, "tanh", NULL, 0);
    j.train.optimizer = lab_pick(&optimizer_table, "sgd");
    j.train.steps = 50;
    for (int k = 0; k < 2; k++) {
        struct train_hooks hooks = {.ctx = &last[k], .epoch = keep};
        lab_build(&r[k], &j, lab_task(IN, 0, &j.train.loss), k == 0);
        struct train_rows rows = lab_rows(&r[k].arena, 3, IN, 0, 3);
        real x[4 * IN], y[4];
        for (int i = 0; i < 4; i++) {
            memcpy(x + i * IN, rows.x + twice[i] * IN, IN * sizeof *x);
            y[i] = rows.y[twice[i]];
        }
        if (k == 0)
            rows.w = weight;
        else
            rows = (struct train_rows){.x = x, .y = y, .n = 4};
        lab_train(&r[k], &j, &rows, &rows, &hooks);
        ck_assert_msg(r[k].ok, "%s", r[k].e.text);
    }
    ck_assert_double_eq_tol(last[0].val_loss / last[1].val_loss, 1, 1e-4);
    ck_assert_double_eq_tol(last[0].train_loss / last[1].train_loss, 1, 1e-4);
    for (size_t i = 0; i < r[0].model.n_trained; i++)
        ck_assert_double_eq_tol((double)r[0].model.value[i], (double)r[1].model.value[i], 1e-5);
    arena_release(&r[0].arena);
    arena_release(&r[1].arena);
}
