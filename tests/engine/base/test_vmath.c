// SPDX-License-Identifier: MIT
// Kernels in float against the same sources compiled with real = double (see the Makefile), by
// walking op_table: the compiler turns their loops into vector code with its own exp, tanh, erfc,
// which must stay as good as libm's, and a form that cancels shows, since double has digits to
// spare.

#include "tests/harness.h"
#include "tests/engine/nn/oplab.h"
#include "engine/nn/role.h"

#include <string.h>

enum { SHAPES = 6 };

#ifndef MLPD_F64
enum { SEEDS = 24, NUDGES = 8 };
static const double ULP = 0x1p-23;

// What does not count: where floats lose digits; of sums over cells of about 1 that cancel, their
// rounding.
static double floor_of(const struct op *op)
{
    return op->span == SPAN_CELL ? 1e-36 : 4e-6;
}

static double x[OPLAB_MOST], moved[OPLAB_MOST];
static double want[OPLAB_MOST], other[OPLAB_MOST], spread[OPLAB_MOST], got[OPLAB_MOST];
static bool movable[OPLAB_MOST];

// How far the exact results move when the inputs do by an ulp: no float kernel can know better.
static void measure_spread(size_t op, uint64_t seed, size_t n_in, size_t n_out)
{
    memset(spread, 0, sizeof spread);
    for (int k = 0; k < NUDGES; k++) {
        for (size_t i = 0; i < n_in; i++) {
            double side = i >> k & 1 ? ULP : -ULP; // any two differ once
            moved[i] = movable[i] ? x[i] * (1 + side) : x[i];
        }
        oplab_eval_double(op, seed, moved, other);
        for (size_t i = 0; i < n_out; i++)
            spread[i] = fmax(spread[i], fabs(other[i] - want[i]));
    }
}

static void compare(size_t op, uint64_t seed, bool wide)
{
    size_t n_in = oplab_draw(op, seed, wide, x, movable);
    size_t n_out = oplab_eval_double(op, seed, x, want);
    ck_assert_uint_eq(oplab_eval(op, seed, x, got), n_out);
    measure_spread(op, seed, n_in, n_out);
    for (size_t i = 0; i < n_out; i++)
        ck_assert_msg(
            fabs(got[i] - want[i]) <= 1e-5 * fabs(want[i]) + 4 * spread[i] + floor_of(op_table[op]),
            "op \"%s\", seed %d, result %zu for input %.9g: %.9g in float, %.9g in double",
            op_table[op]->row.name, (int)seed, i, x[i % n_in], got[i], want[i]);
}

LOOP_TEST(float_kernels_agree_with_double_ones_over_the_whole_line, op_count)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        compare((size_t)_i, seed, false);
        compare((size_t)_i, seed, true);
    }
}
#endif

// A cell's value may not depend on which of the neighbours' lanes it shares.
LOOP_TEST(a_row_gives_the_same_bits_wherever_it_stands, activation_table.n *SHAPES)
{
    const struct op *op = (const struct op *)(const void *)activation_table.row[_i / SHAPES];
    struct oplab lab = oplab_new(op->serve ? op->serve : op, 0, (uint64_t)_i);
    size_t in = lab.s.in[0].cols, out = lab.s.out.cols;
    for (size_t r = 1; r < lab.s.out.rows; r++)
        memcpy(lab.s.in[0].v + r * in, lab.s.in[0].v, in * sizeof(real));
    oplab_loss(&lab);
    for (size_t r = 1; r < lab.s.out.rows; r++)
        ck_assert_mem_eq(lab.s.out.v + r * out, lab.s.out.v, out * sizeof(real));
    oplab_free(&lab);
}
