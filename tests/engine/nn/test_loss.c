// SPDX-License-Identifier: MIT
// Losses with their known values and derivatives. That derivatives fit values everywhere else is
// tested by walking the op table.

#include "tests/harness.h"
#include "tests/engine/nn/losslab.h"
#include "engine/nn/role.h"

#include <math.h>

// One row: from PyTorch 1.13 in double where it has the loss, else from its autograd over the
// formula; a row of the table that is not here fails the walk below.
static const struct {
    const char *name;
    double hyper[2];
    uint32_t n_z;
    double z[LOSS_COLS];
    uint32_t n_y;
    double y[LOSS_COLS], loss, dz[LOSS_COLS];
} known[] = {
    {"mse", {0}, 3, {1.5, -.4, .2}, 3, {.3, .9, .2}, 1.04333333333, {.8, -.866666666667, 0}},
    {"mae",
     {0},
     3,
     {1.5, -.4, .2},
     3,
     {.3, .9, .2},
     .833333333333,
     {.333333333333, -.333333333333, 0}},
    {"huber",
     {1},
     3,
     {3.5, -2, .25},
     3,
     {.3, .9, .2},
     1.70041666667,
     {.333333333333, -.333333333333, .0166666666667}},
    {"huber",
     {.4},
     3,
     {3.5, -2, .25},
     3,
     {.3, .9, .2},
     .760416666667,
     {.133333333333, -.133333333333, .0166666666667}},
    {"smooth_l1",
     {1},
     3,
     {3.5, -2, .25},
     3,
     {.3, .9, .2},
     1.70041666667,
     {.333333333333, -.333333333333, .0166666666667}},
    {"smooth_l1",
     {.4},
     3,
     {3.5, -2, .25},
     3,
     {.3, .9, .2},
     1.90104166667,
     {.333333333333, -.333333333333, .0416666666667}},
    {"smooth_l1",
     {0},
     3,
     {3.5, -2, .25},
     3,
     {.3, .9, .2},
     2.05,
     {.333333333333, -.333333333333, .333333333333}},
    {"log_cosh",
     {0},
     3,
     {3.5, -2, .25},
     3,
     {.3, .9, .2},
     1.57321275925,
     {.332227465947, -.331321055784, .0166527916526}},
    {"quantile",
     {.5},
     3,
     {3.5, -2, .25},
     3,
     {.3, .9, .2},
     1.025,
     {.166666666667, -.166666666667, .166666666667}},
    {"quantile",
     {.9},
     3,
     {3.5, -2, .25},
     3,
     {.3, .9, .2},
     .978333333333,
     {.0333333333333, -.3, .0333333333333}},
    {"poisson",
     {0},
     3,
     {1.5, -.4, .2},
     3,
     {.3, .9, .2},
     2.08113729151,
     {1.39389635678, -.0765599846548, .340467586053}},
    {"gamma",
     {0},
     3,
     {1.5, -.4, .2},
     3,
     {.3, .9, .2},
     .957775808846,
     {.311020317318, -.114214075959, .278751283128}},
    {"tweedie",
     {1.5},
     3,
     {1.5, -.4, .2},
     3,
     {.3, .9, .2},
     3.64189441303,
     {.65843001693, -.0935105764221, .308067811489}},
    {"tweedie",
     {1.1},
     3,
     {1.5, -.4, .2},
     3,
     {.3, .9, .2},
     6.76709468117,
     {1.19973771259, -.0796844569007, .333725876153}},
    {"gaussian_nll",
     {0},
     4,
     {.5, -1, 2, .25},
     2,
     {.3, 1.1},
     1.42248121617,
     {.0135335283237, -.817740822225, .248646647168, -.608627863336}},
    {"binary_cross_entropy", {0}, 1, {1.5}, 1, {0}, 1.70141327798, {.817574476194}},
    {"binary_cross_entropy", {0}, 1, {1.5}, 1, {1}, .201413277983, {-.182425523806}},
    {"cross_entropy",
     {0},
     4,
     {.5, -1, 2, .25},
     1,
     {1},
     3.36927899845,
     {.154234825284, -.965585558734, .691232530742, .120118202708}},
    {"binary_cross_entropy", {.1}, 1, {1.5}, 1, {0}, 1.62641327798, {.767574476194}},
    {"binary_cross_entropy", {.1}, 1, {1.5}, 1, {1}, .276413277983, {-.132425523806}},
    {"cross_entropy",
     {.1},
     4,
     {.5, -1, 2, .25},
     1,
     {1},
     3.22552899845,
     {.129234825284, -.890585558734, .666232530742, .0951182027082}},
    {"multilabel_bce",
     {0},
     3,
     {1.5, -.4, .2},
     3,
     {1, 0, 1},
     .437522466588,
     {-.0608085079355, .133770779963, -.150055334229}},
    {"multilabel_bce",
     {0},
     3,
     {1.5, -.4, .2},
     3,
     {1, 0, 1},
     .437522466588,
     {-.0608085079355, .133770779963, -.150055334229}},
    {"focal",
     {2},
     4,
     {.5, -1, 2, .25},
     1,
     {1},
     3.14136570832,
     {.178338388226, -1.11648566996, .799257205333, .138890076402}},
    {"focal",
     {2},
     4,
     {.5, -1, 2, .25},
     1,
     {2},
     .0352060811494,
     {.0390164554442, .00870574795168, -.0781082494484, .0303860460526}},
    {"focal",
     {.5},
     4,
     {.5, -1, 2, .25},
     1,
     {1},
     3.31079549688,
     {.16065749866, -1.00579464023, .72001695581, .125120185762}},
    {"focal",
     {.5},
     4,
     {.5, -1, 2, .25},
     1,
     {2},
     .205196702951,
     {.121128889057, .027027508414, -.242491671122, .0943352736505}},
    {"focal",
     {0},
     4,
     {.5, -1, 2, .25},
     1,
     {1},
     3.36927899845,
     {.154234825284, -.965585558734, .691232530742, .120118202708}},
    {"focal",
     {0},
     4,
     {.5, -1, 2, .25},
     1,
     {2},
     .369278998448,
     {.154234825284, .0344144412661, -.308767469258, .120118202708}},
    {"hinge", {0}, 1, {.3}, 1, {1}, .7, {-1}},
    {"squared_hinge", {0}, 1, {.3}, 1, {1}, .49, {-1.4}},
    {"hinge", {0}, 1, {.3}, 1, {0}, 1.3, {1}},
    {"squared_hinge", {0}, 1, {.3}, 1, {0}, 1.69, {2.6}},
    {"hinge", {0}, 1, {1.5}, 1, {1}, 0, {-0}},
    {"squared_hinge", {0}, 1, {1.5}, 1, {1}, 0, {-0}},
    {"multi_margin", {1, 1}, 4, {.5, -1, 2, .25}, 1, {0}, .8125, {-.5, 0, .25, .25}},
    {"multi_margin", {2, 1}, 4, {.5, -1, 2, .25}, 1, {0}, 1.703125, {-1.625, 0, 1.25, .375}},
    {"multi_margin", {1, .3}, 4, {.5, -1, 2, .25}, 1, {0}, .4625, {-.5, 0, .25, .25}},
    {"kl_div",
     {0},
     4,
     {.5, -1, 2, .25},
     4,
     {.1, .2, .7, 0},
     .317460445905,
     {.0542348252842, -.165585558734, -.00876746925847, .120118202708}},
    // from the differences of its sigmoids, with 60 digits
    {"cumulative", {0}, 4, {.5, -1, 2, .25}, 1, {0}, .97407698418, {.622459331202, 0, 0, 0}},
    {"cumulative",
     {0},
     4,
     {.5, -1, 2, .25},
     1,
     {2},
     .865306857446,
     {-.327823595112, .0881653436281, -.229854832058, 0}},
    {"cumulative",
     {0},
     4,
     {.5, -1, 2, .25},
     1,
     {4},
     2.82713487421,
     {-.940817824633, .253024883007, .828669590846, .528905672623}},
    {"cumulative", {0}, 2, {1.5, .3}, 1, {1}, 1.82296455516, {.473602824444, -.802408058657}},
    {"cumulative", {0}, 1, {.7}, 1, {1}, .403186048885, {-.331812227832}},
    {"cumulative", {0}, 1, {.7}, 1, {0}, 1.10318604889, {.668187772168}},
};
enum { KNOWN = sizeof known / sizeof *known };

static bool close_to(double got, double want)
{
    double relative = sizeof(real) == sizeof(double) ? 1e-11 : 1e-6;
    return fabs(got - want) <= relative * fmax(fabs(want), .1);
}

LOOP_TEST(a_loss_gives_its_known_value_and_derivatives, KNOWN)
{
    const char *name = known[_i].name;
    struct loss_result r = loss_run(loss_named(name), known[_i].hyper, known[_i].n_z, known[_i].z,
                                    known[_i].n_y, known[_i].y);
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
    int form;
    const char *usual;
} forms[] = {{FORM_VALUES, "mse"},
             {FORM_TWO_CLASSES, "binary_cross_entropy"},
             {FORM_CLASSES, "cross_entropy"},
             {FORM_LABELS, "multilabel_bce"},
             {FORM_SHARES, "kl_div"}};

LOOP_TEST(the_first_loss_for_a_form_is_its_usual_one, 5)
{
    for (size_t i = 0; i < loss_table.n; i++)
        if (loss_list[i]->forms & forms[_i].form) {
            ck_assert_str_eq(loss_table.row[i]->name, forms[_i].usual);
            return;
        }
    ck_abort_msg("no loss for form %d", forms[_i].form);
}
