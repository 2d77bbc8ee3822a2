// SPDX-License-Identifier: MIT
// Spans, groups, threads, memory and what goes around a step, for every row of optimizer_table.

#include "tests/harness.h"
#include "tests/engine/optim/optimlab.h"
#include "tests/engine/train/trainlab.h"
#include "engine/optim/optimizer.h"

#include <math.h>
#include <string.h>

static struct valley a, b;

static const struct optim *optim_at(int i)
{
    return (const void *)optimizer_table.row[i];
}

// The i-th row, with the wrappers it can have.
static struct pick wrapped(int i)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[i]);
    if (optim_at(i)->all)
        return p;
    valley_set(&p, "sam", .05);
    valley_set(&p, "lookahead", 2);
    return p;
}

LOOP_TEST(optimizers_have_the_same_bits_for_any_number_of_threads, optimizer_table.n)
{
    struct pick p = wrapped(_i);
    valley_begin(&a, &p, NULL, 0);
    double loss = valley_walk(&a, 5, .5, NULL);
    for (int threads = 1; threads <= 3; threads++) {
        struct exec x = lab_exec(&threads);
        valley_begin(&b, &p, NULL, 0);
        ck_assert(valley_walk(&b, 5, .5, &x) == loss);
        ck_assert_msg(memcmp(a.param, b.param, sizeof a.param) == 0, "\"%s\" on %d threads",
                      p.row->name, threads);
        valley_end(&b);
    }
    valley_end(&a);
}

// Groups that change nothing cut the arrays elsewhere.
static const struct param_group idle[] = {{"*.bias", 1, 1}, {"layers.1.*", 1, 1}};

LOOP_TEST(where_spans_are_cut_does_not_matter, optimizer_table.n)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[_i]);
    double tolerance = optim_at(_i)->all ? 1e-3 : sizeof(real) == sizeof(double) ? 1e-13 : 1e-6;
    valley_begin(&a, &p, NULL, 0);
    valley_begin(&b, &p, idle, 2);
    ck_assert_uint_gt(b.optimizer.n_span, a.optimizer.n_span);
    valley_walk(&a, 3, .5, NULL);
    valley_walk(&b, 3, .5, NULL);
    for (size_t i = 0; i < VALLEY_N; i++)
        ck_assert_msg(fabs((double)(a.param[i] - b.param[i])) <= tolerance, "\"%s\", %zu: %g, %g",
                      p.row->name, i, (double)a.param[i], (double)b.param[i]);
    valley_end(&a);
    valley_end(&b);
}

TEST(without_groups_only_the_size_cuts)
{
    struct pick p = valley_pick("adam", NULL, 0);
    valley_begin(&a, &p, NULL, 0);
    ck_assert_uint_eq(a.optimizer.n_span, 2);
    ck_assert_uint_eq(a.optimizer.span[0].n, 16384);
    ck_assert_uint_eq(a.optimizer.span[1].n, VALLEY_N - 16384);
    valley_end(&a);
}

TEST(neighbours_of_one_group_stay_together)
{
    static const struct param_group g[] = {{"layers.1*", 1, 1}, {"*.bias", 1, 1}, {"*", 1, 1}};
    static const size_t at[] = {0, 16384, 18000, 18120, 21750, 21840};
    struct pick p = valley_pick("adam", NULL, 0);
    valley_begin(&a, &p, g, 3);
    ck_assert_uint_eq(a.optimizer.n_span, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_uint_eq(a.optimizer.span[i].at, at[i]);
    valley_end(&a);
}

LOOP_TEST(a_group_without_a_rate_does_not_move, optimizer_table.n)
{
    static const struct param_group frozen[] = {{"layers.0.*", 0, 1}};
    struct pick p = wrapped(_i);
    static real before[VALLEY_N];
    valley_begin(&a, &p, frozen, 1);
    memcpy(before, a.param, sizeof before);
    valley_walk(&a, 5, 1, NULL);
    ck_assert_msg(memcmp(before, a.param, 18120 * sizeof(real)) == 0, "%s", p.row->name);
    for (size_t i = 18120; i < VALLEY_N; i += 500)
        ck_assert_msg(before[i] != a.param[i], "%s: %zu stays", p.row->name, i);
    valley_end(&a);
}

TEST(a_group_scales_rate_and_decay)
{
    static const struct param_group g[] = {{"output.*", .5, 3}};
    struct pick p = valley_pick("sgd", "weight_decay", .2);
    valley_begin(&a, &p, g, 1);
    const size_t inside = VALLEY_N - 1, outside = 7;
    real in = a.param[inside], out = a.param[outside];
    memset(a.grad, 0, sizeof a.grad);
    optimizer_step(&a.optimizer, .1, 0, 1, NULL, NULL, NULL);
    ck_assert_double_eq_tol((double)(a.param[inside] / in), 1 - .05 * .6, 1e-6);
    ck_assert_double_eq_tol((double)(a.param[outside] / out), 1 - .1 * .2, 1e-6);
    valley_end(&a);
}

static const struct {
    const char *match;
    bool fits;
} patterns[] = {{"layers.0.weight", true},
                {"*", true},
                {"layers.*", true},
                {"*.bias", true},
                {"*ers*1*gh*", true},
                {"**output.weight**", true},
                {"layers", false},
                {"", false},
                {"*.bia", false},
                {"layers.0.weight.", false},
                {"*x*", false},
                {"layers.0.*x", false},
                {"ayers.*", false},
                {"LAYERS.*", false}};

LOOP_TEST(a_group_that_matches_nothing_is_named, sizeof patterns / sizeof *patterns)
{
    const struct param_group g[] = {{"*", 1, 1}, {patterns[_i].match, 1, 1}};
    struct pick p = valley_pick("adam", NULL, 0);
    struct err e = {0};
    bool ok = optimizer_check(&p, valley_param, VALLEY_PARAMS, g, 2, &e);
    ck_assert_msg(ok == patterns[_i].fits, "\"%s\"", patterns[_i].match);
    if (!ok) {
        ck_assert_int_eq(e.kind, ERR_INVALID);
        ck_assert_str_eq(e.at, "/param_groups/1/match");
    }
}

TEST(a_running_statistic_is_nothing_to_match)
{
    static const struct model_param param[] = {{.name = "layers.0.norm.running_mean",
                                                .rows = 1,
                                                .cols = 4,
                                                .at = 0,
                                                .trained = false,
                                                .vector = true},
                                               {.name = "layers.0.weight",
                                                .rows = 4,
                                                .cols = 4,
                                                .at = 0,
                                                .trained = true,
                                                .vector = false}};
    const struct param_group g = {"*running*", 1, 1};
    struct pick p = valley_pick("adam", NULL, 0);
    struct err e = {0};
    ck_assert(!optimizer_check(&p, param, 2, &g, 1, &e));
    ck_assert_str_eq(e.at, "/param_groups/0/match");
}

static const struct {
    const char *row, *hyper;
    double value;
    const char *and;
    double other;
    const char *at; // NULL: fine
} hypers[] = {{"sgd", "nesterov", 1, "dampening", .1, "/optimizer"},
              {"sgd", "nesterov", 1, "momentum", .1, NULL},
              {"sgd", "nesterov", 1, "momentum", 0, "/optimizer"},
              {"rprop", "etas", 1, "lr", 1, "/optimizer"},
              {"rprop", "step_sizes", 51, "lr", 1, "/optimizer"},
              {"lbfgs", "sam", .1, "lr", 1, "/optimizer/sam"},
              {"lbfgs", "lookahead", 3, "lr", 1, "/optimizer/lookahead"},
              {"lbfgs", "lookahead_alpha", .3, "lr", 1, NULL},
              {"adam", "sam", .1, "lookahead", 3, NULL}};

LOOP_TEST(hypers_that_do_not_go_together_are_refused, sizeof hypers / sizeof *hypers)
{
    struct pick p = valley_pick(hypers[_i].row, hypers[_i].hyper, hypers[_i].value);
    struct err e = {0};
    valley_set(&p, hypers[_i].and, hypers[_i].other);
    ck_assert(optimizer_check(&p, valley_param, VALLEY_PARAMS, NULL, 0, &e) == !hypers[_i].at);
    ck_assert_str_eq(e.at, hypers[_i].at ? hypers[_i].at : "");
}

// Each with hyperparameters that ask for more state, and with the wrappers.
LOOP_TEST(an_optimizer_takes_the_memory_it_announces, optimizer_table.n * 3)
{
    static const char *const more[] = {"amsgrad", "momentum", "centered", "history_size"};
    struct pick p =
        _i % 3 == 2 ? wrapped(_i / 3) : pick_row(&optimizer_table, optimizer_table.row[_i / 3]);
    for (size_t i = 0; _i % 3 && i < 4; i++)
        lab_hyper(&optimizer_table, &p, more[i], i == 1 ? .9 : 1);
    const struct optim_setup setup = {&p,           NULL,          NULL, VALLEY_N,
                                      valley_param, VALLEY_PARAMS, NULL, 0};
    struct optimizer sized;
    struct run_state sizing;
    struct err e = {0};
    run_state_init(&sizing, NULL);
    ck_assert_msg(optimizer_init(&sized, &setup, &sizing, &e), "%s", e.text);
    valley_begin(&a, &p, NULL, 0);
    ck_assert_msg(sizing.bytes == (double)a.arena.used, "\"%s\" takes %zu, announced %.0f",
                  p.row->name, a.arena.used, sizing.bytes);
    valley_end(&a);
}

LOOP_TEST(every_optimizer_goes_downhill, optimizer_table.n)
{
    struct pick p = wrapped(_i);
    if (strcmp(p.row->name, "sgd") == 0)
        p.value[0] = .005;
    valley_begin(&a, &p, NULL, 0);
    double first = valley_walk(&a, 0, 1, NULL), last = valley_walk(&a, 100, 1, NULL);
    ck_assert_msg(last < .99 * first, "%s: from %g to %g", p.row->name, first, last);
    valley_end(&a);
}

LOOP_TEST(weights_to_evaluate_come_and_go, optimizer_table.n)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[_i]);
    static real trained[VALLEY_N];
    valley_begin(&a, &p, NULL, 0);
    for (int round = 0; round < 2; round++) {
        memcpy(trained, a.param, sizeof trained);
        optimizer_swap_in(&a.optimizer, NULL);
        bool other = memcmp(trained, a.param, sizeof trained) != 0;
        ck_assert(other == (round > 0 && optim_at(_i)->swap_in));
        optimizer_swap_out(&a.optimizer, NULL);
        for (size_t i = 0; i < VALLEY_N; i++)
            ck_assert_double_eq_tol((double)a.param[i], (double)trained[i],
                                    sizeof(real) == sizeof(double) ? 1e-14 : 1e-6);
        valley_walk(&a, 5, 1, NULL);
    }
    valley_end(&a);
}

// x is the average of z, weighted by the squares of the rates: here all alike but for the
// correction of the first steps.
TEST(schedule_free_weights_are_the_average_of_where_steps_led)
{
    struct pick p = valley_pick("schedule_free_adamw", "betas", .9);
    double sum = 0, all = 0;
    valley_begin(&a, &p, NULL, 0);
    for (int k = 1; k <= 10; k++) {
        double weight = 1 - pow(.999, k);
        valley_walk(&a, 1, 1, NULL);
        sum += weight * (double)a.optimizer.span[0].state[0][3];
        all += weight;
        real y = a.param[3];
        optimizer_swap_in(&a.optimizer, NULL);
        double z = (double)a.optimizer.span[0].state[0][3], x = (double)a.param[3];
        ck_assert_double_eq_tol((double)y, .9 * x + .1 * z, 1e-6);
        ck_assert_double_eq_tol(x, (sum) / all, 1e-5);
        optimizer_swap_out(&a.optimizer, NULL);
    }
    valley_end(&a);
}

TEST(sam_steps_with_the_gradient_uphill)
{
    const double rho = .05, lr = .01;
    struct pick p = valley_pick("sgd", "sam", rho);
    static real start[VALLEY_N], uphill[VALLEY_N];
    struct err e = {0};
    double loss, norm;
    valley_begin(&a, &p, NULL, 0);
    memcpy(start, a.param, sizeof start);
    a.closure.evaluate(&a, &loss, &e);
    norm = optimizer_grad_norm(&a.optimizer, NULL);
    for (size_t i = 0; i < VALLEY_N; i++)
        a.param[i] = start[i] + (real)(rho / norm) * a.grad[i];
    a.closure.evaluate(&a, &loss, &e);
    memcpy(uphill, a.grad, sizeof uphill);
    memcpy(a.param, start, sizeof start);
    a.closure.evaluate(&a, &loss, &e);
    ck_assert(optimizer_step(&a.optimizer, lr, loss, .5, &a.closure, NULL, &e));
    ck_assert_int_eq(a.evals, 4);
    for (size_t i = 0; i < VALLEY_N; i++)
        ck_assert_double_eq_tol((double)a.param[i], (double)start[i] - lr * .5 * (double)uphill[i],
                                1e-6);
    valley_end(&a);
}

TEST(sam_that_meets_a_broken_loss_leaves_the_weights_alone)
{
    struct pick p = valley_pick("adam", "sam", .1);
    static real start[VALLEY_N];
    struct err e = {0};
    double loss;
    valley_begin(&a, &p, NULL, 0);
    memcpy(start, a.param, sizeof start);
    a.closure.evaluate(&a, &loss, &e);
    a.breaks_at = 2;
    ck_assert(!optimizer_step(&a.optimizer, .1, loss, 1, &a.closure, NULL, &e));
    ck_assert_int_eq(e.kind, ERR_DIVERGED);
    ck_assert_mem_eq(start, a.param, sizeof start);
    valley_end(&a);
}

TEST(sam_stays_where_there_is_no_slope)
{
    struct pick p = valley_pick("sgd", "sam", .1);
    struct err e = {0};
    valley_begin(&a, &p, NULL, 0);
    real first = a.param[0];
    memset(a.grad, 0, sizeof a.grad);
    ck_assert(optimizer_step(&a.optimizer, .1, 0, 1, &a.closure, NULL, &e));
    ck_assert(a.param[0] == first);
    valley_end(&a);
}

TEST(lookahead_goes_back_a_share_of_the_way)
{
    struct pick plain = valley_pick("sgd", NULL, 0), p = valley_pick("sgd", "lookahead", 3);
    valley_set(&p, "lookahead_alpha", .25);
    valley_begin(&a, &plain, NULL, 0);
    valley_begin(&b, &p, NULL, 0);
    real start = a.param[5];
    valley_walk(&a, 2, .2, NULL);
    valley_walk(&b, 2, .2, NULL);
    ck_assert_mem_eq(a.param, b.param, sizeof a.param);
    valley_walk(&a, 1, .2, NULL);
    valley_walk(&b, 1, .2, NULL);
    ck_assert_double_eq_tol((double)b.param[5],
                            (double)start + .25 * ((double)a.param[5] - (double)start), 1e-6);
    valley_end(&a);
    valley_end(&b);
}

LOOP_TEST(rows_that_evaluate_say_so, optimizer_table.n)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[_i]);
    ck_assert(optimizer_evaluates(&p) == (optim_at(_i)->all != NULL));
    valley_set(&p, "sam", .1);
    ck_assert(optimizer_evaluates(&p));
}
