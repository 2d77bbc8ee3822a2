// SPDX-License-Identifier: MIT
// Losses with their known values and derivatives, and what becomes of them where numbers end. That
// derivatives fit values everywhere else is tested by walking the op table.

#include "harness.h"
#include "op.h"
#include "tables.h"

#include <math.h>
#include <string.h>

enum { COLS = 4 };

// One row: from PyTorch 1.13 in double where it has the loss, else from its autograd over the
// formula; a row of the table that is not here fails the walk below.
static const struct {
    const char *name;
    double knob[2];
    uint32_t n_z;
    double z[COLS];
    uint32_t n_y;
    double y[COLS], loss, dz[COLS];
} known[] = {
    {"mse",
     {0},
     3,
     {1.5, -0.4, 0.2},
     3,
     {0.3, 0.9, 0.2},
     1.0433333333333332,
     {0.79999999999999993, -0.8666666666666667, 0}},
    {"mae",
     {0},
     3,
     {1.5, -0.4, 0.2},
     3,
     {0.3, 0.9, 0.2},
     0.83333333333333337,
     {0.33333333333333331, -0.33333333333333331, 0}},
    {"huber",
     {1},
     3,
     {3.5, -2, 0.25},
     3,
     {0.3, 0.9, 0.2},
     1.7004166666666665,
     {0.33333333333333331, -0.33333333333333331, 0.016666666666666663}},
    {"huber",
     {0.4},
     3,
     {3.5, -2, 0.25},
     3,
     {0.3, 0.9, 0.2},
     0.76041666666666685,
     {0.13333333333333333, -0.13333333333333333, 0.016666666666666663}},
    {"smooth_l1",
     {1},
     3,
     {3.5, -2, 0.25},
     3,
     {0.3, 0.9, 0.2},
     1.7004166666666665,
     {0.33333333333333331, -0.33333333333333331, 0.016666666666666663}},
    {"smooth_l1",
     {0.4},
     3,
     {3.5, -2, 0.25},
     3,
     {0.3, 0.9, 0.2},
     1.9010416666666663,
     {0.33333333333333331, -0.33333333333333331, 0.041666666666666657}},
    {"smooth_l1",
     {0},
     3,
     {3.5, -2, 0.25},
     3,
     {0.3, 0.9, 0.2},
     2.0499999999999998,
     {0.33333333333333331, -0.33333333333333331, 0.33333333333333331}},
    {"log_cosh",
     {0},
     3,
     {3.5, -2, 0.25},
     3,
     {0.3, 0.9, 0.2},
     1.5732127592462042,
     {0.33222746594655034, -0.33132105578352766, 0.016652791652626651}},
    {"quantile",
     {0.5},
     3,
     {3.5, -2, 0.25},
     3,
     {0.3, 0.9, 0.2},
     1.0249999999999999,
     {0.16666666666666666, -0.16666666666666666, 0.16666666666666666}},
    {"quantile",
     {0.9},
     3,
     {3.5, -2, 0.25},
     3,
     {0.3, 0.9, 0.2},
     0.97833333333333317,
     {0.033333333333333326, -0.29999999999999999, 0.033333333333333326}},
    {"poisson",
     {0},
     3,
     {1.5, -0.4, 0.2},
     3,
     {0.3, 0.9, 0.2},
     2.0811372915112911,
     {1.3938963567793548, -0.076559984654786917, 0.34046758605338995}},
    {"gamma",
     {0},
     3,
     {1.5, -0.4, 0.2},
     3,
     {0.3, 0.9, 0.2},
     0.95777580884575608,
     {0.31102031731849034, -0.11421407595904776, 0.27875128312813452}},
    {"tweedie",
     {1.5},
     3,
     {1.5, -0.4, 0.2},
     3,
     {0.3, 0.9, 0.2},
     3.6418944130266353,
     {0.65843001693012337, -0.093510576422057012, 0.30806781148948525}},
    {"tweedie",
     {1.1},
     3,
     {1.5, -0.4, 0.2},
     3,
     {0.3, 0.9, 0.2},
     6.7670946811659123,
     {1.199737712589819, -0.079684456900706108, 0.33372587615348637}},
    {"gaussian_nll",
     {0},
     4,
     {0.5, -1, 2, 0.25},
     2,
     {0.3, 1.1},
     1.42248121616859,
     {0.013533528323661271, -0.81774082222497513, 0.24864664716763391, -0.60862786333622398}},
    {"binary_cross_entropy", {0}, 1, {1.5}, 1, {0}, 1.7014132779827524, {0.81757447619364365}},
    {"binary_cross_entropy", {0}, 1, {1.5}, 1, {1}, 0.20141327798275246, {-0.18242552380635635}},
    {"cross_entropy",
     {0},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {1},
     3.3692789984482534,
     {0.15423482528416221, -0.96558555873387975, 0.69123253074153079, 0.12011820270818684}},
    {"binary_cross_entropy", {0.1}, 1, {1.5}, 1, {0}, 1.6264132779827523, {0.76757447619364361}},
    {"binary_cross_entropy", {0.1}, 1, {1.5}, 1, {1}, 0.27641327798275239, {-0.13242552380635642}},
    {"cross_entropy",
     {0.1},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {1},
     3.2255289984482536,
     {0.12923482528416222, -0.89058555873387979, 0.66623253074153077, 0.095118202708186828}},
    {"multilabel_bce",
     {0},
     3,
     {1.5, -0.4, 0.2},
     3,
     {1, 0, 1},
     0.43752246658809896,
     {-0.060808507935452116, 0.13377077996251599, -0.15005533422917403}},
    {"multilabel_bce",
     {0},
     3,
     {1.5, -0.4, 0.2},
     3,
     {1, 0, 1},
     0.43752246658809896,
     {-0.060808507935452102, 0.13377077996251599, -0.15005533422917403}},
    {"focal",
     {2},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {1},
     3.1413657083218212,
     {0.17833838822569023, -1.1164856699603325, 0.79925720533278244, 0.13889007640185974}},
    {"focal",
     {2},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {2},
     0.03520608114940197,
     {0.039016455444155169, 0.0087057479516784199, -0.078108249448412201, 0.030386046052578622}},
    {"focal",
     {0.5},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {1},
     3.310795496884849,
     {0.16065749865951739, -1.0057946402320541, 0.72001695581021141, 0.12512018576232531}},
    {"focal",
     {0.5},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {2},
     0.20519670295124576,
     {0.12112888905745256, 0.027027508413990778, -0.24249167112195666, 0.094335273650513363}},
    {"focal",
     {0},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {1},
     3.3692789984482534,
     {0.15423482528416221, -0.96558555873387975, 0.69123253074153079, 0.12011820270818684}},
    {"focal",
     {0},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {2},
     0.36927899844825335,
     {0.15423482528416221, 0.034414441266120206, -0.30876746925846921, 0.12011820270818684}},
    {"hinge", {0}, 1, {0.3}, 1, {1}, 0.69999999999999996, {-1}},
    {"squared_hinge", {0}, 1, {0.3}, 1, {1}, 0.48999999999999994, {-1.3999999999999999}},
    {"hinge", {0}, 1, {0.3}, 1, {0}, 1.3, {1}},
    {"squared_hinge", {0}, 1, {0.3}, 1, {0}, 1.6900000000000002, {2.6000000000000001}},
    {"hinge", {0}, 1, {1.5}, 1, {1}, 0, {-0}},
    {"squared_hinge", {0}, 1, {1.5}, 1, {1}, 0, {-0}},
    {"multi_margin", {1, 1}, 4, {0.5, -1, 2, 0.25}, 1, {0}, 0.8125, {-0.5, 0, 0.25, 0.25}},
    {"multi_margin", {2, 1}, 4, {0.5, -1, 2, 0.25}, 1, {0}, 1.703125, {-1.625, 0, 1.25, 0.375}},
    {"multi_margin",
     {1, 0.3},
     4,
     {0.5, -1, 2, 0.25},
     1,
     {0},
     0.46250000000000002,
     {-0.5, 0, 0.25, 0.25}},
    {"kl_div",
     {0},
     4,
     {0.5, -1, 2, 0.25},
     4,
     {0.1, 0.2, 0.7, 0},
     0.31746044590491607,
     {0.054234825284162208, -0.16558555873387981, -0.0087674692584691627, 0.12011820270818684}},
};
enum { KNOWN = sizeof known / sizeof *known };

struct result {
    double loss, dz[COLS];
};

static const struct op *loss_of(const char *name)
{
    const struct row *row = table_find(&loss_table, name);
    ck_assert_msg(row, "no loss \"%s\"", name);
    return (const struct op *)(const void *)row;
}

static struct result run(const struct op *op, const double *knob, uint32_t n_z, const double *z,
                         uint32_t n_y, const double *y)
{
    real zv[COLS], zd[COLS], yv[COLS], save[2 * COLS], loss, one = 1;
    struct step s = {.op = op,
                     .out = {&loss, &one, 1, 1},
                     .in = {{zv, zd, 1, n_z}, {yv, NULL, 1, n_y}},
                     .save = save};
    struct result r = {0};
    for (uint32_t i = 0; i < n_z; i++)
        zv[i] = (real)z[i];
    for (uint32_t i = 0; i < n_y; i++)
        yv[i] = (real)y[i];
    memcpy(s.value, knob, 2 * sizeof *knob);
    op->forward(&s, (struct tile){0, 0, 1, 0, 1});
    op->backward(&s, (struct tile){0, 0, 1, 0, 1});
    r.loss = (double)loss;
    for (uint32_t i = 0; i < n_z; i++)
        r.dz[i] = (double)zd[i];
    return r;
}

static bool close_to(double got, double want)
{
    double relative = sizeof(real) == sizeof(double) ? 1e-13 : 1e-6;
    return fabs(got - want) <= relative * fmax(fabs(want), .1);
}

LOOP_TEST(a_loss_gives_its_known_value_and_derivatives, KNOWN)
{
    const char *name = known[_i].name;
    struct result r =
        run(loss_of(name), known[_i].knob, known[_i].n_z, known[_i].z, known[_i].n_y, known[_i].y);
    ck_assert_msg(close_to(r.loss, known[_i].loss), "%s: %.17g, expected %.17g", name, r.loss,
                  known[_i].loss);
    for (uint32_t i = 0; i < known[_i].n_z; i++)
        ck_assert_msg(close_to(r.dz[i], known[_i].dz[i]),
                      "%s, derivative %u: %.17g, expected %.17g", name, i, r.dz[i],
                      known[_i].dz[i]);
}

LOOP_TEST(every_loss_has_known_values, loss_table.n)
{
    int found = 0;
    for (int i = 0; i < KNOWN; i++)
        found += table_find(&loss_table, known[i].name) == loss_table.row[_i];
    ck_assert_msg(found, "loss \"%s\" has no known values here", loss_table.row[_i]->name);
}

static const struct {
    int task;
    const char *usual;
} tasks[] = {{LOSS_REGRESSION, "mse"},
             {LOSS_BINARY, "binary_cross_entropy"},
             {LOSS_MULTICLASS, "cross_entropy"},
             {LOSS_MULTILABEL, "multilabel_bce"},
             {LOSS_DISTRIBUTION, "kl_div"}};

LOOP_TEST(the_first_loss_for_a_task_is_its_usual_one, 5)
{
    for (size_t i = 0; i < loss_table.n; i++)
        if (loss_of(loss_table.row[i]->name)->tasks & tasks[_i].task) {
            ck_assert_str_eq(loss_table.row[i]->name, tasks[_i].usual);
            return;
        }
    ck_abort_msg("no loss for task %d", tasks[_i].task);
}

// Rows where the obvious formula overflows or cancels, with the right answer.
static const struct {
    const char *name;
    double knob[2];
    uint32_t n_z;
    double z[COLS];
    uint32_t n_y;
    double y[COLS], loss, dz;
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
    struct result r =
        run(loss_of(name), edge[_i].knob, edge[_i].n_z, edge[_i].z, edge[_i].n_y, edge[_i].y);
    double loss = edge[_i].loss, dz = edge[_i].dz;
    ck_assert_msg(fabs(r.loss - loss) <= 3e-6 * fabs(loss), "%s, case %d: %.9g, expected %.9g",
                  name, _i, r.loss, loss);
    ck_assert_msg(fabs(r.dz[0] - dz) <= 3e-6 * fabs(dz), "%s, case %d: slope %.9g, expected %.9g",
                  name, _i, r.dz[0], dz);
}

// Columns that suit a loss, as many as there may be.
static uint32_t outputs_of(const struct op *op)
{
    return op->probe[0].cols == 1 ? 1 : COLS;
}

static uint32_t targets_of(const struct op *op)
{
    if (op->outputs)
        return outputs_of(op) / (uint32_t)op->outputs;
    return op->probe[1].cols == 1 ? 1 : outputs_of(op);
}

// Every loss with every knob at either end of its range, on outputs up to 100 either way.
LOOP_TEST(no_knob_makes_a_loss_of_large_outputs_infinite, loss_table.n * 2)
{
    static const double z[] = {100, -100, 100, -100};
    const struct op *op = loss_of(loss_table.row[_i / 2]->name);
    uint32_t n = outputs_of(op), n_y = targets_of(op);
    double knob[2];
    for (int k = 0; k < 2; k++)
        knob[k] = _i % 2 ? op->row.knob[k].max : op->row.knob[k].min;
    for (int y = 0; y < 2; y++) {
        struct result r = run(op, knob, n, z + y, n_y, (double[COLS]){y, y, y, y});
        ck_assert_msg(isfinite(r.loss), "%s: %g", op->row.name, r.loss);
        for (uint32_t i = 0; i < n; i++)
            ck_assert_msg(isfinite(r.dz[i]), "%s, derivative %u: %g", op->row.name, i, r.dz[i]);
    }
}

// NaN must reach the loss, where training notices it.
LOOP_TEST(losses_pass_nan_on, loss_table.n)
{
    const struct op *op = loss_of(loss_table.row[_i]->name);
    struct pick p = pick_row(&loss_table, &op->row);
    uint32_t n = outputs_of(op), n_y = targets_of(op);
    for (uint32_t i = 0; i < n; i++) {
        double z[COLS] = {.5, .5, .5, .5}, y[COLS] = {1, 1, 1, 1};
        z[i] = NAN;
        ck_assert_msg(isnan(run(op, p.value, n, z, n_y, y).loss), "loss \"%s\" hides NaN",
                      op->row.name);
    }
}
