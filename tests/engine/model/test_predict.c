// SPDX-License-Identifier: MIT
#include "engine/model/predict.h"
#include "tests/harness.h"
#include "tests/engine/train/trainlab.h"
#include "engine/nn/role.h"

#include <math.h>
#include <string.h>

static struct arena arena;
static struct err err;

enum { IN = 3, ROWS = 21 };

static void build(struct model *m, size_t n_class, const char *loss, double mean, double std)
{
    struct lab_job j;
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    err = (struct err){0};
    lab_job_init(&j, 1, 10, "tanh", "batch", .3);
    struct pick pick = loss ? lab_pick(&loss_table, loss) : (struct pick){0};
    struct model_task task = lab_task(IN, n_class, &pick);
    static double scale[2];
    struct answer answer = *task.answer;
    scale[0] = mean, scale[1] = std;
    answer.mean = &scale[0], answer.std = &scale[1];
    task.answer = &answer;
    ck_assert_msg(model_build(m, &j.model, &task, &arena, &err), "%s", err.text);
    model_init_weights(m, 5, NULL, NULL);
}

static double ask(const struct model *m, uint32_t batch, const struct train_rows *rows,
                  bool with_target, double *answer)
{
    struct predictor p;
    ck_assert_msg(predictor_init(&p, m, batch, &arena, &err), "%s", err.text);
    return predictor_run(&p, rows->x, with_target ? rows->y : NULL, rows->n, answer, NULL);
}

static const struct {
    size_t n_class;
    const char *loss;
} kinds[] = {{0, NULL}, {2, NULL}, {2, "cross_entropy"}, {5, NULL}};
enum { KINDS = 4 };

LOOP_TEST(probabilities_are_positive_and_sum_to_one, KINDS)
{
    struct model m;
    double answer[ROWS * 5];
    if (kinds[_i].n_class == 0)
        return;
    build(&m, kinds[_i].n_class, kinds[_i].loss, 0, 1);
    struct train_rows rows = lab_rows(&arena, ROWS, IN, kinds[_i].n_class, 3);
    ask(&m, PREDICT_ROWS, &rows, false, answer);
    for (size_t r = 0, k = kinds[_i].n_class; r < ROWS; r++) {
        double sum = 0;
        for (size_t c = 0; c < k; c++) {
            ck_assert(answer[r * k + c] > 0 && answer[r * k + c] < 1);
            sum += (double)answer[r * k + c];
        }
        ck_assert_double_eq_tol(sum, 1, 1e-6);
    }
}

// One logit is the second class's.
TEST(one_logit_becomes_the_probabilities_of_both_classes)
{
    struct model m;
    double answer[2 * ROWS];
    build(&m, 2, NULL, 0, 1);
    struct train_rows rows = lab_rows(&arena, ROWS, IN, 2, 3);
    m.value[m.param[m.n_param - 1].at] = 30;
    ask(&m, PREDICT_ROWS, &rows, false, answer);
    for (size_t r = 0; r < ROWS; r++)
        ck_assert(answer[2 * r] < .001 && answer[2 * r + 1] > .999);
}

TEST(values_come_in_the_targets_own_units)
{
    struct model m;
    double scaled[ROWS], own[ROWS];
    build(&m, 0, NULL, 0, 1);
    struct train_rows rows = lab_rows(&arena, ROWS, IN, 0, 3);
    ask(&m, PREDICT_ROWS, &rows, false, scaled);
    static double mean = 200000, std = 1000;
    m.answer.mean = &mean;
    m.answer.std = &std;
    ask(&m, PREDICT_ROWS, &rows, false, own);
    for (size_t r = 0; r < ROWS; r++)
        ck_assert_double_eq_tol((double)own[r], (double)scaled[r] * 1000 + 200000, .02);
}

// -log p of the right class, or the squared error in training units; nothing without targets.
LOOP_TEST(the_loss_is_the_mean_over_the_rows, KINDS)
{
    struct model m;
    double answer[ROWS * 5];
    size_t k = kinds[_i].n_class;
    build(&m, k, kinds[_i].loss, 0, 1);
    struct train_rows rows = lab_rows(&arena, ROWS, IN, k, 3);
    double loss = ask(&m, PREDICT_ROWS, &rows, true, answer), want = 0;
    for (size_t r = 0; r < ROWS; r++) {
        double y = (double)rows.y[r];
        double of_row = k ? -log((double)answer[r * k + (size_t)y]) : pow((double)answer[r] - y, 2);
        want += of_row / ROWS;
    }
    ck_assert_double_eq_tol(loss, want, 1e-5 * fmax(1, want));
    ck_assert(ask(&m, PREDICT_ROWS, &rows, false, answer) == 0);
}

// The last block is padded; whatever the block's size, each row's answer is its own.
LOOP_TEST(every_block_size_gives_the_same_answers, KINDS)
{
    static const uint32_t batch[] = {1, 2, 7, 8, 20, 21, 22, SCORE_ROWS};
    struct model m;
    double want[ROWS * 5], answer[ROWS * 5 + 1];
    size_t k = kinds[_i].n_class ? kinds[_i].n_class : 1;
    build(&m, kinds[_i].n_class, kinds[_i].loss, 0, 1);
    struct train_rows rows = lab_rows(&arena, ROWS, IN, kinds[_i].n_class, 3);
    double loss = ask(&m, PREDICT_ROWS, &rows, true, want);
    for (size_t b = 0; b < sizeof batch / sizeof *batch; b++) {
        answer[ROWS * k] = 77;
        ck_assert_double_eq_tol(ask(&m, batch[b], &rows, true, answer), loss, 1e-6);
        for (size_t i = 0; i < ROWS * k; i++)
            ck_assert_double_eq_tol((double)answer[i], (double)want[i], 1e-6);
        ck_assert(answer[ROWS * k] == 77);
    }
}

TEST(an_answer_that_is_not_finite_is_noticed)
{
    const double fine[] = {1, -2, 3}, broken[] = {1, NAN, 3}, endless[] = {1, 2, -INFINITY};
    ck_assert(predict_finite(fine, 3) && predict_finite(broken, 1) && predict_finite(fine, 0));
    ck_assert(!predict_finite(broken, 3) && !predict_finite(endless, 3));
}
