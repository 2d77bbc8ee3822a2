// SPDX-License-Identifier: MIT
#include "engine/train/score.h"
#include "tests/harness.h"
#include "tests/engine/train/trainlab.h"

#include <math.h>

static struct arena arena;
static struct err err;
static struct score score;

// A network without hidden layers: output = weight x + bias, one input.
static void build(struct model *m, size_t n_class, double mean, double std, double weight,
                  double bias)
{
    struct lab_job j;
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    err = (struct err){0};
    lab_job_init(&j, 0, 0, NULL, NULL, 0);
    struct model_task task = lab_task(1, n_class, &j.train.loss);
    static double scale[2];
    struct answer answer = *task.answer;
    scale[0] = mean, scale[1] = std;
    answer.mean = &scale[0], answer.std = &scale[1];
    task.answer = &answer;
    ck_assert_msg(model_build(m, &j.model, &task, &arena, &err), "%s", err.text);
    m->value[0] = (real)weight;
    m->value[1] = (real)bias;
}

// Outputs 0, 1, 2, 3 for scaled targets 0, 1, 2, 5, where one unit is ten of the target's.
TEST(a_regression_is_scored_in_the_targets_own_units)
{
    static const real x[] = {0, 1, 2, 3}, y[] = {0, 1, 2, 5};
    const struct train_rows rows = {.x = x, .y = y, .n = 4};
    struct model m;
    build(&m, 0, 100, 10, 1, 0);
    ck_assert_msg(score_rows(&score, &m, &rows, NULL, &arena, &err), "%s", err.text);
    ck_assert_double_eq_tol(score.loss, 1, 1e-6);       // 2² / 4, in training units
    ck_assert_double_eq_tol(score.metric[0], 10, 1e-4); // rmse
    ck_assert_double_eq_tol(score.metric[1], 5, 1e-4);  // mae
    ck_assert_double_eq_tol(score.metric[2], 1 - 400. / 1400, 1e-6);
}

// Logits -1, 1, 1, 3 for classes 0, 0, 1, 1.
TEST(a_classification_is_scored_by_its_probabilities)
{
    static const real x[] = {-1, 1, 1, 3}, y[] = {0, 0, 1, 1};
    const struct train_rows rows = {.x = x, .y = y, .n = 4};
    struct model m;
    build(&m, 2, 0, 1, 1, 0);
    ck_assert_msg(score_rows(&score, &m, &rows, NULL, &arena, &err), "%s", err.text);
    double loss = (2 * log1p(exp(-1)) + log1p(exp(1)) + log1p(exp(-3))) / 4;
    ck_assert_double_eq_tol(score.loss, loss, 1e-6);
    ck_assert_double_eq_tol(score.metric[0], .75, 1e-9);  // accuracy
    ck_assert_double_eq_tol(score.metric[1], loss, 1e-6); // log loss
    ck_assert_double_eq_tol(score.metric[2], .875, 1e-9); // auc, with a tie
}

TEST(an_answer_that_is_not_finite_cannot_be_scored)
{
    static const real x[] = {0, INFINITY}, y[] = {0, 1};
    const struct train_rows rows = {.x = x, .y = y, .n = 2};
    struct model m;
    build(&m, 0, 0, 1, 1, 0);
    ck_assert(!score_rows(&score, &m, &rows, NULL, &arena, &err));
    ck_assert_int_eq(err.kind, ERR_INVALID);
}

TEST(rows_that_do_not_fit_are_too_large)
{
    static const real x[] = {0, 1}, y[] = {0, 1};
    const struct train_rows rows = {.x = x, .y = y, .n = 2};
    struct model m;
    struct arena small;
    build(&m, 0, 0, 1, 1, 0);
    arena_init(&small, 300);
    ck_assert(!score_rows(&score, &m, &rows, NULL, &small, &err));
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    arena_release(&small);
}
