// SPDX-License-Identifier: MIT
// From columns, or from a client's cells, to features. Both ways end in put_number() and
// put_level(), so a model sees the same bits in training and in prediction.
//
// Names and levels are found through one open-addressed table of 32-bit ids: id i < n_column is the
// name of input i, id n_column + g is the level that sets feature g. Half of the slots stay empty.
// The hash is keyed with the process's random bytes, so nobody can prepare names that cluster; and
// a name that is there already is refused, for equal ones would cluster under any hash. No result
// depends on the key: only where an id lies does. Past prep_index(), nothing allocates or locks.

#include "engine/table/prep.h"

#include "engine/table/prep_parts.h"

#include "engine/base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

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

static uint64_t encode_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Begun with the column so that equal levels of two columns part ways.
static size_t encode_hash(const struct prep *p, size_t column, const char *text, size_t len)
{
    uint64_t h = encode_fold(p->key[0] ^ column, p->key[1] ^ len), word;
    for (; len >= sizeof word; text += sizeof word, len -= sizeof word) {
        memcpy(&word, text, sizeof word);
        h = encode_fold(h ^ word, p->key[1]);
    }
    word = 0;
    for (size_t i = 0; i < len; i++)
        word = word << 8 | (unsigned char)text[i];
    return (size_t)encode_fold(h ^ word, p->key[1]);
}

static bool equals(const char *known, const char *text, size_t len)
{
    return strncmp(known, text, len) == 0 && known[len] == '\0';
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

// Room for twice the ids, all of it empty, and the keys.
static uint32_t *encode_make_index(struct prep *p, struct arena *a)
{
    size_t size = 4;
    while (size < 2 * (p->n_column + p->n_feature))
        size *= 2;
    uint32_t *index = arena_alloc(a, size, sizeof *index);
    if (index)
        memset(index, 0xFF, size * sizeof *index);
    memcpy(p->key, (const void *)getauxval(AT_RANDOM), sizeof p->key);
    p->index = index;
    p->n_index = size;
    return index;
}

// False when it is there already.
static bool encode_enter(struct prep *p, uint32_t *index, const struct name_shelf *s, size_t i)
{
    const char *text = on_shelf(p, s, i);
    size_t len = strlen(text), mask = p->n_index - 1;
    size_t at = encode_hash(p, s->column, text, len) & mask;
    for (; index[at] != NO_ID; at = (at + 1) & mask) {
        size_t k = index[at] - s->first;
        if (k < s->n && equals(on_shelf(p, s, k), text, len))
            return false;
    }
    index[at] = (uint32_t)(s->first + i);
    return true;
}

static bool index_column(struct prep *p, uint32_t *index, size_t k, struct err *e)
{
    const struct prep_column *c = &p->column[k];
    const struct name_shelf names = {SIZE_MAX, 0, p->n_column},
                            levels = {k, p->n_column + c->at, c->n_level};
    char at[32];
    snprintf(at, sizeof at, "/inputs/%zu", k);
    if (!encode_enter(p, index, &names, k))
        return fail_at(e, ERR_INVALID, at, "two inputs are called \"%.80s\"", c->name);
    for (size_t i = 0; i < c->n_level; i++)
        if (!encode_enter(p, index, &levels, i))
            return fail_at(e, ERR_INVALID, at, "\"%.80s\" has the level \"%.80s\" twice", c->name,
                           c->level[i]);
    return true;
}

bool prep_index(struct prep *p, const struct halt *halt, struct arena *a, struct err *e)
{
    uint32_t *index = encode_make_index(p, a);
    for (size_t k = 0; index && k < p->n_column; k++)
        if ((k % HALT_ROWS == 0 && !halt_go_on(halt, e)) || !index_column(p, index, k, e))
            return false;
    return true;
}

// Place of the text on the shelf, or n.
static size_t look_up(const struct prep *p, const struct name_shelf *s, const char *text,
                      size_t len)
{
    size_t mask = p->n_index - 1, at = encode_hash(p, s->column, text, len) & mask;
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
