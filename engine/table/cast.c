// SPDX-License-Identifier: MIT
// Numbers are sorted once and each cell finds its category by bisection. As in every frame, the
// last slot of a column with too many categories is shared; its text is "", which no cell can have.

#include "engine/table/cast.h"

#include "engine/base/number.h"
#include "engine/base/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *cast_take(struct arena *a, size_t n, size_t size, struct err *e)
{
    void *p = arena_alloc(a, n, size);
    if (!p)
        fail(e, ERR_TOO_LARGE, "a converted column of %zu values does not fit in memory", n);
    return p;
}

static int cast_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The distinct present values of v, ascending; returns how many.
static size_t distinct(const double *v, size_t n, double *out, const struct halt *halt)
{
    size_t present = 0, kept = 0;
    for (size_t i = 0; i < n && !halt_due(halt, i); i++)
        if (!isnan(v[i]))
            out[present++] = v[i] + 0.0; // -0 becomes 0
    sort(out, present, sizeof *out, cast_by_value, halt);
    for (size_t i = 0; i < present && !halt_due(halt, i); i++)
        if (i == 0 || out[i] != out[i - 1])
            out[kept++] = out[i];
    return kept;
}

// The i-th text of n distinct values; "" in the slot that the values past the maximum share.
static const char *level_text(const double *value, size_t n, size_t i, struct arena *a,
                              struct err *e)
{
    char text[NUMBER_TEXT_SIZE];
    bool shared = n > FRAME_MAX_LEVELS && i == FRAME_MAX_LEVELS - 1;
    size_t len = shared ? 0 : number_print(text, value[i]);
    char *copy = cast_take(a, len + 1, 1, e);
    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static uint32_t code_of(double v, const double *value, size_t n)
{
    if (isnan(v))
        return LEVEL_MISSING;
    const double *at = bsearch(&v, value, n, sizeof v, cast_by_value);
    size_t code = (size_t)(at - value);
    return (uint32_t)(code < FRAME_MAX_LEVELS ? code : FRAME_MAX_LEVELS - 1);
}

static bool to_categories(struct column *c, size_t n_row, const struct halt *halt, struct arena *a,
                          struct err *e)
{
    const double *number = c->number;
    double *value = cast_take(a, n_row, sizeof *value, e);
    uint32_t *code = cast_take(a, n_row, sizeof *code, e);
    if (!value || !code)
        return false;
    size_t n = distinct(number, n_row, value, halt);
    if (!halt_go_on(halt, e))
        return false;
    c->n_level = n < FRAME_MAX_LEVELS ? n : FRAME_MAX_LEVELS;
    const char **level = cast_take(a, c->n_level, sizeof *level, e);
    if (!level)
        return false;
    for (size_t i = 0; i < c->n_level; i++)
        if (!(level[i] = level_text(value, n, i, a, e)))
            return false;
    for (size_t i = 0; i < n_row && !halt_due(halt, i); i++)
        code[i] = code_of(number[i], value, n);
    c->level = level;
    c->code = code;
    c->number = NULL;
    return halt_go_on(halt, e);
}

static bool to_numbers(struct column *c, size_t n_row, const struct halt *halt, struct arena *a,
                       struct err *e)
{
    double *value = cast_take(a, c->n_level, sizeof *value, e);
    double *number = cast_take(a, n_row, sizeof *number, e);
    if (!value || !number)
        return false;
    for (size_t i = 0; i < c->n_level; i++)
        if (number_parse(c->level[i], strlen(c->level[i]), &value[i]) != NUMBER_FINITE)
            return fail(e, ERR_INVALID, "column \"%s\" is not numeric: it contains \"%s\"", c->name,
                        c->level[i]);
    for (size_t i = 0; i < n_row && !halt_due(halt, i); i++)
        number[i] = c->code[i] == LEVEL_MISSING ? NAN : value[c->code[i]];
    c->number = number;
    c->code = NULL;
    c->level = NULL;
    c->n_level = 0;
    return halt_go_on(halt, e);
}

const struct column *column_cast(const struct column *c, size_t n_row, enum column_type to,
                                 const struct halt *halt, struct arena *a, struct err *e)
{
    if (c->type == to)
        return c;
    struct column *cast = cast_take(a, 1, sizeof *cast, e);
    if (!cast)
        return NULL;
    *cast = *c;
    cast->type = to;
    bool ok = (to == COLUMN_NUMERIC ? to_numbers : to_categories)(cast, n_row, halt, a, e);
    return ok ? cast : NULL;
}
