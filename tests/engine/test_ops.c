// SPDX-License-Identifier: MIT
// Walks over the op table: every row, present and future, must have correct derivatives, add to
// gradients when told to, give the same numbers tile by tile, and read well.

#include "blas.h"
#include "harness.h"
#include "op.h"
#include "rng.h"
#include "tables.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TILES_IN_TEST = 64 };

// One op on sample inputs drawn from its probes, and a random projection of its output as the loss.
struct lab {
    struct step s;
    real *weight; // the projection, [rows, cols] of the output
    uint64_t key;
    uint32_t rows;
};

static size_t count(struct buf b)
{
    return (size_t)b.rows * b.cols;
}

static real draw(const struct probe *p, uint64_t key, uint64_t cell)
{
    if (p->whole)
        return (real)(p->lo + floor(rng_unit(key, cell) * (p->hi - p->lo + 1)));
    double x = p->lo + rng_unit(key, cell) * (p->hi - p->lo);
    return (real)(fabs(x) >= p->gap ? x : x < 0 ? x - p->gap : x + p->gap);
}

static struct lab lab_new(const struct op *op, uint32_t rows, uint64_t seed)
{
    struct lab lab = {.s = {.op = op}, .rows = rows, .key = seed};
    const struct table own = {.what = "op"};
    struct pick pick = pick_row(&own, &op->row);
    memcpy(lab.s.value, pick.value, sizeof pick.value);
    for (int k = 0; k < op->arity; k++) {
        const struct probe *p = &op->probe[k];
        struct buf *b = &lab.s.in[k];
        *b = (struct buf){.rows = p->rows ? p->rows : rows, .cols = p->cols};
        b->v = calloc(count(*b), sizeof *b->v);
        if (!(op->no_grad >> k & 1))
            b->d = calloc(count(*b), sizeof *b->d);
        for (size_t i = 0; i < count(*b); i++)
            b->v[i] = draw(p, rng_key(seed, RNG_PROBE, (uint64_t)k, 0), i);
    }
    struct buf *out = &lab.s.out;
    *out = (struct buf){.rows = op->role == OP_REDUCE ? 1 : rows,
                        .cols = op->cols ? op->cols(lab.s.in) : lab.s.in[0].cols};
    out->v = calloc(count(*out), sizeof *out->v);
    out->d = calloc(count(*out), sizeof *out->d);
    lab.weight = calloc(count(*out), sizeof *lab.weight);
    for (size_t i = 0; i < count(*out); i++)
        lab.weight[i] = (real)(rng_unit(rng_key(seed, RNG_PROBE, 99, 0), i) * 2 - 1);
    if (op->save)
        lab.s.save = calloc(op->save(lab.s.in), sizeof *lab.s.save);
    return lab;
}

static void lab_free(struct lab *lab)
{
    for (int k = 0; k < lab->s.op->arity; k++) {
        free(lab->s.in[k].v);
        free(lab->s.in[k].d);
    }
    free(lab->s.out.v);
    free(lab->s.out.d);
    free(lab->weight);
    free(lab->s.save);
}

static void run(struct lab *lab, void (*cut)(const struct step *, struct tiling *),
                void (*kernel)(const struct step *, struct tile))
{
    struct tile tile[MOST_TILES_IN_TEST];
    struct tiling t = {.tile = tile};
    lab->s.key = &lab->key;
    cut(&lab->s, &t);
    ck_assert_uint_le(t.n, MOST_TILES_IN_TEST);
    for (uint32_t i = 0; i < t.n; i++)
        kernel(&lab->s, tile[i]);
}

static double lab_loss(struct lab *lab)
{
    double sum = 0;
    run(lab, step_forward_tiles, lab->s.op->forward);
    for (size_t i = 0; i < count(lab->s.out); i++)
        sum += (double)lab->weight[i] * (double)lab->s.out.v[i];
    return sum;
}

static void lab_backward(struct lab *lab)
{
    lab_loss(lab);
    memcpy(lab->s.out.d, lab->weight, count(lab->s.out) * sizeof *lab->weight);
    run(lab, step_backward_tiles, lab->s.op->backward);
}

#ifdef MLPD_F64
static const uint32_t batch_sizes[] = {1, 2, 7, 33};
enum { N_SIZES = sizeof batch_sizes / sizeof *batch_sizes };

// The analytic gradient of the projection against central differences, input by input, cell by
// cell.
LOOP_TEST(backward_matches_differences, op_count *N_SIZES)
{
    const struct op *op = op_table[_i / N_SIZES];
    const double h = 1e-5;
    struct lab lab = lab_new(op, batch_sizes[_i % N_SIZES], (uint64_t)_i);
    lab_backward(&lab);
    for (int k = 0; k < op->arity; k++)
        for (size_t i = 0; lab.s.in[k].d && i < count(lab.s.in[k]); i++) {
            real *x = &lab.s.in[k].v[i], keep = *x;
            *x = keep + h;
            double up = lab_loss(&lab);
            *x = keep - h;
            double down = lab_loss(&lab);
            *x = keep;
            double slope = (up - down) / (2 * h), got = lab.s.in[k].d[i];
            ck_assert_msg(
                fabs(got - slope) <= 1e-7,
                "op \"%s\", %u rows, input %d, cell %zu: gradient %.12g, difference %.12g",
                op->row.name, lab.rows, k, i, got, slope);
        }
    lab_free(&lab);
}
#endif

// A second writer adds to what is there; the first replaces it, whatever it was.
LOOP_TEST(backward_stores_or_adds_as_told, op_count)
{
    const struct op *op = op_table[_i];
    struct lab plain = lab_new(op, 7, 5), added = lab_new(op, 7, 5);
    for (int k = 0; k < op->arity; k++)
        for (size_t i = 0; plain.s.in[k].d && i < count(plain.s.in[k]); i++) {
            plain.s.in[k].d[i] = NAN;
            added.s.in[k].d[i] = (real)i - 3;
            added.s.add[k] = true;
        }
    lab_backward(&plain);
    lab_backward(&added);
    for (int k = 0; k < op->arity; k++)
        for (size_t i = 0; plain.s.in[k].d && i < count(plain.s.in[k]); i++)
            ck_assert_msg(
                fabs((double)(added.s.in[k].d[i] - ((real)i - 3) - plain.s.in[k].d[i])) < 1e-4,
                "op \"%s\", input %d, cell %zu: stored %g, added %g to %g", op->row.name, k, i,
                (double)plain.s.in[k].d[i], (double)added.s.in[k].d[i], (double)i - 3);
    lab_free(&plain);
    lab_free(&added);
}

// No input that is finite makes a value or gradient that is not.
LOOP_TEST(extreme_inputs_give_finite_results, op_count)
{
    static const double extreme[] = {100, -100, 1e-40, -1e-40, 0, 30, -30};
    enum { N = sizeof extreme / sizeof *extreme };
    const struct op *op = op_table[_i];
    struct lab lab = lab_new(op, N, 3);
    for (size_t i = 0; i < count(lab.s.in[0]); i++)
        lab.s.in[0].v[i] = (real)extreme[i % N];
    lab_backward(&lab);
    for (size_t i = 0; i < count(lab.s.out); i++)
        ck_assert_msg(isfinite(lab.s.out.v[i]), "op \"%s\": value %zu", op->row.name, i);
    for (int k = 0; k < op->arity; k++)
        for (size_t i = 0; lab.s.in[k].d && i < count(lab.s.in[k]); i++)
            ck_assert_msg(isfinite(lab.s.in[k].d[i]), "op \"%s\": gradient %zu of input %d",
                          op->row.name, i, k);
    lab_free(&lab);
}

// NaN must reach the loss, where training notices it.
LOOP_TEST(activations_pass_nan_on, activation_table.n)
{
    const struct op *op = (const struct op *)(const void *)activation_table.row[_i];
    struct lab lab = lab_new(op, 3, 4);
    lab.s.in[0].v[7] = NAN;
    lab_loss(&lab);
    ck_assert_msg(isnan(lab.s.out.v[7]), "activation \"%s\" hides NaN", op->row.name);
    lab_free(&lab);
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

TEST(dropout_silences_its_share_and_keeps_the_mean)
{
    enum { N = 100000 };
    struct lab lab = lab_new(&op_dropout, N / 5, 11);
    lab.s.value[0] = .3;
    for (size_t i = 0; i < N; i++)
        lab.s.in[0].v[i] = 1;
    lab_loss(&lab);
    size_t silent = 0;
    for (size_t i = 0; i < N; i++)
        silent += lab.s.out.v[i] == 0;
    ck_assert_double_eq_tol((double)silent / N, .3, .006);
    lab_free(&lab);
}
