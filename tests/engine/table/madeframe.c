// SPDX-License-Identifier: MIT
// Two passes over the text: infer the types, then fill the columns.

#include "tests/engine/table/madeframe.h"

#include "tests/harness.h"
#include "engine/table/infer.h"
#include "engine/base/number.h"
#include "engine/table/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct filling {
    struct infer infer;
    struct frame *frame;
    size_t row;
    bool header;
};

static uint32_t code_of(struct column *c, const struct csv_cell *cell, struct arena *a)
{
    for (size_t i = 0; i < c->n_level; i++)
        if (strlen(c->level[i]) == cell->len && !memcmp(c->level[i], cell->text, cell->len))
            return (uint32_t)i;
    ((const char **)c->level)[c->n_level] = arena_text(a, cell->text, cell->len);
    return (uint32_t)c->n_level++;
}

static bool fill(void *to, const struct csv_cell *cell, size_t n,
                 size_t line __attribute__((unused)), struct err *e __attribute__((unused)))
{
    struct filling *it = to;
    if (it->header)
        return it->header = false, true;
    for (size_t k = 0; k < n; k++) {
        struct column *c = &it->frame->column[k];
        double v;
        bool gap = number_parse(cell[k].text, cell[k].len, &v) == NUMBER_MISSING;
        if (c->type == COLUMN_NUMERIC)
            ((double *)c->number)[it->row] = gap ? NAN : v;
        else
            ((uint32_t *)c->code)[it->row] =
                gap ? LEVEL_MISSING : code_of(c, &cell[k], it->infer.arena);
    }
    it->row++;
    return true;
}

static void pass(csv_record *record, void *to, const char *csv, size_t len)
{
    struct err e = {0};
    struct csv *p = csv_new(record, to);
    ck_assert_msg(csv_feed(p, csv, len, &e) && csv_end(p, &e), "%s", e.text);
    csv_free(p);
}

struct frame table_of(const char *csv, size_t len, struct arena *a)
{
    struct frame f = {0};
    struct filling it = {.frame = &f};
    struct err e = {0};
    infer_init(&it.infer, a);
    pass(infer_record, &it.infer, csv, len);
    ck_assert_msg(infer_end(&it.infer, &e), "%s", e.text);
    it.header = it.infer.header;
    f = (struct frame){arena_need(a, it.infer.n_column, sizeof(struct column)), it.infer.n_column,
                       it.infer.n_row};
    for (size_t k = 0; k < f.n_column; k++)
        f.column[k] = (struct column){.name = it.infer.column[k].name,
                                      .type = it.infer.column[k].type,
                                      .n_missing = it.infer.column[k].n_missing,
                                      .number = arena_need(a, f.n_row, sizeof(double)),
                                      .code = arena_need(a, f.n_row, sizeof(uint32_t)),
                                      .level = arena_need(a, f.n_row, sizeof(char *))};
    pass(fill, &it, csv, len);
    return f;
}

struct frame table_of_text(const char *csv, struct arena *a)
{
    return table_of(csv, strlen(csv), a);
}

struct frame table_of_file(const char *path, struct arena *a)
{
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in, "could not open \"%s\"", path);
    size_t max = 4 << 20;
    char *bytes = malloc(max);
    struct frame f = table_of(bytes, fread(bytes, 1, max, in), a);
    free(bytes);
    fclose(in);
    return f;
}

struct data_spec plain_spec(const char *target)
{
    static const char *name[16]; // as many specs as a test has at once
    static size_t used;
    const char **own = &name[used++ % 16];
    *own = target;
    return (struct data_spec){.target = own,
                              .n_target = 1,
                              .task = TASK_AUTO,
                              .numeric = NUMERIC_STANDARD,
                              .missing = MISSING_MEAN_INDICATOR,
                              .categorical = CATEGORICAL_ONE_HOT,
                              .stratify = true,
                              .split_seed = 1};
}

uint32_t *all_rows(size_t n, struct arena *a)
{
    uint32_t *row = arena_need(a, n, sizeof *row);
    for (size_t i = 0; i < n; i++)
        row[i] = (uint32_t)i;
    return row;
}
