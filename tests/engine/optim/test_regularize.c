// SPDX-License-Identifier: MIT
// Penalties are tested by where training ends up: a wrong sign or factor leads elsewhere.

#include "tests/harness.h"
#include "engine/optim/regularize.h"
#include "engine/base/rng.h"
#include "tests/engine/train/trainlab.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"

#include <float.h>
#include <math.h>
#include <string.h>

// Three orthogonal columns with Σ x²/n = 1 and Σ x y/n = s: the least squares are w = s.
static const real design[4][3] = {{1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}};
static const double s[3] = {1, .3, -.8};

static void fit(struct lab_run *r, double l1, double l2)
{
    struct lab_job j;
    real y[4];
    for (int i = 0; i < 4; i++)
        y[i] = (real)(.5 + s[0] * (double)design[i][0] + s[1] * (double)design[i][1] +
                      s[2] * (double)design[i][2]);
    const struct train_rows rows = {.x = design[0], .y = y, .n = 4};
    lab_job_init(&j, 0, 0, "relu", NULL, 0);
    j.train.optimizer = lab_pick(&optimizer_table, "sgd");
    j.train.optimizer.value[0] = 2e-3;
    j.train.loss = lab_pick(&loss_table, "mse");
    j.train.steps = 6000;
    j.train.regularization.l1 = l1;
    j.train.regularization.l2 = l2;
    lab_build(r, &j, lab_task(3, 0, &j.train.loss), false);
    lab_train(r, &j, &rows, NULL, NULL);
    ck_assert_msg(r->ok, "%s", r->e.text);
}

// min (w - s)² + l2/2 w²  at  w = 2 s / (2 + l2); the bias is not penalised
TEST(l2_shrinks_weights_to_the_closed_form)
{
    struct lab_run r;
    fit(&r, 0, .5);
    const real *w = lab_param(&r.model, "output.weight");
    for (int k = 0; k < 3; k++)
        ck_assert_double_eq_tol((double)w[k], 2 * s[k] / 2.5, 1e-4);
    ck_assert_double_eq_tol((double)*lab_param(&r.model, "output.bias"), .5, 1e-4);
    arena_release(&r.arena);
}

// min (w - s)² + l1 |w|  at  w = sign(s) max(|s| - l1/2, 0)
TEST(l1_thresholds_weights_softly)
{
    struct lab_run r;
    fit(&r, .8, 0);
    const real *w = lab_param(&r.model, "output.weight");
    ck_assert_double_eq_tol((double)w[0], .6, 1e-4);
    ck_assert_double_eq_tol((double)w[1], 0, 2e-3); // within a step of it
    ck_assert_double_eq_tol((double)w[2], -.4, 1e-4);
    ck_assert_double_eq_tol((double)*lab_param(&r.model, "output.bias"), .5, 1e-4);
    arena_release(&r.arena);
}

// A regulariser over a network, with gradients of the test's own.
struct bench {
    struct lab_job job;
    struct lab_run run;
    struct regularizer regularizer;
    real *grad;
};

static void setup(struct bench *b)
{
    lab_job_init(&b->job, 2, 40, "relu", "batch", 0);
    lab_build(&b->run, &b->job, lab_task(700, 0, &b->job.train.loss), false);
    b->grad = arena_zalloc(&b->run.arena, b->run.model.n_trained, sizeof *b->grad);
    ck_assert(regularizer_init(&b->regularizer, &b->run.model, &b->job.train.regularization,
                               b->job.train.seed, b->grad, &b->run.state, &b->run.e));
}

// Several pieces, whole rows of them, every weight once and no vector at all.
TEST(penalties_are_those_of_a_plain_loop_over_weight_matrices)
{
    static struct bench b;
    setup(&b);
    b.job.train.regularization.l1 = .3;
    b.job.train.regularization.l2 = .7;
    double penalty = regularize_gradient(&b.regularizer, NULL), expected = 0;
    ck_assert_uint_gt(b.regularizer.n_piece, 3);
    for (size_t i = 0; i < b.run.model.n_param; i++) {
        const struct model_param *p = &b.run.model.param[i];
        for (size_t k = p->at; p->trained && k < p->at + (size_t)p->rows * p->cols; k++) {
            double w = (double)b.run.model.value[k], d = .3 * ((w > 0) - (w < 0)) + .7 * w;
            ck_assert_double_eq_tol((double)b.grad[k], p->vector ? 0 : d, 1e-6);
            expected += p->vector ? 0 : .3 * fabs(w) + .35 * w * w;
        }
    }
    ck_assert_double_eq_tol(penalty / expected, 1, 1e-5);
    arena_release(&b.run.arena);
}

TEST(clipping_by_value_limits_every_component_and_keeps_nan)
{
    static struct bench b;
    setup(&b);
    b.job.train.regularization.clip_value = .25;
    size_t n = b.run.model.n_trained;
    b.grad[0] = -3;
    b.grad[1] = (real).2;
    b.grad[2] = NAN;
    b.grad[n - 1] = 3;
    ck_assert_double_eq(regularize_gradient(&b.regularizer, NULL), 0);
    ck_assert_double_eq((double)b.grad[0], -.25);
    ck_assert_double_eq_tol((double)b.grad[1], .2, 1e-7);
    ck_assert(isnan(b.grad[2]));
    ck_assert_double_eq((double)b.grad[n - 1], .25);
    arena_release(&b.run.arena);
}

// σ_t = s / (1 + t)^.55 on top of the shortened gradient
TEST(gradient_noise_is_normal_and_falls_with_the_steps)
{
    static struct bench b;
    static const uint64_t steps[] = {0, 99};
    setup(&b);
    b.job.train.regularization.gradient_noise = .5;
    size_t n = b.run.model.n_trained;
    for (int i = 0; i < 2; i++) {
        double sum = 0, squares = 0, sigma = .5 * pow(1 + (double)steps[i], -.55);
        for (size_t k = 0; k < n; k++)
            b.grad[k] = 2;
        regularize_finish(&b.regularizer, steps[i], .5, NULL);
        for (size_t k = 0; k < n; k++) {
            sum += (double)b.grad[k] / (double)n;
            squares += pow((double)b.grad[k] - 1, 2) / (double)n;
        }
        ck_assert_double_eq_tol(sum, 1, 5 * sigma / sqrt((double)n));
        ck_assert_double_eq_tol(sqrt(squares) / sigma, 1, .02);
    }
    arena_release(&b.run.arena);
}

static double row_norm(const real *w, size_t cols)
{
    double sum = 0;
    for (size_t c = 0; c < cols; c++)
        sum += (double)w[c] * (double)w[c];
    return sqrt(sum);
}

// A longer row ends at the bound, a shorter one is left alone, the output layer has none.
TEST(max_norm_bounds_every_hidden_row_exactly)
{
    static struct bench b;
    setup(&b);
    b.job.train.regularization.max_norm = .7;
    real *first = lab_param(&b.run.model, "layers.0.weight");
    real *second = lab_param(&b.run.model, "layers.1.weight");
    real *output = lab_param(&b.run.model, "output.weight");
    for (int c = 0; c < 700; c++)
        first[c] *= (real).1;
    output[0] = 5;
    double kept = row_norm(first, 700);
    regularize_weights(&b.regularizer, NULL);
    ck_assert_double_lt(kept, .7);
    ck_assert_double_eq(row_norm(first, 700), kept);
    for (int row = 0; row < 40; row++) {
        if (row > 0)
            ck_assert_double_eq_tol(row_norm(first + row * 700, 700), .7, 1e-5);
        ck_assert_double_le(row_norm(first + row * 700, 700), .7);
        ck_assert_double_le(row_norm(second + row * 40, 40), .7);
    }
    ck_assert_double_eq((double)output[0], 5);
    arena_release(&b.run.arena);
}
