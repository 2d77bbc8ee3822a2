// SPDX-License-Identifier: MIT
// Optimizers against the formulas of PyTorch's documentation, one parameter at a time in double.
// Walking optimizer_table fails on a row that has no reference here.

#include "harness.h"
#include "optim.h"
#include "rng.h"
#include "tables.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

static double knob(const struct pick *p, const char *name)
{
    return pick_value(&optimizer_table, p, name);
}

static double beta2(const struct pick *p)
{
    const struct knob *k;
    size_t at = 0;
    for (size_t i = 0; (k = knob_at(&optimizer_table, p->row, i, &at)); i++)
        if (strcmp(k->name, "betas") == 0)
            break;
    return p->value[at + 1];
}

// Step k (from 1) of parameter x with gradient g at rate lr; s is its state, zero at first.
typedef void formula(double *x, double g, double *s, const struct pick *p, double k, double lr);

static void sgd(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double mu = knob(p, "momentum");
    g += knob(p, "weight_decay") * *x;
    if (mu != 0) {
        s[0] = k > 1 ? mu * s[0] + g : g;
        g = knob(p, "nesterov") != 0 ? g + mu * s[0] : s[0];
    }
    *x -= lr * g;
}

static void adam_body(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    double b1 = knob(p, "betas"), b2 = beta2(p);
    s[0] = b1 * s[0] + (1 - b1) * g;
    s[1] = b2 * s[1] + (1 - b2) * g * g;
    double m = s[0] / (1 - pow(b1, k)), v = s[1] / (1 - pow(b2, k));
    *x -= lr * m / (sqrt(v) + knob(p, "eps"));
}

static void adam(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    adam_body(x, g + knob(p, "weight_decay") * *x, s, p, k, lr);
}

static void adamw(double *x, double g, double *s, const struct pick *p, double k, double lr)
{
    *x -= lr * knob(p, "weight_decay") * *x;
    adam_body(x, g, s, p, k, lr);
}

static const struct {
    const char *name;
    formula *step;
} reference[] = {{"sgd", sgd}, {"adam", adam}, {"adamw", adamw}};

static formula *reference_of(const char *name)
{
    for (size_t i = 0; i < sizeof reference / sizeof *reference; i++)
        if (strcmp(reference[i].name, name) == 0)
            return reference[i].step;
    ck_abort_msg("optimizer \"%s\" has no reference here", name);
    return NULL;
}

// Enough parameters for several spans, the last one short; those at both ends are followed.
enum { N = 40003, FOLLOWED = 8, STEPS = 20 };
static real param[N], grad[N];

static struct arena arena;
static struct err err;

static void begin(struct optimizer *o, const struct pick *p)
{
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    err = (struct err){0};
    for (size_t i = 0; i < N; i++)
        param[i] = (real)rng_normal(rng_key(1, RNG_PROBE, 0, 0), i);
    ck_assert_msg(
        optimizer_init(o, &(struct optim_setup){.pick = p, .param = param, .grad = grad, .n = N},
                       &arena, &err),
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

// Where each kind of knob goes away from its default. Knobs not named here keep it.
static const struct {
    const char *knob;
    double value[2];
} turn[] = {{NULL, {0}},         {"momentum", {.9}}, {"nesterov", {1}}, {"weight_decay", {.2}},
            {"betas", {.7, .8}}, {"eps", {.01}}};
enum { TURNS = 1 << 5 };

// The row's defaults with the knobs of the set bits turned.
static struct pick variant(const struct row *row, int bits)
{
    struct pick p = pick_row(&optimizer_table, row);
    const struct knob *k;
    size_t at;
    for (size_t i = 0; (k = knob_at(&optimizer_table, row, i, &at)); i++)
        for (int b = 0; b < 5; b++)
            if (bits >> b & 1 && strcmp(turn[b + 1].knob, k->name) == 0)
                memcpy(&p.value[at], turn[b + 1].value,
                       (size_t)(k->count > 1 ? k->count : 1) * sizeof(double));
    return p;
}

LOOP_TEST(every_optimizer_follows_its_formula_with_any_knobs, optimizer_table.n *TURNS)
{
    const double tolerance = sizeof(real) == sizeof(double) ? 1e-12 : 2e-5;
    const struct row *row = optimizer_table.row[_i / TURNS];
    formula *step = reference_of(row->name);
    struct pick p = variant(row, _i % TURNS);
    struct optimizer o;
    double x[FOLLOWED], state[FOLLOWED][OPTIM_SLOTS] = {{0}};
    begin(&o, &p);
    for (size_t i = 0; i < FOLLOWED; i++)
        x[i] = (double)param[place(i)];
    for (int k = 1; k <= STEPS; k++) {
        double lr = .02 / k, clip = k % 3 ? 1 : .5;
        for (size_t i = 0; i < FOLLOWED; i++)
            grad[place(i)] = (real)slope(i, (double)param[place(i)]);
        optimizer_step(&o, lr, 0, clip, NULL, NULL, NULL);
        for (size_t i = 0; i < FOLLOWED; i++) {
            step(&x[i], clip * slope(i, x[i]), state[i], &p, k, lr);
            double got = (double)param[place(i)];
            ck_assert_msg(fabs(got - x[i]) <= tolerance * fmax(1, fabs(x[i])),
                          "\"%s\", knobs %d, step %d: %.12g, formula %.12g", row->name, _i % TURNS,
                          k, got, x[i]);
        }
    }
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
    optimizer_step(&o, 0, 0, 1, NULL, NULL, NULL);
    ck_assert_mem_eq(before, param, sizeof before);
}

LOOP_TEST(the_rate_is_the_rows_own, optimizer_table.n)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[_i]);
    p.value[0] = .125;
    ck_assert(optimizer_lr(&p) == .125);
}

static double norm_of(void)
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
    ck_assert_double_eq_tol(norm_of(), sqrt(sum), 1e-6 * sqrt(sum));
    memset(grad, 0, sizeof grad);
    ck_assert(norm_of() == 0);
    grad[N - 1] = -3;
    grad[0] = 4;
    ck_assert(norm_of() == 5);
}

// Squares that overflow single precision, of gradients that do not.
TEST(huge_gradients_have_a_norm)
{
    for (size_t i = 0; i < N; i++)
        grad[i] = i % 2 ? (real)1e30 : (real)-1e30;
    ck_assert_double_eq_tol(norm_of() / (1e30 * sqrt((double)N)), 1, 1e-6);
}

static const double broken[] = {NAN, INFINITY, -INFINITY};

LOOP_TEST(one_gradient_that_is_not_finite_makes_the_norm_so, 3 * 3)
{
    static const size_t where[] = {0, 16384, N - 1};
    for (size_t i = 0; i < N; i++)
        grad[i] = 1;
    grad[where[_i / 3]] = (real)broken[_i % 3];
    ck_assert(!isfinite(norm_of()));
}

LOOP_TEST(state_that_does_not_fit_is_too_large, optimizer_table.n)
{
    struct pick p = pick_row(&optimizer_table, optimizer_table.row[_i]);
    struct optimizer o;
    struct arena small;
    struct err e = {0};
    arena_init(&small, 100000);
    ck_assert(!optimizer_init(
        &o, &(struct optim_setup){.pick = &p, .param = param, .grad = grad, .n = N}, &small, &e));
    ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
    arena_release(&small);
}
