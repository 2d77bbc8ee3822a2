// SPDX-License-Identifier: MIT
// Inline tables as CSV: see inline.h. One pass with the pull reader and a small buffer; rows are
// never held. Cells of strings are quoted whenever CSV might read them otherwise; numbers go over
// as they were written.

#include "api/schema/inline.h"

#include "api/json/json_in.h"
#include "engine/base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16384 };

struct table_in {
    struct csvw csv;
    struct arena *arena;
    struct faults *faults;
    size_t n_column;
    bool lone; // rows have a single cell
};

// The members of the object, wherever they are in it.
struct form {
    struct json_span x, y, columns, rows;
};

static bool inline_decode(struct table_in *t, struct json_in *in, struct json_text *text)
{
    if (json_string(in, text, t->arena))
        return true;
    t->csv.broken = true;
    return fail(t->csv.err, ERR_TOO_LARGE, "a string of the data is too long");
}

static void read_string(struct table_in *t, struct json_in *in)
{
    struct arena_mark mark = arena_mark(t->arena);
    struct json_text text;
    if (inline_decode(t, in, &text))
        csvw_string(&t->csv, text.at, text.len);
    arena_rewind(t->arena, mark);
}

// An empty cell that is alone in its row would be a blank line, hence the quotes.
static void put_gap(struct table_in *t)
{
    if (t->lone)
        csvw_put(&t->csv, "\"\"", 2);
}

static void put_cell(struct table_in *t, struct json_in *in, const char *at, size_t row,
                     size_t column)
{
    enum json_kind kind = json_kind(in);
    char place[96];
    struct json_span raw;
    if (kind == JSON_STRING) {
        read_string(t, in);
        return;
    }
    raw = json_skip(in);
    if (kind == JSON_NUMBER || kind == JSON_BOOL) {
        csvw_put(&t->csv, raw.at, raw.len);
    } else if (kind == JSON_NULL) {
        put_gap(t);
    } else {
        snprintf(place, sizeof place, column == SIZE_MAX ? "%s/%zu" : "%s/%zu/%zu", at, row,
                 column);
        fault_add(t->faults, "wrong_type", place,
                  "must be a number, a string, true, false or null, got %s", json_kind_name(kind));
    }
}

static void ragged(struct table_in *t, const char *at, size_t row, size_t width, size_t n)
{
    char place[64];
    snprintf(place, sizeof place, "%s/%zu", at, row);
    fault_add(t->faults, "ragged_row", place, "must have %zu cells, got %zu", width, n);
}

// The cells of one row, separated; `width` of them are expected.
static void inline_put_row(struct table_in *t, struct json_in *in, const char *at, size_t row,
                           size_t width)
{
    enum json_kind kind = json_kind(in);
    char place[64];
    if (kind != JSON_ARRAY) {
        snprintf(place, sizeof place, "%s/%zu", at, row);
        fault_add(t->faults, "wrong_type", place, "must be an array of cells, got %s",
                  json_kind_name(kind));
        json_skip(in);
        return;
    }
    size_t n = 0;
    for (json_enter(in); json_more(in); n++) {
        if (n)
            csvw_put(&t->csv, ",", 1);
        put_cell(t, in, at, row, n);
    }
    if (n != width)
        ragged(t, at, row, width, n);
}

static bool is_number(const char *s, size_t len)
{
    char text[64], *end;
    if (len == 0 || len >= sizeof text)
        return false;
    memcpy(text, s, len);
    text[len] = '\0';
    strtod(text, &end);
    return *end == '\0';
}

// A column's name: a string that the CSV reader cannot take for a value. What it allocates stays,
// because faults may lie behind it.
static void inline_put_column(struct table_in *t, struct json_in *in)
{
    struct json_text name;
    char place[64];
    snprintf(place, sizeof place, "/data/columns/%zu", t->n_column);
    if (json_kind(in) != JSON_STRING) {
        fault_add(t->faults, "wrong_type", place, "must be a string, got %s",
                  json_kind_name(json_kind(in)));
        json_skip(in);
        return;
    }
    if (!inline_decode(t, in, &name))
        return;
    const char *control = utf8_find_control(name.at, name.len);
    if (name.len == 0)
        fault_add(t->faults, "too_short", place, "must not be empty");
    else if (control)
        fault_add(t->faults, "bad_name", place, "must not have a control character, got U+%04X",
                  utf8_code(control));
    else if (is_number(name.at, name.len))
        fault_add(t->faults, "bad_name", place, "must not be a number, got \"%.*s\"", (int)name.len,
                  name.at);
    csvw_string(&t->csv, name.at, name.len);
}

static bool columns_in_bounds(struct table_in *t, const char *at)
{
    if (t->n_column > COLUMNS_MAX)
        fault_add(t->faults, "too_long", at, "must have at most %d columns, got %zu", COLUMNS_MAX,
                  t->n_column);
    else if (t->n_column == 0)
        fault_add(t->faults, "too_short", at, "must have at least one column");
    return t->n_column > 0 && t->n_column <= COLUMNS_MAX;
}

static bool inline_is_array(struct table_in *t, struct json_span span, const char *key)
{
    char place[32];
    snprintf(place, sizeof place, "/data/%s", key);
    if (!span.at)
        fault_add(t->faults, "missing_field", place, "must be given");
    else if (*span.at != '[')
        fault_add(t->faults, "wrong_type", place, "must be an array");
    return span.at && *span.at == '[';
}

// {"columns": [...], "rows": [[...]]}
static void put_table(struct table_in *t, const struct form *form)
{
    bool names_there = inline_is_array(t, form->columns, "columns");
    bool rows_there = inline_is_array(t, form->rows, "rows");
    if (!names_there || !rows_there)
        return;
    struct json_in in = json_in(form->columns);
    for (json_enter(&in); !t->csv.broken && json_more(&in); t->n_column++) {
        if (t->n_column)
            csvw_put(&t->csv, ",", 1);
        inline_put_column(t, &in);
    }
    csvw_put(&t->csv, "\n", 1);
    if (!columns_in_bounds(t, "/data/columns"))
        return;
    size_t row = 0;
    t->lone = t->n_column == 1;
    in = json_in(form->rows);
    for (json_enter(&in); !t->csv.broken && json_more(&in); row++) {
        inline_put_row(t, &in, "/data/rows", row, t->n_column);
        csvw_put(&t->csv, "\n", 1);
    }
    if (!t->csv.broken && row == 0)
        fault_add(t->faults, "too_short", "/data/rows", "must have at least one row");
}

// Cells of the first row; `none` when it is no row at all.
static size_t first_width(struct json_span rows, size_t none)
{
    struct json_in in = json_in(rows);
    if (json_kind(&in) != JSON_ARRAY)
        return none;
    json_enter(&in);
    if (!json_more(&in) || json_kind(&in) != JSON_ARRAY)
        return none;
    return json_count((struct json_span){in.at, 0});
}

static void inline_put_name(struct table_in *t, const char *prefix, size_t i, const char *end)
{
    char name[24];
    csvw_put(&t->csv, name, (size_t)snprintf(name, sizeof name, "%s%zu%s", prefix, i, end));
}

static void put_xy_header(struct table_in *t, size_t n_y)
{
    for (size_t i = 0; i < t->n_column; i++)
        inline_put_name(t, "x", i, ",");
    if (n_y < 2)
        csvw_put(&t->csv, "y", 1);
    for (size_t i = 0; n_y > 1 && i < n_y; i++)
        inline_put_name(t, "y", i, i + 1 < n_y ? "," : "");
    csvw_put(&t->csv, "\n", 1);
}

static bool xy_fit(struct table_in *t, const struct form *form)
{
    size_t n_x = json_count(form->x), n_y = json_count(form->y);
    if (n_x != n_y)
        fault_add(t->faults, "ragged_row", "/data/y",
                  "must have as many values as x has rows, "
                  "%zu, got %zu",
                  n_x, n_y);
    else if (n_x == 0)
        fault_add(t->faults, "too_short", "/data/x", "must have at least one row");
    return n_x == n_y && n_x > 0;
}

// {"x": [[...]], "y": [...]}, or rows of y
static void put_xy(struct table_in *t, const struct form *form)
{
    if (form->columns.at || form->rows.at) {
        fault_add(t->faults, "conflicting_fields", "/data",
                  "must hold x and y, or columns and rows");
        return;
    }
    bool x_there = inline_is_array(t, form->x, "x"), y_there = inline_is_array(t, form->y, "y");
    if (!x_there || !y_there)
        return;
    struct json_in x = json_in(form->x), y = json_in(form->y);
    size_t n_y = first_width(form->y, 0);
    t->n_column = first_width(form->x, 1); // what is no row put_row() will say
    if (!xy_fit(t, form) || !columns_in_bounds(t, "/data/x/0"))
        return;
    put_xy_header(t, n_y);
    json_enter(&x);
    json_enter(&y);
    for (size_t row = 0; !t->csv.broken && json_more(&x) && json_more(&y); row++) {
        inline_put_row(t, &x, "/data/x", row, t->n_column);
        csvw_put(&t->csv, ",", 1);
        if (n_y)
            inline_put_row(t, &y, "/data/y", row, n_y);
        else
            put_cell(t, &y, "/data/y", row, SIZE_MAX);
        csvw_put(&t->csv, "\n", 1);
    }
}

static const struct field inline_fields[] = {
    {.key = "x", .of = FIELD_LIST, .doc = "Rows of features, named x0, x1, ...; needs y."},
    {.key = "y",
     .of = FIELD_LIST,
     .doc = "The target of every row, or an array of its targets, named y0, y1, ..."},
    {.key = "columns", .of = FIELD_LIST, .doc = "Names of the columns; needs rows."},
    {.key = "rows",
     .of = FIELD_LIST,
     .doc = "Rows of cells: numbers, strings, true, false, or null for a missing value."},
    {0},
};
const struct schema inline_schema = {
    .name = "InlineData",
    .doc = "A table: either x and y, or columns and rows.",
    .field = inline_fields,
};

static bool key_is(struct json_text key, const char *word)
{
    return key.at && key.len == strlen(word) && memcmp(key.at, word, key.len) == 0;
}

static void find_members(struct table_in *t, struct json_span data, struct form *form)
{
    struct json_span *const member[] = {&form->x, &form->y, &form->columns, &form->rows};
    struct json_in in = json_in(data);
    struct json_text key;
    for (json_enter(&in); json_key(&in, &key, t->arena);) {
        size_t i = 0;
        while (inline_fields[i].key && !key_is(key, inline_fields[i].key))
            i++;
        struct json_span value = json_skip(&in);
        if (inline_fields[i].key)
            *member[i] = value;
        else
            fault_add(t->faults, "unknown_field", "/data",
                      "must hold x and y, or columns and rows; unknown field \"%.*s\"",
                      (int)(key.len < 64 ? key.len : 64), key.at ? key.at : "");
    }
}

size_t inline_targets(struct json_span data)
{
    if (!data.at || *data.at != '{')
        return 0;
    struct arena none = {0};
    struct json_in in = json_in(data);
    struct json_text key;
    bool has_x = false;
    size_t n = 1;
    for (json_enter(&in); json_key(&in, &key, &none);) {
        bool is_y = key_is(key, "y");
        has_x = has_x || key_is(key, "x");
        struct json_span value = json_skip(&in);
        if (is_y)
            n = first_width(value, 1);
    }
    return has_x ? n ? n : 1 : 0;
}

const char *const *inline_target_names(size_t n, struct arena *a)
{
    const char **name = arena_alloc(a, n, sizeof *name);
    for (size_t i = 0; name && i < n; i++)
        if (!(name[i] = n == 1 ? "y" : arena_printf(a, "y%zu", i)))
            return NULL;
    return name;
}

bool inline_to_csv(struct json_span data, csvw_sink *sink, void *ctx, struct arena *a,
                   struct faults *f, struct err *e)
{
    struct table_in *t = arena_alloc(a, 1, sizeof *t);
    if (!t)
        return fail(e, ERR_TOO_LARGE, "the data does not fit into a request's memory");
    *t = (struct table_in){.csv = {.sink = sink, .ctx = ctx, .err = e}, .arena = a, .faults = f};
    struct form form = {0};
    size_t before = f->total;
    find_members(t, data, &form);
    if (form.x.at || form.y.at)
        put_xy(t, &form);
    else
        put_table(t, &form);
    return f->total == before ? csvw_flush(&t->csv) : !t->csv.broken && faults_none(f, e);
}
