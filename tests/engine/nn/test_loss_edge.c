// SPDX-License-Identifier: MIT
// What becomes of losses where numbers end.

#include "tests/harness.h"
#include "tests/engine/nn/losslab.h"
#include "engine/nn/role.h"

#include <math.h>

// Rows where the obvious formula overflows or cancels, with the right answer.
static const struct {
    const char *name;
    double hyper[2];
    uint32_t n_z;
    double z[LOSS_COLS];
    uint32_t n_y;
    double y[LOSS_COLS], loss, dz;
} edge[] = {
    // the other class has all of it; and what is left of a sure answer
    {"binary_cross_entropy", {0}, 1, {-100}, 1, {1}, 100, -1},
    {"binary_cross_entropy", {0}, 1, {30}, 1, {1}, 9.3576229688e-14, -9.3576229688e-14},
    {"binary_cross_entropy", {0}, 1, {-30}, 1, {0}, 9.3576229688e-14, 9.3576229688e-14},
    {"cross_entropy", {0}, 2, {-100, 100}, 1, {0}, 200, -1},
    {"focal", {2}, 2, {-100, 100}, 1, {0}, 200, -1},
    {"focal", {2}, 2, {10, -10}, 1, {0}, 8.7565107500e-27, -2.6269532230e-26},
    {"focal", {.5}, 2, {1000, -1000}, 1, {0}, 0, 0},
    {"kl_div", {0}, 2, {-100, 100}, 2, {1, 0}, 200, -1},
    {"log_cosh", {0}, 1, {1e-4}, 1, {0}, 4.99999999167e-9, 9.99999996667e-5},
    {"log_cosh", {0}, 1, {-100}, 1, {0}, 99.306852819440, -1},
    {"cumulative", {0}, 4, {-100, 3, 2, 1}, 1, {4}, 106.48877705, -1},
    {"cumulative", {0}, 2, {30, -30}, 1, {1}, 60, 1},
    // ties
    {"mae", {0}, 1, {2}, 1, {2}, 0, 0},
    {"smooth_l1", {0}, 1, {2}, 1, {2}, 0, 0},
    {"hinge", {0}, 1, {1}, 1, {1}, 0, 0},
    // the tangent of the exponential beyond 60
    {"poisson", {0}, 1, {60}, 1, {0}, 1.1420073898156842e26, 1.1420073898156842e26},
    {"poisson", {0}, 1, {100}, 1, {0}, 4.682230298244305e27, 1.1420073898156842e26},
    {"gamma", {0}, 1, {-100}, 1, {1}, 4.682230298244305e27, -1.1420073898156842e26},
    {"gaussian_nll", {0}, 2, {100, -100}, 1, {0}, 2.3411151491221525e31, 4.682230298244305e29},
};

LOOP_TEST(a_loss_is_right_where_numbers_end, sizeof edge / sizeof *edge)
{
    const char *name = edge[_i].name;
    struct loss_result r = loss_run(loss_named(name), edge[_i].hyper, edge[_i].n_z, edge[_i].z,
                                    edge[_i].n_y, edge[_i].y);
    double loss = edge[_i].loss, dz = edge[_i].dz;
    ck_assert_msg(fabs(r.loss - loss) <= 3e-6 * fabs(loss), "%s, case %d: %.9g, expected %.9g",
                  name, _i, r.loss, loss);
    ck_assert_msg(fabs(r.dz[0] - dz) <= 3e-6 * fabs(dz), "%s, case %d: slope %.9g, expected %.9g",
                  name, _i, r.dz[0], dz);
}

// Every loss with every hyperparameter at either end of its range, on outputs up to 100 either way.
LOOP_TEST(no_hyper_makes_a_loss_of_large_outputs_infinite, loss_table.n * 2)
{
    static const double z[] = {100, -100, 100, -100, 100};
    const struct op *op = loss_named(loss_table.row[_i / 2]->name);
    uint32_t n = loss_outputs(op), n_y = loss_targets(op);
    double hyper[2];
    for (int k = 0; k < 2; k++)
        hyper[k] = _i % 2 ? op->row.hyper[k].max : op->row.hyper[k].min;
    for (int y = 0; y < 2; y++) {
        struct loss_result r = loss_run(op, hyper, n, z + y, n_y, (double[LOSS_COLS]){y, y, y, y});
        ck_assert_msg(isfinite(r.loss), "%s: %g", op->row.name, r.loss);
        for (uint32_t i = 0; i < n; i++)
            ck_assert_msg(isfinite(r.dz[i]), "%s, derivative %u: %g", op->row.name, i, r.dz[i]);
    }
}

// NaN must reach the loss, where training notices it.
LOOP_TEST(losses_pass_nan_on, loss_table.n)
{
    const struct op *op = loss_named(loss_table.row[_i]->name);
    struct pick p = pick_row(&loss_table, &op->row);
    uint32_t n = loss_outputs(op), n_y = loss_targets(op);
    for (uint32_t i = 0; i < n; i++) {
        double z[LOSS_COLS] = {.5, .5, .5, .5}, y[LOSS_COLS] = {1, 1, 1, 1};
        z[i] = NAN;
        ck_assert_msg(isnan(loss_run(op, p.value, n, z, n_y, y).loss), "loss \"%s\" hides NaN",
                      op->row.name);
    }
}
