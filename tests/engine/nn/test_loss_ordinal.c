// SPDX-License-Identifier: MIT
// The loss of ordered classes and its link say the same: the loss of a class is -log of the
// probability that the prediction gives it, and probabilities are a distribution whatever the
// outputs are.

#include "engine/base/rng.h"
#include "engine/nn/role.h"
#include "tests/engine/nn/losslab.h"
#include "tests/harness.h"

#include <math.h>

enum { CASES = 50, CLASSES = LOSS_COLS + 1 };

static void link_run(const double *z, real p[CLASSES])
{
    real v[LOSS_COLS];
    struct step s = {.op = &op_cumulative_link,
                     .out = {p, NULL, 1, CLASSES},
                     .in = {{v, NULL, 1, LOSS_COLS}}};
    for (int i = 0; i < LOSS_COLS; i++)
        v[i] = (real)z[i];
    op_cumulative_link.forward(&s, (struct tile){0, 0, 1, 0, CLASSES});
}

LOOP_TEST(the_loss_of_a_class_is_its_probabilitys_negative_logarithm, CASES)
{
    static const double none[2];
    const struct loss *loss = loss_of(loss_named("cumulative"));
    double z[LOSS_COLS], sum = 0;
    real p[CLASSES];
    ck_assert_uint_eq(loss_width(loss, CLASSES, 1), LOSS_COLS);
    for (int i = 0; i < LOSS_COLS; i++)
        z[i] = (_i < CASES / 2 ? 1 : 20) * rng_normal(rng_key(1, RNG_PROBE, (uint64_t)_i, 0), i);
    link_run(z, p);
    for (int y = 0; y < CLASSES; y++) {
        double is = y;
        struct loss_result r = loss_run(loss->op, none, LOSS_COLS, z, 1, &is);
        ck_assert(p[y] >= 0 && p[y] <= 1);
        if (p[y] > (real)1e-30)
            ck_assert_double_eq_tol(r.loss, -log((double)p[y]), 1e-4 * fmax(1, r.loss));
        sum += (double)p[y];
    }
    ck_assert_double_eq_tol(sum, 1, 1e-6);
}
