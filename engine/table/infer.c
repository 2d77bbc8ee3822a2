// SPDX-License-Identifier: MIT
// A column starts as numeric and becomes categorical at the first text; after that its cells need
// no more than the test for missing. "1e999" and "Infinity" are errors only if the column turns out
// to be numeric: among texts they are texts.

#include "engine/table/infer.h"

#include "engine/base/number.h"
#include "engine/base/utf8.h"

#include <stdlib.h>
#include <string.h>

void infer_init(struct infer *in, struct arena *a)
{
    *in = (struct infer){.arena = a};
}

static enum number_kind infer_kind_of(const struct csv_cell *c)
{
    double value;
    return number_parse(c->text, c->len, &value);
}

static bool is_header(const struct csv_cell *cell, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum number_kind kind = infer_kind_of(&cell[i]);
        if (kind == NUMBER_FINITE || kind == NUMBER_INFINITE)
            return false;
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool infer_no_room(const struct infer *in, size_t n, struct err *e)
{
    return arena_fail(in->arena, e, "%zu columns need too much memory", n);
}

static bool names_differ(struct infer *in, struct err *e)
{
    struct arena_mark mark = arena_mark(in->arena);
    const char **name = arena_alloc(in->arena, in->n_column, sizeof *name);
    if (!name)
        return infer_no_room(in, in->n_column, e);
    for (size_t i = 0; i < in->n_column; i++)
        name[i] = in->column[i].name;
    qsort(name, in->n_column, sizeof *name, by_text);
    bool ok = true;
    for (size_t i = 1; ok && i < in->n_column; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            ok = fail(e, ERR_INVALID, "the header names \"%s\" twice", name[i]);
    arena_rewind(in->arena, mark);
    return ok;
}

static bool take_header(struct infer *in, const struct csv_cell *cell, size_t line, struct err *e)
{
    for (size_t i = 0; i < in->n_column; i++) {
        if (cell[i].len == 0)
            return fail(e, ERR_INVALID, "line %zu: the name of column %zu is empty", line, i + 1);
        if (cell[i].len > INFER_MAX_NAME)
            return fail(e, ERR_INVALID, "line %zu: the name of column %zu is longer than %d bytes",
                        line, i + 1, INFER_MAX_NAME);
        const char *control = utf8_find_control(cell[i].text, cell[i].len);
        if (control)
            return fail(e, ERR_INVALID,
                        "line %zu: the name of column %zu has a control character, U+%04X", line,
                        i + 1, utf8_code(control));
        char *name = arena_alloc(in->arena, cell[i].len + 1, 1);
        if (!name)
            return infer_no_room(in, in->n_column, e);
        memcpy(name, cell[i].text, cell[i].len);
        name[cell[i].len] = '\0';
        in->column[i].name = name;
    }
    return names_differ(in, e);
}

static bool first_record(struct infer *in, const struct csv_cell *cell, size_t n, size_t line,
                         struct err *e)
{
    in->column = arena_alloc(in->arena, n, sizeof *in->column);
    if (!in->column)
        return infer_no_room(in, n, e);
    in->n_column = n;
    in->header = is_header(cell, n);
    for (size_t i = 0; i < n; i++)
        in->column[i] = (struct infer_column){.type = COLUMN_NUMERIC};
    if (in->header)
        return take_header(in, cell, line, e);
    for (size_t i = 0; i < n; i++)
        in->column[i].name = arena_printf(in->arena, "c%zu", i);
    return true;
}

static void take_cell(struct infer_column *c, const struct csv_cell *cell, size_t line)
{
    enum number_kind kind = infer_kind_of(cell);
    if (kind == NUMBER_MISSING)
        c->n_missing++;
    else if (kind == NUMBER_TEXT)
        c->type = COLUMN_CATEGORICAL;
    else if (kind == NUMBER_INFINITE && !c->infinite_line)
        c->infinite_line = line;
}

bool infer_record(void *infer, const struct csv_cell *cell, size_t n, size_t line, struct err *e)
{
    struct infer *in = infer;
    bool first = !in->column;
    if (first && !first_record(in, cell, n, line, e))
        return false;
    if (first && in->header)
        return true;
    in->n_row++;
    for (size_t i = 0; i < n; i++)
        take_cell(&in->column[i], &cell[i], line);
    return true;
}

bool infer_end(struct infer *in, struct err *e)
{
    if (!in->n_column)
        return fail(e, ERR_INVALID, "the table is empty");
    if (!in->n_row)
        return fail(e, ERR_INVALID, "the table has a header and no rows");
    for (size_t i = 0; i < in->n_column; i++) {
        const struct infer_column *c = &in->column[i];
        if (c->type == COLUMN_NUMERIC && c->infinite_line)
            return fail(e, ERR_INVALID,
                        "line %zu: the number in column \"%s\" is infinite or too large",
                        c->infinite_line, c->name);
    }
    return true;
}
