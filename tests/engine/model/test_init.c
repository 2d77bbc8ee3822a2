// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/model/init.h"
#include "engine/model/init_data.h"
#include "engine/nn/plan.h"
#include "engine/base/rng.h"
#include "tests/engine/train/trainlab.h"

#include <stdlib.h>
#include <string.h>

enum { OUT = 300, IN = 500 };
static const double GAIN = 1.7;

// torch.nn.init's formulas, as their documentation gives them: the bound of a uniform distribution,
// the deviation of a normal one. A normal distribution cut at two deviations has .774 of its
// variance and a kurtosis of 2.37.
enum shape { UNIFORM, NORMAL, CUT, ALIKE };

static const struct {
    const char *name;
    enum shape shape;
    bool bias;
    double square; // of the bound or the deviation
} formula[] = {
    {"kaiming_uniform", UNIFORM, false, 3 * 1.7 * 1.7 / IN},
    {"kaiming_normal", NORMAL, false, 1.7 * 1.7 / IN},
    {"xavier_uniform", UNIFORM, false, 6.0 / (IN + OUT)},
    {"xavier_normal", NORMAL, false, 2.0 / (IN + OUT)},
    {"lecun_uniform", UNIFORM, false, 3.0 / IN},
    {"lecun_normal", NORMAL, false, 1.0 / IN},
    {"torch", UNIFORM, true, 1.0 / IN},
    {"zeros", ALIKE, false, 0},
    {"constant", ALIKE, false, .01},
    {"uniform", UNIFORM, false, .0025},
    {"normal", NORMAL, false, .0025},
    {"truncated_normal", CUT, false, .0004},
    {"orthogonal", NORMAL, false, 1.7 * 1.7 / IN},
    {"data", NORMAL, false, 1.7 * 1.7 / IN},
};
static const double variance_of[] = {[UNIFORM] = 1.0 / 3, [NORMAL] = 1, [CUT] = .7737413};
static const double kurtosis_of[] = {[UNIFORM] = 1.8, [NORMAL] = 3, [CUT] = 2.36846};

struct moments {
    double mean, variance, fourth, most;
};

static struct moments moments(const real *x, size_t n)
{
    struct moments m = {0};
    for (size_t i = 0; i < n; i++) {
        m.mean += (double)x[i] / (double)n;
        m.most = fmax(m.most, fabs((double)x[i]));
    }
    for (size_t i = 0; i < n; i++) {
        double d = ((double)x[i] - m.mean) * ((double)x[i] - m.mean);
        m.variance += d / (double)n;
        m.fourth += d * d / (double)n;
    }
    return m;
}

static int formula_of(const char *name)
{
    for (size_t i = 0; i < sizeof formula / sizeof *formula; i++)
        if (strcmp(formula[i].name, name) == 0)
            return (int)i;
    ck_abort_msg("init \"%s\" has no formula here", name);
    return -1;
}

static real weight[OUT * IN], bias[IN];

static struct init_layer layer(uint64_t key, size_t outputs, size_t inputs)
{
    return (struct init_layer){.gain = GAIN,
                               .key = key,
                               .weight = weight,
                               .outputs = outputs,
                               .inputs = inputs,
                               .bias = bias};
}

static void draw(const char *name, uint64_t seed)
{
    struct pick p = pick_row(&init_table, table_find(&init_table, name));
    struct init_layer l = layer(rng_key(seed, RNG_INIT, 0, 0), OUT, IN);
    init_linear(&p, &l);
}

static void check_spread(const char *name, enum shape shape, double bound)
{
    struct moments m = moments(weight, OUT * IN);
    double variance = bound * bound * variance_of[shape];
    ck_assert_msg(fabs(m.mean) < 5 * sqrt(variance / (OUT * IN)), "%s: mean %g", name, m.mean);
    ck_assert_msg(fabs(m.variance / variance - 1) < .02, "%s: variance %g, expected %g", name,
                  m.variance, variance);
    double kurtosis = m.fourth / (m.variance * m.variance);
    ck_assert_msg(fabs(kurtosis - kurtosis_of[shape]) < .1, "%s: kurtosis %g", name, kurtosis);
    double end = shape == CUT ? 2 * bound : bound;
    if (shape != NORMAL)
        ck_assert_msg(m.most <= end * (1 + 1e-6) && m.most > .999 * end, "%s: largest %g, bound %g",
                      name, m.most, end);
}

LOOP_TEST(weights_have_the_moments_and_bounds_of_their_formula, init_table.n)
{
    const char *name = init_table.row[_i]->name;
    int f = formula_of(name);
    draw(name, 1);
    if (formula[f].shape != ALIKE)
        check_spread(name, formula[f].shape, sqrt(formula[f].square));
    for (size_t i = 0; formula[f].shape == ALIKE && i < OUT * IN; i++)
        ck_assert_double_eq_tol((double)weight[i], sqrt(formula[f].square), 1e-8);
}

LOOP_TEST(biases_are_zero_or_uniform_as_the_row_says, init_table.n)
{
    const char *name = init_table.row[_i]->name;
    int f = formula_of(name);
    draw(name, 1);
    struct moments m = moments(bias, OUT);
    double bound = 1 / sqrt((double)IN);
    if (formula[f].bias)
        ck_assert_msg(m.most <= bound * (1 + 1e-6) && m.most > .9 * bound, "%s: largest bias %g",
                      name, m.most);
    else
        ck_assert_msg(m.most == 0, "%s: a bias of %g", name, m.most);
}

LOOP_TEST(weights_are_a_function_of_the_key, init_table.n)
{
    static real first[OUT * IN];
    const char *name = init_table.row[_i]->name;
    draw(name, 1);
    memcpy(first, weight, sizeof first);
    draw(name, 1);
    ck_assert_mem_eq(first, weight, sizeof first);
    draw(name, 2);
    if (formula[formula_of(name)].shape != ALIKE)
        ck_assert_mem_ne(first, weight, sizeof first);
}

TEST(uniform_lies_between_its_ends)
{
    struct pick p = pick_row(&init_table, table_find(&init_table, "uniform"));
    p.value[0] = 2;
    p.value[1] = 3;
    struct init_layer l = layer(1, OUT, IN);
    init_linear(&p, &l);
    struct moments m = moments(weight, OUT * IN);
    ck_assert_double_eq_tol(m.mean, 2.5, .01);
    ck_assert(m.most <= 3 && m.most > 2.999);
}

static const struct {
    size_t outputs, inputs;
} shape[] = {{1, 1}, {1, 9}, {9, 1}, {16, 16}, {300, 500}, {500, 300}, {257, 257}};

// W Wᵀ, or Wᵀ W for a tall one, against g² I.
static double worst_angle(size_t outputs, size_t inputs)
{
    bool tall = outputs >= inputs;
    size_t n = tall ? inputs : outputs, len = tall ? outputs : inputs;
    size_t next = tall ? 1 : inputs, stride = tall ? inputs : 1;
    double worst = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b <= a; b++) {
            double dot = 0;
            for (size_t i = 0; i < len; i++)
                dot +=
                    (double)weight[a * next + i * stride] * (double)weight[b * next + i * stride];
            worst = fmax(worst, fabs(dot - (a == b ? GAIN * GAIN : 0)));
        }
    return worst;
}

LOOP_TEST(orthogonal_weights_are, sizeof shape / sizeof *shape)
{
    struct pick p = pick_row(&init_table, table_find(&init_table, "orthogonal"));
    size_t outputs = shape[_i].outputs, inputs = shape[_i].inputs;
    struct init_layer l = layer(5, outputs, inputs);
    init_linear(&p, &l);
    double worst = worst_angle(outputs, inputs);
    ck_assert_msg(worst < (sizeof(real) == sizeof(double) ? 1e-12 : 2e-6), "%zu x %zu: %g", outputs,
                  inputs, worst);
}

// A vector that depends on those before it has no direction left: it becomes 0, not NaN.
TEST(orthogonalizing_dependent_rows_gives_finite_numbers)
{
    real w[] = {1, 2, 2, 0, 0, 0};
    init_orthogonalize(&(struct init_layer){.weight = w, .outputs = 2, .inputs = 3, .gain = 3});
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq_tol((double)w[i], i == 0 ? 1 : i < 3 ? 2 : 0, 1e-6);
}

// Models that look at the data: mean and variance of the linear layers' outputs for the same rows.

static struct arena arena;
static struct err err;
enum { ROWS = 300, WIDTH = 40 };

static void build(struct model *m, struct lab_job *j, const char *activation, const char *norm)
{
    arena_release(&arena);
    arena_init(&arena, 64 << 20);
    lab_job_init(j, 3, WIDTH, activation, norm, 0);
    j->model.init = lab_pick(&init_table, "data");
    struct model_task task = lab_task(7, 5, &j->train.loss);
    ck_assert_msg(model_build(m, &j->model, &task, &arena, &err), "%s", err.text);
}

// Inputs far from standardised.
static const real *inputs_for(size_t n)
{
    real *x = arena_need(&arena, n * 7, sizeof *x);
    for (size_t i = 0; i < n * 7; i++)
        x[i] = (real)(3 + 5 * rng_normal(rng_key(1, RNG_PROBE, 0, 0), i));
    return x;
}

// Values of the linear layer `layer` in a training pass over the first rows.
static struct moments output_of(const struct model *m, size_t layer, const real *x, uint32_t rows)
{
    struct graph g = m->train;
    struct plan p;
    for (g.n = 0; g.node[g.n].op != &op_linear || layer-- > 0; g.n++)
        ;
    g.n++;
    struct plan_memory memory = {.param = m->value, .buffer = m->value + m->n_trained};
    ck_assert(plan_init(&p, &g, rows, memory, &arena, &err));
    memcpy(p.buf[m->train_x].v, x, (size_t)rows * m->n_in * sizeof *x);
    plan_forward(&p, rows, 0, NULL);
    return moments(p.buf[g.n - 1].v, (size_t)rows * g.node[g.n - 1].cols);
}

static const char *const bodies[][2] = {{"relu", NULL}, {"tanh", NULL}, {"relu", "batch"}};

LOOP_TEST(layers_fitted_to_the_data_have_mean_0_and_variance_1, 3)
{
    struct lab_job j;
    struct model m;
    build(&m, &j, bodies[_i][0], bodies[_i][1]);
    model_init_weights(&m, 3, NULL, NULL);
    const real *x = inputs_for(ROWS);
    size_t n = m.n_value - m.n_trained;
    ck_assert(fabs(output_of(&m, 0, x, INIT_DATA_ROWS).variance - 1) > .5);
    model_init_weights(&m, 3, NULL, NULL);
    for (size_t i = 0; i < n; i++)
        m.value[m.n_trained + i] = (real)(i % 2);
    uint64_t statistics = lab_hash(m.value + m.n_trained, n * sizeof(real));
    ck_assert(init_from_data(&m, x, ROWS, NULL, &arena, &err));
    ck_assert_uint_eq(lab_hash(m.value + m.n_trained, n * sizeof(real)), statistics);
    for (size_t i = 0; i < 4; i++) {
        struct moments o = output_of(&m, i, x, INIT_DATA_ROWS);
        ck_assert_msg(fabs(o.mean) < 1e-5 && fabs(o.variance - 1) < 1e-5,
                      "layer %zu: mean %g, variance %.9g", i, o.mean, o.variance);
    }
}

TEST(only_layers_that_want_it_are_fitted_to_the_data)
{
    struct lab_job j;
    struct model m;
    build(&m, &j, "relu", NULL);
    j.layer[1].init = lab_pick(&init_table, "normal");
    model_init_weights(&m, 3, NULL, NULL);
    const real *x = inputs_for(ROWS);
    uint64_t one = lab_hash(m.value + m.param[2].at, WIDTH * WIDTH * sizeof(real));
    ck_assert(init_from_data(&m, x, ROWS, NULL, &arena, &err));
    ck_assert_uint_eq(lab_hash(m.value + m.param[2].at, WIDTH * WIDTH * sizeof(real)), one);
    ck_assert(fabs(output_of(&m, 1, x, INIT_DATA_ROWS).variance - 1) > .1);
    ck_assert_double_eq_tol(output_of(&m, 2, x, INIT_DATA_ROWS).variance, 1, 1e-5);
}

// One row, and rows that are all alike, have no variance to go by.
TEST(rows_that_do_not_vary_leave_the_weights_finite)
{
    struct lab_job j;
    struct model m;
    build(&m, &j, "relu", NULL);
    model_init_weights(&m, 3, NULL, NULL);
    uint64_t before = lab_hash(m.value, m.n_value * sizeof(real));
    real *x = arena_zalloc(&arena, 7 * 10, sizeof *x);
    ck_assert(init_from_data(&m, x, 1, NULL, &arena, &err));
    ck_assert_uint_eq(lab_hash(m.value, m.n_value * sizeof(real)), before);
    ck_assert(init_from_data(&m, x, 10, NULL, &arena, &err));
    ck_assert_ptr_null(model_first_broken(&m, m.value, NULL));
}

TEST(fitting_to_the_data_gives_its_memory_back)
{
    struct lab_job j;
    struct model m;
    build(&m, &j, "relu", NULL);
    model_init_weights(&m, 3, NULL, NULL);
    const real *x = inputs_for(ROWS);
    size_t used = arena.used;
    ck_assert(init_from_data(&m, x, ROWS, NULL, &arena, &err));
    ck_assert_uint_eq(arena.used, used);
    arena.max = arena.used + 1000;
    err = (struct err){0};
    ck_assert(!init_from_data(&m, x, ROWS, NULL, &arena, &err));
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
}
