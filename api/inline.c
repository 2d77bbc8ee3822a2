// SPDX-License-Identifier: MIT
// Inline tables as CSV: see inline.h. One pass with the pull reader and a small buffer; rows are
// never held. Cells of strings are quoted whenever CSV might read them otherwise; numbers go over
// as they were written.

#include "inline.h"

#include "json_in.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16384, BUFFER = 16 << 10 };

struct csv {
    inline_sink *sink;
    void *ctx;
    struct arena *arena;
    struct faults *faults;
    struct err *err;
    bool broken; // the sink or the arena refused
    size_t n_column;
    bool lone; // rows have a single cell
    size_t len;
    char text[BUFFER];
};

// The members of the object, wherever they are in it.
struct form {
    struct json_span x, y, columns, rows;
};

static bool flush(struct csv *c)
{
    if (!c->broken && c->len && !c->sink(c->ctx, c->text, c->len, c->err))
        c->broken = true;
    c->len = 0;
    return !c->broken;
}

static void put(struct csv *c, const char *s, size_t len)
{
    while (len > BUFFER - c->len) {
        size_t part = BUFFER - c->len;
        memcpy(c->text + c->len, s, part);
        c->len = BUFFER;
        flush(c);
        s += part;
        len -= part;
    }
    memcpy(c->text + c->len, s, len);
    c->len += len;
}

static bool needs_quotes(const char *s, size_t len)
{
    if (len == 0 || *s == ' ' || s[len - 1] == ' ')
        return true;
    for (size_t i = 0; i < len; i++)
        if (strchr(",;\t|\"\r\n", s[i]))
            return true;
    return false;
}

static void put_string(struct csv *c, const char *s, size_t len)
{
    if (!needs_quotes(s, len)) {
        put(c, s, len);
        return;
    }
    put(c, "\"", 1);
    for (const char *quote; (quote = memchr(s, '"', len));) {
        size_t part = (size_t)(quote - s) + 1;
        put(c, s, part);
        put(c, "\"", 1);
        s += part;
        len -= part;
    }
    put(c, s, len);
    put(c, "\"", 1);
}

static void read_string(struct csv *c, struct json_in *in)
{
    struct arena_mark mark = arena_mark(c->arena);
    struct json_text text;
    if (json_string(in, &text, c->arena)) {
        put_string(c, text.at, text.len);
    } else {
        c->broken = true;
        fail(c->err, ERR_TOO_LARGE, "a string of the data is too long");
    }
    arena_rewind(c->arena, mark);
}

// An empty cell that is alone in its row would be a blank line, hence the quotes.
static void put_gap(struct csv *c)
{
    if (c->lone)
        put(c, "\"\"", 2);
}

static void put_cell(struct csv *c, struct json_in *in, const char *at, size_t row, size_t column)
{
    enum json_kind kind = json_kind(in);
    char place[96];
    struct json_span raw;
    if (kind == JSON_STRING) {
        read_string(c, in);
        return;
    }
    raw = json_skip(in);
    if (kind == JSON_NUMBER || kind == JSON_BOOL) {
        put(c, raw.at, raw.len);
    } else if (kind == JSON_NULL) {
        put_gap(c);
    } else {
        snprintf(place, sizeof place, column == SIZE_MAX ? "%s/%zu" : "%s/%zu/%zu", at, row,
                 column);
        fault_add(c->faults, "wrong_type", place,
                  "must be a number, a string, true, false or null, got %s", json_kind_name(kind));
    }
}

static void ragged(struct csv *c, const char *at, size_t row, size_t n)
{
    char place[64];
    snprintf(place, sizeof place, "%s/%zu", at, row);
    fault_add(c->faults, "ragged_row", place, "must have %zu cells, got %zu", c->n_column, n);
}

// The cells of one row, separated; `width` of them are expected.
static void put_row(struct csv *c, struct json_in *in, const char *at, size_t row, size_t width)
{
    enum json_kind kind = json_kind(in);
    char place[64];
    if (kind != JSON_ARRAY) {
        snprintf(place, sizeof place, "%s/%zu", at, row);
        fault_add(c->faults, "wrong_type", place, "must be an array of cells, got %s",
                  json_kind_name(kind));
        json_skip(in);
        return;
    }
    size_t n = 0;
    for (json_enter(in); json_more(in); n++) {
        if (n)
            put(c, ",", 1);
        put_cell(c, in, at, row, n);
    }
    if (n != width)
        ragged(c, at, row, n);
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

// A column's name: a string that the CSV reader cannot take for a value.
static void put_column(struct csv *c, struct json_in *in)
{
    struct json_text name = {0};
    struct json_in peek = *in;
    struct arena_mark mark = arena_mark(c->arena);
    char place[64];
    snprintf(place, sizeof place, "/data/columns/%zu", c->n_column);
    bool is_string = json_kind(in) == JSON_STRING;
    if (!is_string)
        fault_add(c->faults, "wrong_type", place, "must be a string, got %s",
                  json_kind_name(json_kind(in)));
    else if (json_string(&peek, &name, c->arena) && name.len == 0)
        fault_add(c->faults, "too_short", place, "must not be empty");
    else if (is_number(name.at, name.len))
        fault_add(c->faults, "bad_name", place, "must not be a number, got \"%.*s\"", (int)name.len,
                  name.at);
    arena_rewind(c->arena, mark);
    if (is_string)
        read_string(c, in);
    else
        json_skip(in);
}

static bool columns_in_bounds(struct csv *c, const char *at)
{
    if (c->n_column > COLUMNS_MAX)
        fault_add(c->faults, "too_long", at, "must have at most %d columns, got %zu", COLUMNS_MAX,
                  c->n_column);
    else if (c->n_column == 0)
        fault_add(c->faults, "too_short", at, "must have at least one column");
    return c->n_column > 0 && c->n_column <= COLUMNS_MAX;
}

static bool is_array(struct csv *c, struct json_span span, const char *key)
{
    char place[32];
    snprintf(place, sizeof place, "/data/%s", key);
    if (!span.at)
        fault_add(c->faults, "missing_field", place, "must be given");
    else if (*span.at != '[')
        fault_add(c->faults, "wrong_type", place, "must be an array");
    return span.at && *span.at == '[';
}

// {"columns": [...], "rows": [[...]]}
static void put_table(struct csv *c, const struct form *form)
{
    struct json_in in = json_in(form->columns);
    for (json_enter(&in); json_more(&in); c->n_column++) {
        if (c->n_column)
            put(c, ",", 1);
        put_column(c, &in);
    }
    put(c, "\n", 1);
    if (!columns_in_bounds(c, "/data/columns"))
        return;
    size_t row = 0;
    c->lone = c->n_column == 1;
    in = json_in(form->rows);
    for (json_enter(&in); !c->broken && json_more(&in); row++) {
        put_row(c, &in, "/data/rows", row, c->n_column);
        put(c, "\n", 1);
    }
    if (!c->broken && row == 0)
        fault_add(c->faults, "too_short", "/data/rows", "must have at least one row");
}

static size_t count(struct json_span array)
{
    struct json_in in = json_in(array);
    size_t n = 0;
    for (json_enter(&in); json_more(&in); n++)
        json_skip(&in);
    return n;
}

// Cells of the first row; 1 when it is no row at all, which put_row() will say.
static size_t first_width(struct json_span x)
{
    struct json_in in = json_in(x);
    json_enter(&in);
    if (!json_more(&in) || json_kind(&in) != JSON_ARRAY)
        return 1;
    return count((struct json_span){in.at, 0});
}

static void put_xy_header(struct csv *c)
{
    char name[24];
    for (size_t i = 0; i < c->n_column; i++)
        put(c, name, (size_t)snprintf(name, sizeof name, "x%zu,", i));
    put(c, "y\n", 2);
}

static bool xy_fit(struct csv *c, const struct form *form)
{
    size_t n_x = count(form->x), n_y = count(form->y);
    if (n_x != n_y)
        fault_add(c->faults, "ragged_row", "/data/y",
                  "must have as many values as x has rows, "
                  "%zu, got %zu",
                  n_x, n_y);
    else if (n_x == 0)
        fault_add(c->faults, "too_short", "/data/x", "must have at least one row");
    return n_x == n_y && n_x > 0;
}

// {"x": [[...]], "y": [...]}
static void put_xy(struct csv *c, const struct form *form)
{
    struct json_in x = json_in(form->x), y = json_in(form->y);
    c->n_column = first_width(form->x);
    if (!xy_fit(c, form) || !columns_in_bounds(c, "/data/x/0"))
        return;
    put_xy_header(c);
    json_enter(&x);
    json_enter(&y);
    for (size_t row = 0; !c->broken && json_more(&x) && json_more(&y); row++) {
        put_row(c, &x, "/data/x", row, c->n_column);
        put(c, ",", 1);
        put_cell(c, &y, "/data/y", row, SIZE_MAX);
        put(c, "\n", 1);
    }
}

static const struct field inline_fields[] = {
    {.key = "x", .of = FIELD_LIST, .doc = "Rows of features, named x0, x1, ...; needs y."},
    {.key = "y", .of = FIELD_LIST, .doc = "The target of every row."},
    {.key = "columns", .of = FIELD_LIST, .doc = "Names of the columns; needs rows."},
    {.key = "rows",
     .of = FIELD_LIST,
     .doc = "Rows of cells: numbers, strings, true, false, or null for a gap."},
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

static void find_members(struct csv *c, struct json_span data, struct form *form)
{
    struct json_span *const member[] = {&form->x, &form->y, &form->columns, &form->rows};
    struct json_in in = json_in(data);
    struct json_text key;
    for (json_enter(&in); json_key(&in, &key, c->arena);) {
        size_t i = 0;
        while (inline_fields[i].key && !key_is(key, inline_fields[i].key))
            i++;
        struct json_span value = json_skip(&in);
        if (inline_fields[i].key)
            *member[i] = value;
        else
            fault_add(c->faults, "unknown_field", "/data",
                      "must hold x and y, or columns and rows; unknown field \"%.*s\"",
                      (int)(key.len < 64 ? key.len : 64), key.at ? key.at : "");
    }
}

const char *inline_target(struct json_span data)
{
    if (!data.at || *data.at != '{')
        return NULL;
    struct arena none = {0};
    struct json_in in = json_in(data);
    struct json_text key;
    for (json_enter(&in); json_key(&in, &key, &none); json_skip(&in))
        if (key_is(key, "x"))
            return "y";
    return NULL;
}

bool inline_to_csv(struct json_span data, inline_sink *sink, void *ctx, struct arena *a,
                   struct faults *f, struct err *e)
{
    struct csv *c = arena_alloc(a, 1, sizeof *c);
    if (!c)
        return fail(e, ERR_TOO_LARGE, "the data does not fit into a request's memory");
    *c = (struct csv){.sink = sink, .ctx = ctx, .arena = a, .faults = f, .err = e};
    struct form form = {0};
    size_t before = f->total;
    find_members(c, data, &form);
    bool xy = form.x.at || form.y.at;
    if (xy && (form.columns.at || form.rows.at))
        fault_add(f, "conflicting_fields", "/data", "must hold x and y, or columns and rows");
    else if (xy ? is_array(c, form.x, "x") & is_array(c, form.y, "y")
                : is_array(c, form.columns, "columns") & is_array(c, form.rows, "rows"))
        (xy ? put_xy : put_table)(c, &form);
    return f->total == before ? flush(c) : !c->broken && faults_none(f, e);
}
