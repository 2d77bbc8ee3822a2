// SPDX-License-Identifier: MIT
// Averages of the weights against averages made by hand from what every epoch ended with.

#include "tests/harness.h"
#include "engine/train/trainer.h"
#include "tests/engine/train/trainlab.h"
#include "engine/optim/schedule.h"

#include <math.h>
#include <string.h>

enum { EPOCHS = 8, ROWS = 64, IN = 3, MOST = 400 };

struct diary {
    struct lab_job job;
    struct lab_run run;
    struct train_rows rows, val;
    double end[EPOCHS + 1][MOST], lr[EPOCHS + 1], val_loss[EPOCHS + 1]; // [0]: before training
};

static void note(struct diary *d, int epoch)
{
    for (size_t i = 0; i < d->run.model.n_trained; i++)
        d->end[epoch][i] = (double)d->run.model.value[i];
}

static void keep(void *ctx, const struct train_epoch *r)
{
    struct diary *d = ctx;
    note(d, r->epoch);
    d->lr[r->epoch] = r->lr;
    d->val_loss[r->epoch] = r->val_loss;
}

static void begin(struct diary *d, const char *norm)
{
    lab_job_init(&d->job, 1, 8, "tanh", norm, 0);
    d->job.train.epochs = EPOCHS;
    d->job.train.batch_size = ROWS;
    d->job.train.optimizer.value[0] = .05;
}

static void run(struct diary *d, bool validated)
{
    struct train_hooks hooks = {.ctx = d, .epoch = keep};
    lab_build(&d->run, &d->job, lab_task(IN, 0, &d->job.train.loss), false);
    d->rows = lab_rows(&d->run.arena, ROWS, IN, 0, 3);
    d->val = lab_rows(&d->run.arena, 40, IN, 0, 4);
    ck_assert_uint_lt(d->run.model.n_trained, MOST);
    note(d, 0);
    lab_train(&d->run, &d->job, &d->rows, validated ? &d->val : NULL, &hooks);
    ck_assert_msg(d->run.ok, "%s", d->run.e.text);
}

static void check_weights(const struct diary *d, const double *expected)
{
    for (size_t i = 0; i < d->run.model.n_trained; i++)
        ck_assert_double_eq_tol((double)d->run.model.value[i], expected[i], 1e-6);
}

// An epoch is one step here: e = δ e + (1 - δ) p with δ = min(.4, (1 + k) / (10 + k)), the first
// two of which are 2/11 and 3/12.
TEST(ema_is_the_moving_average_of_all_steps)
{
    static struct diary d;
    double e[MOST];
    begin(&d, NULL);
    d.job.train.ema = .4;
    run(&d, false);
    memcpy(e, d.end[0], sizeof e);
    for (int k = 1; k <= EPOCHS; k++) {
        double delta = fmin(.4, (1.0 + k) / (10 + k));
        for (size_t i = 0; i < d.run.model.n_trained; i++)
            e[i] = delta * e[i] + (1 - delta) * d.end[k][i];
    }
    check_weights(&d, e);
    arena_release(&d.run.arena);
}

TEST(swa_is_the_mean_of_the_last_epochs_ends)
{
    static struct diary d;
    double mean[MOST] = {0};
    begin(&d, NULL);
    d.job.train.swa = .375; // 3 of 8
    d.job.train.schedule = lab_pick(&schedule_table, "cosine");
    run(&d, false);
    for (int k = 6; k <= EPOCHS; k++)
        for (size_t i = 0; i < d.run.model.n_trained; i++)
            mean[i] += d.end[k][i] / 3;
    check_weights(&d, mean);
    // The rate stays where the average began: at 5 of 8 steps.
    ck_assert_double_lt(d.lr[5], d.lr[4]);
    for (int k = 6; k <= EPOCHS; k++)
        ck_assert_double_eq_tol(d.lr[k], .05 * (1 + cos(M_PI * 5 / 8)) / 2, 1e-12);
    arena_release(&d.run.arena);
}

static double loss_on(const struct diary *d, const struct model *m)
{
    struct predictor p;
    struct err e = {0};
    double answer[40];
    struct arena *a = (struct arena *)&d->run.arena;
    ck_assert(predictor_init(&p, m, 40, a, &e));
    return predictor_run(&p, d->val.x, d->val.y, d->val.n, answer, NULL);
}

// With validation rows: the value of an epoch is that of the average, and so are the weights that
// are kept.
LOOP_TEST(the_averaged_weights_are_validated_and_kept, 4)
{
    static struct diary d;
    begin(&d, _i % 2 ? "batch" : NULL);
    *(_i / 2 ? &d.job.train.swa : &d.job.train.ema) = .5;
    run(&d, true);
    int best = d.run.result.best_epoch;
    ck_assert_double_eq_tol(loss_on(&d, &d.run.model), d.val_loss[best], 1e-6);
    bool averaged = _i / 2 == 0 || best > EPOCHS / 2;
    double apart = 0;
    for (size_t i = 0; i < d.run.model.n_trained; i++)
        apart += fabs((double)d.run.model.value[i] - d.end[best][i]);
    ck_assert(averaged == (apart > 1e-3));
    arena_release(&d.run.arena);
}

// One unit's outputs in double, over rows [first, first + n): their mean and unbiased variance.
static void statistics(const struct diary *d, int unit, int first, int n, double *mean, double *var)
{
    const real *w = lab_param(&d->run.model, "layers.0.weight") + unit * IN;
    double h[ROWS], bias = (double)lab_param(&d->run.model, "layers.0.bias")[unit];
    *mean = *var = 0;
    for (int r = 0; r < n; r++) {
        h[r] = bias;
        for (int c = 0; c < IN; c++)
            h[r] += (double)w[c] * (double)d->rows.x[(first + r) * IN + c];
        *mean += h[r] / n;
    }
    for (int r = 0; r < n; r++)
        *var += (h[r] - *mean) * (h[r] - *mean) / (n - 1);
}

// Running statistics of the average: the mean over batches of those of its own linear layer.
LOOP_TEST(batch_norm_gets_the_statistics_of_the_averaged_weights, 2)
{
    static struct diary d;
    int batches = _i ? 4 : 1, n = ROWS / batches;
    begin(&d, "batch");
    d.job.train.swa = .5;
    d.job.train.batch_size = n;
    d.job.train.shuffle = false;
    run(&d, false);
    for (int unit = 0; unit < 8; unit++) {
        double mean = 0, var = 0, m, v;
        for (int b = 0; b < batches; b++) {
            statistics(&d, unit, b * n, n, &m, &v);
            mean += m / batches;
            var += v / batches;
        }
        m = (double)lab_param(&d.run.model, "layers.0.norm.running_mean")[unit];
        v = (double)lab_param(&d.run.model, "layers.0.norm.running_var")[unit];
        ck_assert_double_eq_tol(m, mean, 1e-5);
        ck_assert_double_eq_tol(v, var, 1e-5 * (1 + var));
    }
    arena_release(&d.run.arena);
}

// Looking at the average leaves the run as it was: the same live weights with and without.
LOOP_TEST(averaging_does_not_change_what_is_trained, 2)
{
    static struct diary plain, averaged;
    begin(&plain, "batch");
    run(&plain, true);
    begin(&averaged, "batch");
    *(_i ? &averaged.job.train.swa : &averaged.job.train.ema) = .5;
    run(&averaged, true);
    for (int k = 1; k <= EPOCHS; k++)
        ck_assert_mem_eq(plain.end[k], averaged.end[k], sizeof *plain.end);
    arena_release(&plain.run.arena);
    arena_release(&averaged.run.arena);
}
