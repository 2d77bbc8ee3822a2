// SPDX-License-Identifier: MIT
// Muon's matrices: which they are, and that their moves are orthogonal.

#include "tests/harness.h"
#include "tests/engine/optim/optimlab.h"

#include <math.h>
#include <string.h>

static struct valley v;

TEST(muon_takes_hidden_matrices_whole)
{
    static const uint32_t rows[] = {150, 0, 30, 0};
    static const size_t at[] = {0, 18000, 18120, 21720};
    struct pick p = valley_pick("muon", NULL, 0);
    valley_begin(&v, &p, NULL, 0);
    ck_assert_uint_eq(v.optimizer.n_span, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(v.optimizer.span[i].rows, rows[i]);
        ck_assert_uint_eq(v.optimizer.span[i].at, at[i]);
    }
    valley_end(&v);
}

// Σ over i of d[i, a] d[i, b]
static double product(const real *d, size_t rows, size_t cols, size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = 0; i < rows; i++)
        sum += (double)d[i * cols + a] * (double)d[i * cols + b];
    return sum;
}

// layers.0.weight is tall: the columns of its move, over lr √(rows/cols), are about orthonormal:
// singular values between .68 and 1.13 or so.
TEST(muon_moves_a_matrix_by_an_orthogonal_one)
{
    enum { ROWS = 150, COLS = 120 };
    static real before[VALLEY_N];
    struct pick p = valley_pick("muon", NULL, 0);
    double trace = 0, unit;
    valley_begin(&v, &p, NULL, 0);
    unit = p.value[0] * sqrt((double)ROWS / COLS);
    memcpy(before, v.param, sizeof before);
    valley_walk(&v, 1, 1, NULL);
    for (size_t i = 0; i < ROWS * COLS; i++)
        before[i] = (before[i] - v.param[i]) / (real)unit;
    for (size_t a = 0; a < COLS; a++) {
        trace += product(before, ROWS, COLS, a, a);
        ck_assert_double_lt(fabs(product(before, ROWS, COLS, a, (a + 7) % COLS)), .3);
    }
    ck_assert_msg(trace > .4 * COLS && trace < 1.3 * COLS, "trace %g", trace);
    valley_end(&v);
}

// The direction is all that counts: a gradient a million times as large moves a matrix the same.
LOOP_TEST(muon_does_not_care_for_the_size_of_gradients, 4)
{
    static const double sizes[] = {1e-3, 1e3, 1e12, 1e30};
    struct pick p = valley_pick("muon", NULL, 0);
    real moved[2];
    for (int i = 0; i < 2; i++) {
        valley_begin(&v, &p, NULL, 0);
        real first = v.param[40];
        for (size_t k = 0; k < VALLEY_N; k++)
            v.grad[k] = (real)(sin(1 + (double)(k * k % 1009)) * (i ? sizes[_i] : 1));
        optimizer_step(&v.optimizer, .02, 0, 1, NULL, NULL, NULL);
        moved[i] = v.param[40] - first;
        valley_end(&v);
    }
    ck_assert(moved[0] != 0);
    ck_assert_double_eq_tol((double)(moved[1] / moved[0]), 1, .02);
}

TEST(muon_without_gradients_only_decays)
{
    struct pick p = valley_pick("muon", "weight_decay", .5);
    valley_begin(&v, &p, NULL, 0);
    real first = v.param[0];
    memset(v.grad, 0, sizeof v.grad);
    optimizer_step(&v.optimizer, .02, 0, 1, NULL, NULL, NULL);
    ck_assert_double_eq_tol((double)(v.param[0] / first), .99, 1e-6);
    valley_end(&v);
}
