// SPDX-License-Identifier: MIT
#include "harness.h"
#include "init.h"
#include "rng.h"
#include "tables.h"

#include <stdlib.h>
#include <string.h>

enum { OUT = 300, IN = 500 };
static const double GAIN = 1.7;

// torch.nn.init's formulas, as their documentation gives them: the bound of a uniform distribution,
// the deviation of a normal one.
static const struct {
    const char *name;
    bool normal, bias;
    double square; // of the bound or the deviation
} formula[] = {
    {"kaiming_uniform", false, false, 3 * 1.7 * 1.7 / IN},
    {"kaiming_normal", true, false, 1.7 * 1.7 / IN},
    {"xavier_uniform", false, false, 6.0 / (IN + OUT)},
    {"xavier_normal", true, false, 2.0 / (IN + OUT)},
    {"torch", false, true, 1.0 / IN},
};

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

static real weight[OUT * IN], bias[OUT];

static void draw(const char *name, uint64_t seed)
{
    struct pick p = pick_row(&init_table, table_find(&init_table, name));
    init_linear(&p, GAIN, rng_key(seed, RNG_INIT, 0, 0), weight, OUT, IN, bias);
}

LOOP_TEST(weights_have_the_moments_and_bounds_of_their_formula, init_table.n)
{
    const char *name = init_table.row[_i]->name;
    int f = formula_of(name);
    draw(name, 1);
    struct moments m = moments(weight, OUT * IN);
    double bound = sqrt(formula[f].square);
    double variance = formula[f].normal ? bound * bound : bound * bound / 3;
    ck_assert_msg(fabs(m.mean) < 5 * sqrt(variance / (OUT * IN)), "%s: mean %g", name, m.mean);
    ck_assert_msg(fabs(m.variance / variance - 1) < .02, "%s: variance %g, expected %g", name,
                  m.variance, variance);
    double kurtosis = m.fourth / (m.variance * m.variance);
    ck_assert_msg(fabs(kurtosis - (formula[f].normal ? 3 : 1.8)) < .1, "%s: kurtosis %g", name,
                  kurtosis);
    if (!formula[f].normal)
        ck_assert_msg(m.most <= bound * (1 + 1e-6) && m.most > .999 * bound,
                      "%s: largest %g, bound %g", name, m.most, bound);
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
    ck_assert_mem_ne(first, weight, sizeof first);
}
