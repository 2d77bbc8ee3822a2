// SPDX-License-Identifier: MIT
// Kernels against plain formulas in double: the compiler turns their loops into vector code with
// its own exp, tanh and erfc, which must stay as good as libm's. Walks the table of activations.

#include "harness.h"
#include "op.h"
#include "tables.h"

#include <string.h>

enum { COLS = 401 }; // no multiple of any vector's length

#undef exp
#undef tanh
#undef erfc
#undef sqrt
#undef fabs

// Value and slope at x in double.
typedef void formula(double x, double *y, double *slope);

static void identity(double x, double *y, double *slope)
{
    *y = x;
    *slope = 1;
}

static void relu(double x, double *y, double *slope)
{
    *y = x > 0 ? x : 0;
    *slope = x > 0;
}

static void leaky_relu(double x, double *y, double *slope)
{
    *slope = x < 0 ? (double).01F : 1;
    *y = *slope * x;
}

static void tanh_(double x, double *y, double *slope)
{
    *y = tanh(x);
    *slope = 1 / (cosh(x) * cosh(x));
}

static void sigmoid(double x, double *y, double *slope)
{
    *y = 1 / (1 + exp(-x));
    *slope = 1 / (2 + exp(x) + exp(-x));
}

static void gelu(double x, double *y, double *slope)
{
    double phi = exp(-x * x / 2) / sqrt(2 * M_PI), big = erfc(-x / sqrt(2)) / 2;
    *y = x * big;
    *slope = big + x * phi;
}

static const struct {
    const char *name;
    formula *f;
    double value_floor, slope_floor; // errors below these do not count: where the formula cancels
} reference[] = {
    {"identity", identity, 0, 0}, {"relu", relu, 0, 0},       {"leaky_relu", leaky_relu, 0, 0},
    {"tanh", tanh_, 0, 2e-7},     {"sigmoid", sigmoid, 0, 0}, {"gelu", gelu, 1e-37, 2e-7},
};
enum { REFERENCES = sizeof reference / sizeof *reference };

static int reference_of(const char *name)
{
    for (int i = 0; i < REFERENCES; i++)
        if (strcmp(reference[i].name, name) == 0)
            return i;
    return -1;
}

static void check(const char *op, const char *what, double x, double got, double want, double floor)
{
    double off = fabs(got - want);
    ck_assert_msg(off <= 1e-5 * fabs(want) + floor, "%s, %s at %g: %.9g, expected %.9g", op, what,
                  x, got, want);
}

LOOP_TEST(activations_are_as_exact_as_their_formulas_in_double, activation_table.n)
{
    const struct op *op = (const struct op *)(const void *)activation_table.row[_i];
    int f = reference_of(op->row.name);
    if (op == &op_softmax)
        return; // needs its row: below
    ck_assert_msg(f >= 0, "activation \"%s\" has no formula here", op->row.name);
    static real x[COLS], y[COLS], dx[COLS], dy[COLS];
    struct step s = {.op = op, .out = {y, dy, 1, COLS}, .in = {{x, dx, 1, COLS}}};
    for (int k = 0; k < PICK_VALUES && k < ROW_KNOBS; k++)
        s.value[k] = op->row.knob[k].def[0];
    for (size_t i = 0; i < COLS; i++) {
        x[i] = ((real)i - 200) / 20;
        dy[i] = 1;
    }
    struct tile all = {0, 0, 1, 0, COLS};
    op->forward(&s, all);
    op->backward(&s, all);
    for (size_t i = 0; i < COLS; i++) {
        double value, slope;
        reference[f].f((double)x[i], &value, &slope);
        check(op->row.name, "value", (double)x[i], (double)y[i], value, reference[f].value_floor);
        check(op->row.name, "slope", (double)x[i], (double)dx[i], slope, reference[f].slope_floor);
    }
}

// Loops of any length, so that both vector lanes and the scalar rest are met.
LOOP_TEST(softmax_is_exact_for_rows_of_any_length, 40)
{
    size_t n = (size_t)_i + 1;
    real x[40], y[40];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = ((real)(i * 7 % 40) - 20) / 2;
        sum += exp((double)x[i]);
    }
    struct step s = {
        .op = &op_softmax, .out = {y, NULL, 1, (uint32_t)n}, .in = {{x, NULL, 1, (uint32_t)n}}};
    op_softmax.forward(&s, (struct tile){0, 0, 1, 0, (uint32_t)n});
    for (size_t i = 0; i < n; i++)
        check("softmax", "value", (double)x[i], (double)y[i], exp((double)x[i]) / sum, 0);
}

// A cell's value may not depend on which of the neighbours' lanes it shares.
LOOP_TEST(a_row_gives_the_same_bits_wherever_it_stands, activation_table.n)
{
    enum { ROWS = 5, WIDE = 37 };
    const struct op *op = (const struct op *)(const void *)activation_table.row[_i];
    real x[ROWS * WIDE], y[ROWS * WIDE];
    for (size_t i = 0; i < ROWS * WIDE; i++)
        x[i] = ((real)(i % WIDE) - 18) / 3;
    struct step s = {.op = op, .out = {y, NULL, ROWS, WIDE}, .in = {{x, NULL, ROWS, WIDE}}};
    op->forward(&s, (struct tile){0, 0, ROWS, 0, WIDE});
    for (size_t r = 1; r < ROWS; r++)
        ck_assert_mem_eq(y + r * WIDE, y, WIDE * sizeof *y);
}
