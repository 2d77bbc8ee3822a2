// SPDX-License-Identifier: MIT
// Optimizers against their formulas, one parameter at a time in double, and what holds for every
// row by walking optimizer_table. A row that has no formula there looks at all parameters at once
// and has a test file of its own.

#include "tests/engine/optim/formula.h"
#include "tests/harness.h"
#include "engine/optim/optimizer.h"
#include "engine/base/rng.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

// Enough parameters for several spans, the last one short; those at both ends are followed.
enum { N = 40003, FOLLOWED = 8, STEPS = 20 };
static real param[N], grad[N];

static struct arena arena;
static struct run_state run_state;
static struct err err;

static void begin(struct optimizer *o, const struct pick *p)
{
    arena_release(&arena);
    arena_init(&arena, 32 << 20);
    run_state_init(&run_state, &arena);
    err = (struct err){0};
    for (size_t i = 0; i < N; i++)
        param[i] = (real)rng_normal(rng_key(1, RNG_PROBE, 0, 0), i);
    ck_assert_msg(
        optimizer_init(o, &(struct optim_setup){.pick = p, .param = param, .grad = grad, .n = N},
                       &run_state, &err),
        "%s", err.text);
}

static size_t place(size_t i)
{
    return i < FOLLOWED / 2 ? i : N - FOLLOWED + i;
}

// A valley: ½ a (x - c)², steeper from parameter to parameter.
static double slope(size_t i, double x)
{
    return (.1 + (double)(i % 7)) * (x - 1);
}

// Where each hyperparameter goes away from its default.
static const struct {
    const char *hyper;
    double value[2];
} turn[] = {{"momentum", {.8}},
            {"nesterov", {1}},
            {"weight_decay", {.2}},
            {"dampening", {.3}},
            {"betas", {.7, .8}},
            {"eps", {.01}},
            {"amsgrad", {1}},
            {"lr_decay", {.1}},
            {"initial_accumulator_value", {.5}},
            {"rho", {.6}},
            {"alpha", {.7}},
            {"centered", {1}},
            {"momentum_decay", {.5}},
            {"etas", {.3, 1.6}},
            {"step_sizes", {.003, .02}},
            {"adam_lr", {1e-2}}};

static const double *turned(const char *hyper)
{
    for (size_t i = 0; i < sizeof turn / sizeof *turn; i++)
        if (strcmp(turn[i].hyper, hyper) == 0)
            return turn[i].value;
    ck_abort_msg("hyperparameter \"%s\" has no other value here", hyper);
    return NULL;
}

// The row's defaults with the row's own hyperparameters of the set bits turned, lr left out; false
// past the last combination.
static bool variant(const struct row *row, unsigned bits, struct pick *p)
{
    size_t at, i = 1;
    *p = pick_row(&optimizer_table, row);
    for (; i < ROW_HYPERS && row->hyper[i].name; i++) {
        const struct hyper *k = hyper_at(&optimizer_table, row, i, &at);
        if (bits >> (i - 1) & 1)
            memcpy(&p->value[at], turned(k->name),
                   (size_t)(k->count > 1 ? k->count : 1) * sizeof(double));
    }
    return bits >> (i - 1) == 0;
}

// Twenty steps with a rate and a clipping factor that change.
static void follow(const struct pick *p, formula *step, unsigned bits)
{
    const double tolerance = sizeof(real) == sizeof(double) ? 1e-12 : 3e-5;
    struct optimizer o;
    double x[FOLLOWED], state[FOLLOWED][FORMULA_STATE] = {{0}};
    begin(&o, p);
    for (size_t i = 0; i < FOLLOWED; i++)
        x[i] = (double)param[place(i)];
    for (int k = 1; k <= STEPS; k++) {
        double lr = .02 / k, clip = k % 3 ? 1 : .5;
        for (size_t i = 0; i < FOLLOWED; i++)
            grad[place(i)] = (real)slope(i, (double)param[place(i)]);
        optimizer_step(&o, lr, 0, clip, NULL, NULL, NULL);
        for (size_t i = 0; i < FOLLOWED; i++) {
            step(&x[i], clip * slope(i, x[i]), state[i], p, k, lr);
            double got = (double)param[place(i)];
            ck_assert_msg(fabs(got - x[i]) <= tolerance * fmax(1, fabs(x[i])),
                          "\"%s\", hyperparameters %#x, step %d: %.12g, formula %.12g",
                          p->row->name, bits, k, got, x[i]);
        }
    }
}

LOOP_TEST(every_optimizer_follows_its_formula_with_any_hypers, optimizer_table.n)
{
    const struct row *row = optimizer_table.row[_i];
    const struct optim *o = (const void *)row;
    formula *step = formula_of(row->name);
    struct pick p;
    ck_assert_msg(step || o->all, "optimizer \"%s\" has no formula", row->name);
    for (unsigned bits = 0; step && variant(row, bits, &p); bits++)
        if (!o->misfit || !o->misfit(p.value))
            follow(&p, step, bits);
}

LOOP_TEST(a_rate_of_nothing_moves_nothing, optimizer_table.n)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[_i]);
    struct optimizer o;
    static real before[N];
    begin(&o, &p);
    memcpy(before, param, sizeof before);
    for (size_t i = 0; i < N; i++)
        grad[i] = (real)i - N / 2;
    optimizer_step(&o, 0, 0, 1, &(struct optim_closure){0}, NULL, NULL);
    ck_assert_mem_eq(before, param, sizeof before);
}

LOOP_TEST(the_rate_is_the_rows_own, optimizer_table.n)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[_i]);
    p.value[0] = .125;
    ck_assert(optimizer_lr(&p) == .125);
}

static double norm_now(void)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[0]);
    struct optimizer o;
    begin(&o, &p);
    return optimizer_grad_norm(&o, NULL);
}

TEST(the_gradients_norm_is_that_of_all_spans_together)
{
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        grad[i] = (real)rng_normal(rng_key(2, RNG_PROBE, 0, 0), i);
        sum += (double)grad[i] * (double)grad[i];
    }
    ck_assert_double_eq_tol(norm_now(), sqrt(sum), 1e-6 * sqrt(sum));
    memset(grad, 0, sizeof grad);
    ck_assert(norm_now() == 0);
    grad[N - 1] = -3;
    grad[0] = 4;
    ck_assert(norm_now() == 5);
}

// Squares that overflow single precision, of gradients that do not.
TEST(huge_gradients_have_a_norm)
{
    for (size_t i = 0; i < N; i++)
        grad[i] = i % 2 ? (real)1e30 : (real)-1e30;
    ck_assert_double_eq_tol(norm_now() / (1e30 * sqrt((double)N)), 1, 1e-6);
}

static const double broken[] = {NAN, INFINITY, -INFINITY};

LOOP_TEST(one_gradient_that_is_not_finite_makes_the_norm_so, 3 * 3)
{
    static const size_t where[] = {0, 16384, N - 1};
    for (size_t i = 0; i < N; i++)
        grad[i] = 1;
    grad[where[_i / 3]] = (real)broken[_i % 3];
    ck_assert(!isfinite(norm_now()));
}

LOOP_TEST(state_that_does_not_fit_is_too_large, optimizer_table.n)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[_i]);
    struct optimizer o;
    struct arena small;
    struct err e = {0};
    struct run_state run;
    arena_init(&small, 256);
    run_state_init(&run, &small);
    ck_assert(!optimizer_init(
        &o, &(struct optim_setup){.pick = &p, .param = param, .grad = grad, .n = N}, &run, &e));
    ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
    arena_release(&small);
}
