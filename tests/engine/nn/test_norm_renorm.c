// SPDX-License-Identifier: MIT
// Batch renormalisation against what its paper says of it.

#include "tests/engine/nn/oplab.h"

#include "engine/nn/role.h"
#include "tests/harness.h"

#include <math.h>

enum { X, WEIGHT, BIAS, MEAN, VAR };
enum { MOMENTUM, EPS, R_MAX, D_MAX };

// A lab whose running statistics are `mean` and `var` for every column.
static struct oplab renorm(double mean, double var)
{
    struct oplab lab = oplab_new(&op_batch_renorm, 6, 5);
    for (uint32_t c = 0; c < lab.s.in[X].cols; c++) {
        lab.s.in[MEAN].v[c] = (real)mean;
        lab.s.in[VAR].v[c] = (real)var;
    }
    return lab;
}

static double at(struct buf b, uint32_t r, uint32_t c)
{
    return (double)b.v[r * b.cols + c];
}

// Within the bounds a value is that of the running statistics: what serves is what was trained.
TEST(renorm_trains_on_the_running_statistics_within_its_bounds)
{
    struct oplab lab = renorm(.3, 1.7);
    const struct buf *in = lab.s.in;
    double weight = at(in[WEIGHT], 0, 1), bias = at(in[BIAS], 0, 1);
    oplab_loss(&lab);
    for (uint32_t r = 0; r < in[X].rows; r++) {
        double want = weight * (at(in[X], r, 1) - .3) / sqrt(1.7 + 1e-5) + bias;
        ck_assert_double_eq_tol(at(lab.s.out, r, 1), want, 2e-6);
    }
    oplab_free(&lab);
}

static const struct {
    double mean, var, r_max, d_max;
} plain[] = {
    {.3, 1.7, 1, 0}, // no correction allowed
    {0, 0, 3, 5},    // no statistics
};

LOOP_TEST(renorm_is_batch_norm_where_nothing_is_corrected, sizeof plain / sizeof *plain)
{
    struct oplab lab = renorm(plain[_i].mean, plain[_i].var), batch = oplab_new(&op_batch, 6, 5);
    lab.s.value[R_MAX] = plain[_i].r_max;
    lab.s.value[D_MAX] = plain[_i].d_max;
    for (int k = X; k <= BIAS; k++)
        for (size_t i = 0; i < oplab_cells(lab.s.in[k]); i++)
            batch.s.in[k].v[i] = lab.s.in[k].v[i];
    oplab_backward(&lab);
    oplab_backward(&batch);
    for (size_t i = 0; i < oplab_cells(lab.s.out); i++) {
        ck_assert_double_eq_tol((double)lab.s.out.v[i], (double)batch.s.out.v[i], 2e-6);
        ck_assert_double_eq_tol((double)lab.s.in[X].d[i], (double)batch.s.in[X].d[i], 2e-6);
    }
    oplab_free(&lab);
    oplab_free(&batch);
}

// r = 3, d = -5: a batch far above narrow statistics.
TEST(renorm_corrects_no_more_than_its_bounds)
{
    struct oplab lab = renorm(100, 1e-6);
    const struct buf *in = lab.s.in;
    double sum = 0, square = 0, n = in[X].rows;
    for (uint32_t r = 0; r < in[X].rows; r++)
        sum += at(in[X], r, 0);
    for (uint32_t r = 0; r < in[X].rows; r++)
        square += pow(at(in[X], r, 0) - sum / n, 2);
    oplab_loss(&lab);
    for (uint32_t r = 0; r < in[X].rows; r++) {
        double hat = (at(in[X], r, 0) - sum / n) / sqrt(square / n + 1e-5);
        double want = at(in[WEIGHT], 0, 0) * (3 * hat - 5) + at(in[BIAS], 0, 0);
        ck_assert_double_eq_tol(at(lab.s.out, r, 0), want, 1e-5);
    }
    oplab_free(&lab);
}
