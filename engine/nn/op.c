// SPDX-License-Identifier: MIT
// The default ways to cut an op's work into tiles. Tiles are a function of shapes
// only: that is what makes results the same for any number of threads.

#include "engine/nn/op.h"

#include "engine/base/err.h"
#include "engine/nn/blas.h"

#include <math.h>

// An elementwise tile should outlast the hand-over to another thread (about a microsecond) many
// times.
enum { CELLS_PER_TILE = 32768, COLUMN_STEP = 16, ROW_STEP = 8, MOST_TILES = 16 };

// A tile is not interrupted, so there are more of them than that where they would take long.
static const double LONGEST_PRODUCT = 4096; // tiles worth having: 16 GFLOP
static const double LONGEST_CELLS = 16 << 20;

void tiling_add(struct tiling *t, struct tile tile)
{
    if (t->tile)
        t->tile[t->n] = tile;
    t->n++;
}

static uint32_t pieces(double wanted, uint32_t length, uint32_t step)
{
    double fit = (double)length / step;
    double n = wanted < fit ? wanted : fit;
    return n < 1 ? 1 : (uint32_t)n;
}

static double at_most(double n, double most)
{
    return n < most ? n : most;
}

// Block borders at multiples of `step`, spread evenly.
static uint32_t border(uint32_t i, uint32_t n, uint32_t length, uint32_t step)
{
    if (i == n)
        return length;
    uint32_t steps = (length + step - 1) / step;
    return (uint32_t)((uint64_t)steps * i / n) * step;
}

static struct tile nth_columns(struct tile t, uint32_t i, uint32_t n, uint32_t step)
{
    uint32_t c0 = t.c0, length = t.c1 - t.c0;
    t.c0 = c0 + border(i, n, length, step);
    t.c1 = c0 + border(i + 1, n, length, step);
    return t;
}

static struct tile nth_rows(struct tile t, uint32_t i, uint32_t n, uint32_t step)
{
    uint32_t r0 = t.r0, length = t.r1 - t.r0;
    t.r0 = r0 + border(i, n, length, step);
    t.r1 = r0 + border(i + 1, n, length, step);
    return t;
}

// One block of a product, cut further along the result's rows where it takes long: those are the
// tile's rows, or its columns where it has no rows (a weight's gradient).
static void add_product(struct tiling *t, struct tile block, double worth)
{
    double cells = (double)(block.r1 - block.r0) * (block.c1 - block.c0) / LONGEST_CELLS;
    double wanted = ceil(fmax(worth / LONGEST_PRODUCT, cells));
    bool by_row = block.r1 > block.r0;
    uint32_t length = by_row ? block.r1 - block.r0 : block.c1 - block.c0;
    uint32_t n = pieces(wanted, length, GEMM_ROWS);
    for (uint32_t i = 0; i < n; i++)
        tiling_add(t, (by_row ? nth_rows : nth_columns)(block, i, n, GEMM_ROWS));
}

void tiling_cut(struct tiling *t, uint32_t part, uint32_t rows, uint32_t cols, double most)
{
    enum { WIDE = 64 }; // narrower column blocks waste a matrix product's packing
    const struct tile all = {part, 0, rows, 0, cols};
    double wanted = at_most(most, MOST_TILES);
    uint32_t by_column = pieces(wanted, cols, WIDE), by_row = pieces(wanted, rows, WIDE);
    uint32_t n = by_column >= by_row ? by_column : by_row;
    for (uint32_t i = 0; i < n; i++)
        add_product(t,
                    by_column >= by_row ? nth_columns(all, i, n, COLUMN_STEP)
                                        : nth_rows(all, i, n, ROW_STEP),
                    most / n);
}

void tiling_span(struct tiling *t, uint32_t part, enum op_span span, uint32_t rows, uint32_t cols)
{
    const struct tile all = {part, 0, rows, 0, cols};
    double cells = (double)rows * cols;
    double wanted = fmax(at_most(cells / CELLS_PER_TILE, MOST_TILES), cells / LONGEST_CELLS);
    uint32_t n = 1;
    switch (span) {
    case SPAN_CELL:
    case SPAN_COLUMN:
        n = pieces(wanted, cols, COLUMN_STEP);
        for (uint32_t i = 0; i < n; i++)
            tiling_add(t, nth_columns(all, i, n, COLUMN_STEP));
        break;
    case SPAN_ROW:
        n = pieces(wanted, rows, ROW_STEP);
        for (uint32_t i = 0; i < n; i++)
            tiling_add(t, nth_rows(all, i, n, ROW_STEP));
        break;
    case SPAN_ALL:
        tiling_add(t, all);
        break;
    }
}

static void cut_by_span(const struct step *s, struct tiling *t)
{
    tiling_span(t, 0, s->op->span, s->in[0].rows, s->out.cols);
}

uint32_t step_cols(const struct step *s)
{
    if (s->op->width)
        return s->op->width(s->value, s->in[0].cols);
    return s->op->cols ? s->op->cols(s->in) : s->in[0].cols;
}

void step_forward_tiles(const struct step *s, struct tiling *t)
{
    (s->op->forward_tiles ? s->op->forward_tiles : cut_by_span)(s, t);
}

void step_backward_tiles(const struct step *s, struct tiling *t)
{
    (s->op->backward_tiles ? s->op->backward_tiles : cut_by_span)(s, t);
}
