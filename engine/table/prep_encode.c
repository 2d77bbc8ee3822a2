// SPDX-License-Identifier: MIT
// From columns, or from a client's cells, to features. Both ways end in put_number() and
// put_level(), so a model sees the same bits in training and in prediction.
//
// Names and levels are found through one open-addressed table of 32-bit ids: id i < n_column is the
// name of input i, id n_column + g is the level that sets feature g. Half of the slots stay empty.
// Nothing here allocates or locks.

#include "engine/table/prep.h"

#include "engine/table/prep_parts.h"

#include "engine/base/number.h"

#include <math.h>
#include <string.h>

#define NO_ID UINT32_MAX

static void put_number(const struct prep_column *c, double v, real *x)
{
    bool gap = isnan(v);
    x[c->at] = (real)prep_clamp(((gap ? c->fill : v) - c->mean) / c->std);
    if (c->indicator)
        x[c->at + 1] = gap;
}

static void put_level(const struct prep_column *c, size_t k, real *x)
{
    memset(x + c->at, 0, c->width * sizeof *x);
    x[c->at + k] = 1;
}

static void encode_put_row(const struct prep_column *c, const struct column *from, uint32_t row,
                           real *x)
{
    if (c->type == COLUMN_NUMERIC)
        put_number(c, from->number[row], x);
    else
        put_level(c, from->code[row] == LEVEL_MISSING ? c->n_level : c->slot[from->code[row]], x);
}

void prep_encode(const struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                 real *x, const struct halt *halt)
{
    for (size_t i = 0; i < n && !halt_due_row(halt, i); i++, x += p->n_feature)
        for (size_t k = 0; k < p->n_column; k++)
            encode_put_row(&p->column[k], prep_input(&p->column[k], f), row[i], x);
}

// FNV-1a, begun with the column so that equal levels of two columns part ways.
static size_t encode_hash(size_t column, const char *text, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ column * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

static bool equals(const char *known, const char *text, size_t len)
{
    return strncmp(known, text, len) == 0 && known[len] == '\0';
}

static void encode_enter(uint32_t *index, size_t n_index, size_t column, const char *text,
                         size_t id)
{
    size_t at = encode_hash(column, text, strlen(text)) & (n_index - 1);
    while (index[at] != NO_ID)
        at = (at + 1) & (n_index - 1);
    index[at] = (uint32_t)id;
}

void prep_index(struct prep *p, struct arena *a)
{
    size_t entries = p->n_column + p->n_feature, size = 4;
    while (size < 2 * entries)
        size *= 2;
    uint32_t *index = arena_alloc(a, size, sizeof *index);
    p->index = NULL;
    if (!index)
        return;
    memset(index, 0xFF, size * sizeof *index);
    for (size_t k = 0; k < p->n_column; k++) {
        const struct prep_column *c = &p->column[k];
        encode_enter(index, size, SIZE_MAX, c->name, k);
        for (size_t j = 0; j < c->n_level; j++)
            encode_enter(index, size, k, c->level[j], p->n_column + c->at + j);
    }
    p->index = index;
    p->n_index = size;
}

// The texts an id may stand for: names, or the levels of one column.
struct name_shelf {
    size_t column; // SIZE_MAX for names
    size_t first;  // id of text 0
    size_t n;
};

static const char *on_shelf(const struct prep *p, const struct name_shelf *s, size_t i)
{
    return s->column == SIZE_MAX ? p->column[i].name : p->column[s->column].level[i];
}

// Place of the text on the shelf, or n.
static size_t look_up(const struct prep *p, const struct name_shelf *s, const char *text,
                      size_t len)
{
    size_t mask = p->n_index - 1, at = encode_hash(s->column, text, len) & mask;
    for (; p->index[at] != NO_ID; at = (at + 1) & mask) {
        size_t i = p->index[at] - s->first;
        if (i < s->n && equals(on_shelf(p, s, i), text, len))
            return i;
    }
    return s->n;
}

static size_t encode_search(const struct prep *p, const struct name_shelf *s, const char *text,
                            size_t len)
{
    if (p->index)
        return look_up(p, s, text, len);
    size_t i = 0;
    while (i < s->n && !equals(on_shelf(p, s, i), text, len))
        i++;
    return i;
}

size_t prep_find(const struct prep *p, const char *name, size_t len)
{
    return encode_search(p, &(struct name_shelf){SIZE_MAX, 0, p->n_column}, name, len);
}

size_t prep_level(const struct prep *p, size_t k, const char *text, size_t len)
{
    const struct prep_column *c = &p->column[k];
    return encode_search(p, &(struct name_shelf){k, p->n_column + c->at, c->n_level}, text, len);
}

static bool read_number(const struct prep_column *c, const struct cell *cell, double *v,
                        struct err *e)
{
    enum number_kind kind = NUMBER_MISSING;
    if (cell->kind == CELL_NUMBER)
        kind = isinf(*v = cell->number) ? NUMBER_INFINITE : NUMBER_FINITE;
    else if (cell->kind == CELL_TEXT)
        kind = number_parse(cell->text, cell->len, v);
    if (kind == NUMBER_MISSING)
        *v = NAN;
    if (kind == NUMBER_INFINITE)
        return fail(e, ERR_INVALID, "\"%s\" must be a finite number", c->name);
    int shown = cell->len < 40 ? (int)cell->len : 40;
    return kind != NUMBER_TEXT || fail(e, ERR_INVALID, "\"%s\" must be a number, got \"%.*s\"",
                                       c->name, shown, cell->text);
}

// The level that a number stands for, by its shortest text.
static size_t level_of_number(const struct prep *p, size_t k, double v)
{
    char text[NUMBER_TEXT_SIZE];
    return prep_level(p, k, text, number_print(text, v + 0.0));
}

static size_t level_of_cell(const struct prep *p, size_t k, const struct cell *cell)
{
    double v;
    size_t none = p->column[k].n_level;
    if (cell->kind == CELL_MISSING)
        return none;
    if (cell->kind == CELL_NUMBER)
        return level_of_number(p, k, cell->number);
    size_t level = prep_level(p, k, cell->text, cell->len);
    if (level == none && number_parse(cell->text, cell->len, &v) == NUMBER_FINITE)
        level = level_of_number(p, k, v);
    return level;
}

bool prep_encode_cell(const struct prep *p, size_t k, const struct cell *c, real *x, struct err *e)
{
    const struct prep_column *column = &p->column[k];
    double v = 0;
    if (column->type == COLUMN_CATEGORICAL)
        put_level(column, level_of_cell(p, k, c), x);
    else if (read_number(column, c, &v, e))
        put_number(column, v, x);
    else
        return false;
    return true;
}
