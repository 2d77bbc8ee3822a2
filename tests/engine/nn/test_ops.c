// SPDX-License-Identifier: MIT
// Walks over the op table: every row, present and future, must have correct derivatives, add to
// gradients when told to, give the same numbers tile by tile, and read well.

#include "tests/harness.h"
#include "tests/engine/nn/oplab.h"
#include "engine/nn/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MOST_TILES_IN_TEST = 64, SHAPES = 6 };

#ifdef MLPD_F64
// Counts that survive the processes of the tests.
static struct {
    int ops, shapes;
} * checked;

static void report_checked(void)
{
    if (checked->ops)
        printf("  gradient-checked %d ops, %d shapes\n", checked->ops, checked->shapes);
}

__attribute__((constructor)) static void count_checked(void)
{
    checked =
        mmap(NULL, sizeof *checked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    harness_report(report_checked);
}

static double difference(struct oplab *lab, real *x, double h)
{
    double keep = *x;
    *x = keep + h;
    double up = oplab_loss(lab);
    *x = keep - h;
    double down = oplab_loss(lab);
    *x = keep;
    return (up - down) / (2 * h);
}

// A central difference is off by about what halving its step changes.
static void check_cell(struct oplab *lab, int k, size_t i)
{
    real *x = &lab->s.in[k].v[i];
    double coarse = difference(lab, x, 1e-5), fine = difference(lab, x, 5e-6);
    double slope = (4 * fine - coarse) / 3, got = lab->s.in[k].d[i];
    ck_assert_msg(fabs(got - slope) <= 1e-7 * fmax(1, fabs(slope)) + fabs(coarse - fine),
                  "op \"%s\", %u x %u, input %d, cell %zu: gradient %.12g, difference %.12g",
                  lab->s.op->row.name, lab->s.in[0].rows, lab->s.in[0].cols, k, i, got, slope);
}

// The analytic gradient of the projection against central differences, input by input, cell by
// cell: with the probes' own columns for a single row, then with random shapes.
LOOP_TEST(backward_matches_differences, op_count *SHAPES)
{
    const struct op *op = op_table[_i / SHAPES];
    struct oplab lab = oplab_new(op, _i % SHAPES == 0, (uint64_t)(_i % SHAPES));
    oplab_backward(&lab);
    for (int k = 0; k < op->arity; k++)
        for (size_t i = 0; lab.s.in[k].d && i < oplab_cells(lab.s.in[k]); i++)
            check_cell(&lab, k, i);
    oplab_free(&lab);
    checked->ops += _i % SHAPES == 0;
    checked->shapes++;
}
#endif

// A second writer adds to what is there; the first replaces it, whatever it was.
LOOP_TEST(backward_stores_or_adds_as_told, op_count)
{
    const struct op *op = op_table[_i];
    struct oplab plain = oplab_new(op, 7, 5), added = oplab_new(op, 7, 5);
    for (int k = 0; k < op->arity; k++)
        for (size_t i = 0; plain.s.in[k].d && i < oplab_cells(plain.s.in[k]); i++) {
            plain.s.in[k].d[i] = NAN;
            added.s.in[k].d[i] = (real)i - 3;
            added.s.add[k] = true;
        }
    oplab_backward(&plain);
    oplab_backward(&added);
    for (int k = 0; k < op->arity; k++)
        for (size_t i = 0; plain.s.in[k].d && i < oplab_cells(plain.s.in[k]); i++)
            ck_assert_msg(
                fabs((double)(added.s.in[k].d[i] - ((real)i - 3) - plain.s.in[k].d[i])) < 1e-4,
                "op \"%s\", input %d, cell %zu: stored %g, added %g to %g", op->row.name, k, i,
                (double)plain.s.in[k].d[i], (double)added.s.in[k].d[i], (double)i - 3);
    oplab_free(&plain);
    oplab_free(&added);
}

static void check_finite(const struct op *op, const char *what, const real *x, struct buf b)
{
    for (size_t i = 0; x && i < oplab_cells(b); i++)
        ck_assert_msg(isfinite(x[i]), "op \"%s\": %s, cell %zu of %u x %u", op->row.name, what, i,
                      b.rows, b.cols);
}

// No input that is finite makes a value or gradient that is not: far out, next to 0, at exact ties
// of kinks and of neighbours.
LOOP_TEST(extreme_inputs_give_finite_results, op_count *SHAPES)
{
    const struct op *op = op_table[_i / SHAPES];
    const double denormal = sizeof(real) == sizeof(float) ? 1e-40 : 1e-310;
    const double extreme[] = {100,
                              -100,
                              denormal,
                              -denormal,
                              0,
                              -0.0,
                              30,
                              -30,
                              op->probe[0].kink[0],
                              op->probe[0].kink[1]};
    enum { N = sizeof extreme / sizeof *extreme };
    struct oplab lab = oplab_new(op, 0, (uint64_t)_i);
    struct buf x = lab.s.in[0];
    bool by_row = _i % 2; // all of a row alike
    for (size_t i = 0; i < oplab_cells(x); i++)
        x.v[i] = (real)extreme[(by_row ? i / x.cols + (size_t)_i : i) % N];
    oplab_backward(&lab);
    check_finite(op, "value", lab.s.out.v, lab.s.out);
    for (int k = 0; k < op->arity; k++)
        check_finite(op, "gradient", lab.s.in[k].d, lab.s.in[k]);
    oplab_free(&lab);
}

// NaN must reach the loss, where training notices it.
LOOP_TEST(activations_pass_nan_on, activation_table.n)
{
    enum { ROWS = 3 };
    const struct op *op = (const struct op *)(const void *)activation_table.row[_i];
    struct oplab lab = oplab_new(op, ROWS, 4);
    size_t cols = lab.s.out.cols, row = 1, found = 0;
    for (size_t at = row * lab.s.in[0].cols; at < (row + 1) * lab.s.in[0].cols; at++) {
        real keep = lab.s.in[0].v[at];
        lab.s.in[0].v[at] = NAN;
        oplab_loss(&lab);
        found = 0;
        for (size_t c = 0; c < cols; c++)
            found += (size_t)isnan(lab.s.out.v[row * cols + c]);
        ck_assert_msg(found, "activation \"%s\" hides NaN", op->row.name);
        lab.s.in[0].v[at] = keep;
    }
    oplab_free(&lab);
}

LOOP_TEST(every_op_is_documented_and_probed, op_count)
{
    const struct op *op = op_table[_i];
    ck_assert_msg(op->row.doc && strlen(op->row.doc) > 10, "op \"%s\" has no sentence",
                  op->row.name);
    ck_assert_int_eq(op->row.doc[strlen(op->row.doc) - 1], '.');
    ck_assert_int_ge(op->arity, 1);
    for (int k = 0; k < op->arity; k++)
        ck_assert_msg(op->probe[k].cols > 0, "op \"%s\" declares no probe for input %d",
                      op->row.name, k);
    for (size_t j = 0; j < (size_t)_i; j++)
        ck_assert_str_ne(op->row.name, op_table[j]->row.name);
}

// The tiles of a step cover every cell of the output once, for shapes large enough to be cut.
LOOP_TEST(tiles_cover_the_output_once, op_count)
{
    enum { ROWS = 300 };
    const struct op *op = op_table[_i];
    uint32_t cols = op->probe[0].cols == 1 ? 1 : 700;
    struct buf x = {.rows = ROWS, .cols = cols}, w = {.rows = 500, .cols = cols},
               b = {.rows = 1, .cols = op == &op_linear ? 500 : cols};
    struct step s = {.op = op, .in = {x, op == &op_linear ? w : b, b, b, b}};
    s.out = (struct buf){.rows = ROWS, .cols = op == &op_linear ? 500 : cols};
    if (op->width)
        s.out.cols = op->width((const double[]){2}, cols);
    struct tile tile[MOST_TILES_IN_TEST];
    struct tiling t = {.tile = tile};
    step_forward_tiles(&s, &t);
    static unsigned char seen[ROWS][700];
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < t.n; i++)
        for (uint32_t r = tile[i].r0; r < tile[i].r1; r++)
            for (uint32_t c = tile[i].c0; c < tile[i].c1; c++)
                seen[r][c]++;
    for (uint32_t r = 0; r < ROWS; r++)
        for (uint32_t c = 0; c < s.out.cols; c++)
            ck_assert_msg(seen[r][c] == 1, "op \"%s\": cell %u,%u is in %d tiles", op->row.name, r,
                          c, seen[r][c]);
}

// A tile inside of the output, as far as the op allows.
static struct tile inner_tile(const struct step *s)
{
    struct tile t = {0, 0, s->out.rows, 0, s->out.cols};
    if (s->op->span != SPAN_COLUMN)
        t.r0 = 2, t.r1 = 4;
    if (s->op->span != SPAN_ROW && s->out.cols > 2)
        t.c0 = 1, t.c1 = s->out.cols - 1;
    return t;
}

static bool inside(struct tile t, struct buf b, size_t i)
{
    size_t r = i / b.cols, c = i % b.cols;
    return r >= t.r0 && r < t.r1 && c >= t.c0 && c < t.c1;
}

static void mark(real *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = 12345;
}

static void check_marks(const struct op *op, const real *v, const real *want, struct buf shape,
                        struct tile t, const char *what)
{
    for (size_t i = 0; i < oplab_cells(shape); i++)
        ck_assert_msg(v[i] == (inside(t, shape, i) ? want[i] : 12345),
                      "op \"%s\", %s, cell %zu is %g", op->row.name, what, i, (double)v[i]);
}

static real *copy_of(const real *v, size_t n)
{
    real *copy = malloc(n * sizeof *copy);
    return memcpy(copy, v, n * sizeof *copy);
}

// The cells around it belong to other threads.
LOOP_TEST(a_kernel_writes_its_tile_and_nothing_around_it, op_count)
{
    const struct op *op = op_table[_i];
    if (op->span == SPAN_ALL)
        return;
    struct oplab lab = oplab_new(op, 6, 3);
    oplab_backward(&lab);
    struct tile t = inner_tile(&lab.s);
    real *y = copy_of(lab.s.out.v, oplab_cells(lab.s.out));
    struct buf *x = &lab.s.in[0];
    real *dx = x->d ? copy_of(x->d, oplab_cells(*x)) : NULL;
    mark(lab.s.out.v, oplab_cells(lab.s.out));
    oplab_rewind(&lab);
    op->forward(&lab.s, t);
    check_marks(op, lab.s.out.v, y, lab.s.out, t, "value");
    memcpy(lab.s.out.v, y, oplab_cells(lab.s.out) * sizeof *y);
    if (dx && !op->backward_tiles && x->rows == lab.s.out.rows && x->cols == lab.s.out.cols) {
        mark(x->d, oplab_cells(*x));
        op->backward(&lab.s, t);
        check_marks(op, x->d, dx, *x, t, "gradient");
    }
    free(y);
    free(dx);
    oplab_free(&lab);
}

TEST(dropout_silences_its_share_and_keeps_the_mean)
{
    enum { N = 100000 };
    struct oplab lab = oplab_new(&op_dropout, N / 5, 11);
    lab.s.value[0] = .3;
    for (size_t i = 0; i < N; i++)
        lab.s.in[0].v[i] = 1;
    oplab_loss(&lab);
    size_t silent = 0;
    for (size_t i = 0; i < N; i++)
        silent += lab.s.out.v[i] == 0;
    ck_assert_double_eq_tol((double)silent / N, .3, .006);
    oplab_free(&lab);
}

TEST(rrelu_draws_slopes_between_its_hypers_and_serves_with_their_mean)
{
    enum { N = 100000 };
    struct oplab lab = oplab_new(&op_rrelu, N / 5, 12);
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        lab.s.in[0].v[i] = -1;
    oplab_loss(&lab);
    for (size_t i = 0; i < N; i++) {
        ck_assert(-lab.s.out.v[i] >= (real)(1.0 / 8) && -lab.s.out.v[i] <= (real)(1.0 / 3));
        sum -= (double)lab.s.out.v[i];
    }
    ck_assert_double_eq_tol(sum / N, 11.0 / 48, .001);
    lab.s.op = op_rrelu.serve;
    oplab_loss(&lab);
    ck_assert_double_eq_tol(-(double)lab.s.out.v[7], 11.0 / 48, 1e-7);
    oplab_free(&lab);
}

// torch.nn.init.calculate_gain, and He et al. 2015 for slopes below zero.
static const struct {
    const struct activation *row;
    double hyper[2], gain;
} gains[] = {
    {&activation_relu, {0}, 1.41421356237},
    {&activation_leaky_relu, {.01}, 1.41414285700},
    {&activation_leaky_relu, {1}, 1},
    {&activation_prelu, {.25}, 1.37198868114},
    {&activation_rrelu, {.1, .3}, 1.38675049056},
    {&activation_selu, {0}, .75},
    {&activation_tanh, {0}, 1.66666666667},
};

LOOP_TEST(an_activation_gains_what_its_source_says, sizeof gains / sizeof *gains)
{
    double got = gains[_i].row->gain(gains[_i].hyper);
    ck_assert_msg(fabs(got - gains[_i].gain) < 1e-10, "%s: %.12g", gains[_i].row->op->row.name,
                  got);
}
