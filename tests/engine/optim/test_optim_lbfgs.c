// SPDX-License-Identifier: MIT
// L-BFGS and its line search where the answer is known.

#include "tests/harness.h"
#include "tests/engine/optim/optimlab.h"

#include <math.h>
#include <string.h>

static struct valley v;

static const double histories[] = {1, 2, 10, 100};

LOOP_TEST(lbfgs_finds_the_end_of_a_curved_valley, 2 * 4)
{
    struct pick p = valley_pick("lbfgs", "history_size", histories[_i / 2]);
    valley_set(&p, "strong_wolfe", _i % 2);
    valley_begin_plain(&v, &p, 30);
    if (_i % 2 == 0)
        v.optimizer.value[0] = .3; // no search: short steps
    double loss = valley_walk(&v, 40, 1, NULL);
    ck_assert_msg(loss < (sizeof(real) == sizeof(double) ? 1e-7 : 1e-4), "loss %g", loss);
    valley_end(&v);
}

TEST(lbfgs_minimises_twenty_thousand_parameters)
{
    struct pick p = valley_pick("lbfgs", NULL, 0);
    valley_begin(&v, &p, NULL, 0);
    double first = valley_walk(&v, 0, 1, NULL), loss = valley_walk(&v, 10, 1, NULL);
    ck_assert_msg(loss < 1e-3 * first, "from %g to %g", first, loss);
    valley_end(&v);
}

// Where the gradient is nothing there is nothing to do.
TEST(lbfgs_stays_at_a_minimum)
{
    struct pick p = valley_pick("lbfgs", NULL, 0);
    valley_begin_plain(&v, &p, 30);
    for (int i = 0; i < 30; i++)
        v.param[i] = 1;
    ck_assert(valley_walk(&v, 3, 1, NULL) == 0);
    ck_assert_int_eq(v.evals, 0);
    valley_end(&v);
}

TEST(lbfgs_stops_at_the_evaluations_it_may_make)
{
    struct pick p = valley_pick("lbfgs", "max_eval", 3);
    valley_set(&p, "strong_wolfe", 0);
    valley_set(&p, "lr", .01);
    valley_begin_plain(&v, &p, 30);
    valley_walk(&v, 1, 1, NULL);
    ck_assert_int_eq(v.evals, 2); // the first was the caller's
    valley_end(&v);
    valley_set(&p, "max_eval", 0);
    valley_set(&p, "max_iter", 8);
    valley_begin_plain(&v, &p, 30);
    valley_walk(&v, 1, 1, NULL);
    ck_assert_int_eq(v.evals, 7); // none after the last iteration
    valley_end(&v);
}

// Every step's loss is lower: the search promises sufficient decrease.
LOOP_TEST(lbfgs_with_its_search_never_climbs, 4)
{
    static const double rate[] = {.001, 1, 30, 1000};
    struct pick p = valley_pick("lbfgs", "max_iter", 1);
    valley_set(&p, "lr", rate[_i]);
    valley_begin_plain(&v, &p, 30);
    double last = valley_walk(&v, 0, 1, NULL);
    for (int k = 0; k < 30; k++) {
        double now = valley_walk(&v, 1, 1, NULL);
        ck_assert_msg(now <= last * (1 + 1e-6), "step %d: from %g to %g", k, last, now);
        last = now;
    }
    ck_assert_double_lt(last, 10);
    valley_end(&v);
}

LOOP_TEST(a_search_steps_back_from_a_broken_loss, 6)
{
    struct pick p = valley_pick("lbfgs", NULL, 0);
    valley_begin_plain(&v, &p, 30);
    double first = valley_walk(&v, 0, 1, NULL);
    v.breaks_at = 1 + _i;
    double last = valley_walk(&v, 3, 1, NULL);
    ck_assert_msg(isfinite(last) && last < .1 * first, "from %g to %g", first, last);
    valley_end(&v);
}

TEST(without_a_search_a_broken_loss_is_the_end)
{
    struct pick p = valley_pick("lbfgs", "strong_wolfe", 0);
    struct err e = {0};
    double loss;
    valley_begin_plain(&v, &p, 30);
    v.closure.evaluate(&v, &loss, &e);
    v.breaks_at = 3;
    ck_assert(!optimizer_step(&v.optimizer, .1, loss, 1, &v.closure, NULL, &e));
    ck_assert_int_eq(e.kind, ERR_DIVERGED);
    valley_end(&v);
}

static bool stopped(void *ctx, double *loss, struct err *e)
{
    (void)ctx;
    (void)loss;
    return fail(e, ERR_CANCELLED, "stopped");
}

TEST(a_search_passes_other_failures_on)
{
    struct pick p = valley_pick("lbfgs", NULL, 0);
    struct err e = {0};
    double loss;
    valley_begin_plain(&v, &p, 30);
    v.closure.evaluate(&v, &loss, &e);
    v.closure.evaluate = stopped;
    ck_assert(!optimizer_step(&v.optimizer, 1, loss, 1, &v.closure, NULL, &e));
    ck_assert_int_eq(e.kind, ERR_CANCELLED);
    valley_end(&v);
}
