// SPDX-License-Identifier: MIT
// The op table and the default ways to cut an op's work into tiles. Tiles are a function of shapes
// only: that is what makes results the same for any number of threads.

#include "op.h"

#include "err.h"
#include "tables.h"

// An elementwise tile should outlast the hand-over to another thread (about a microsecond) many
// times.
enum { CELLS_PER_TILE = 32768, COLUMN_STEP = 16, ROW_STEP = 8, MOST_TILES = 16 };

void tiling_add(struct tiling *t, struct tile tile)
{
    if (t->tile)
        t->tile[t->n] = tile;
    t->n++;
}

static uint32_t pieces(double most, uint32_t length, uint32_t step)
{
    double n = most < MOST_TILES ? most : MOST_TILES;
    double fit = (double)length / step;
    n = n < fit ? n : fit;
    return n < 1 ? 1 : (uint32_t)n;
}

// Block borders at multiples of `step`, spread evenly.
static uint32_t border(uint32_t i, uint32_t n, uint32_t length, uint32_t step)
{
    if (i == n)
        return length;
    uint32_t steps = (length + step - 1) / step;
    return (uint32_t)((uint64_t)steps * i / n) * step;
}

static void cut_columns(struct tiling *t, uint32_t part, uint32_t rows, uint32_t cols, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        tiling_add(t, (struct tile){part, 0, rows, border(i, n, cols, COLUMN_STEP),
                                    border(i + 1, n, cols, COLUMN_STEP)});
}

static void cut_rows(struct tiling *t, uint32_t part, uint32_t rows, uint32_t cols, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        tiling_add(t, (struct tile){part, border(i, n, rows, ROW_STEP),
                                    border(i + 1, n, rows, ROW_STEP), 0, cols});
}

void tiling_cut(struct tiling *t, uint32_t part, uint32_t rows, uint32_t cols, double most)
{
    enum { WIDE = 64 }; // narrower column blocks waste a matrix product's packing
    uint32_t by_column = pieces(most, cols, WIDE), by_row = pieces(most, rows, WIDE);
    if (by_column >= by_row)
        cut_columns(t, part, rows, cols, by_column);
    else
        cut_rows(t, part, rows, cols, by_row);
}

void tiling_span(struct tiling *t, uint32_t part, enum op_span span, uint32_t rows, uint32_t cols)
{
    double most = (double)rows * cols / CELLS_PER_TILE;
    switch (span) {
    case SPAN_CELL:
    case SPAN_COLUMN:
        cut_columns(t, part, rows, cols, pieces(most, cols, COLUMN_STEP));
        break;
    case SPAN_ROW:
        cut_rows(t, part, rows, cols, pieces(most, rows, ROW_STEP));
        break;
    case SPAN_ALL:
        tiling_add(t, (struct tile){part, 0, rows, 0, cols});
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

const struct op *const op_table[] = {
#define OP(name) &op_##name,
#include "ops.def"
};
const size_t op_count = sizeof op_table / sizeof *op_table;

static const struct row *const activation_row[] = {
#define OP(name)
#define ACTIVATION(name) &op_##name.row,
#define NORM(name)
#define LOSS(name)
#include "ops.def"
};

static const struct row *const norm_row[] = {
#define OP(name)
#define ACTIVATION(name)
#define NORM(name) &op_##name.row,
#define LOSS(name)
#include "ops.def"
};

static const struct row *const loss_row[] = {
#define OP(name)
#define ACTIVATION(name)
#define NORM(name)
#define LOSS(name) &op_##name.row,
#include "ops.def"
};

#define TABLE(word, rows)                                                                          \
    {                                                                                              \
        .what = (word), .row = (rows), .n = sizeof(rows) / sizeof *(rows)                          \
    }
const struct table activation_table = TABLE("activation", activation_row);
const struct table norm_table = TABLE("norm", norm_row);
const struct table loss_table = TABLE("loss", loss_row);
