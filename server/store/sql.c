// SPDX-License-Identifier: MIT
// Statements and rows: see sql.h.
//
// Statements are prepared once for a connection and found again by the address of their text; a
// short linear search beats hashing at this size. sql_run() is the only place that steps one, so a
// statement is always reset and a reader never keeps a snapshot (which would stop the log from
// being reused).
//
// Constraints keep what is written in order, but a file that was damaged later holds anything: NULL
// where there can be none, texts for numbers. So whatever is read is looked at first.

#include "server/store/sql.h"

#include "engine/base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>

static struct sqlite3_stmt *statement(struct conn *c, const struct sql_text *text, struct err *e)
{
    for (int i = 0; i < c->n_cached; i++)
        if (c->cache[i].text == text)
            return c->cache[i].st;
    BUG(c->n_cached == CONN_STATEMENTS);
    struct sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v3(c->db, text->text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    if (rc != SQLITE_OK) {
        conn_fail(c, rc, e);
        return NULL;
    }
    c->cache[c->n_cached].text = text;
    c->cache[c->n_cached++].st = st;
    return st;
}

static int bind_one(struct sqlite3_stmt *st, int at, const struct sql_arg *v)
{
    switch (v->type) {
    case ARG_INT:
        return sqlite3_bind_int64(st, at, v->i);
    case ARG_REAL:
        return sqlite3_bind_double(st, at, v->d);
    case ARG_TEXT:
        return sqlite3_bind_text(st, at, v->p, -1, SQLITE_STATIC);
    case ARG_BLOB:
        return sqlite3_bind_blob64(st, at, v->p, v->len, SQLITE_STATIC);
    case ARG_NULL:
        break;
    }
    return sqlite3_bind_null(st, at);
}

static bool bind(struct conn *c, struct sqlite3_stmt *st, const struct sql_arg *arg, size_t n,
                 struct err *e)
{
    BUG((size_t)sqlite3_bind_parameter_count(st) != n);
    for (size_t i = 0; i < n; i++) {
        int rc = bind_one(st, (int)i + 1, &arg[i]);
        if (rc != SQLITE_OK)
            return conn_fail(c, rc, e);
    }
    return true;
}

int64_t sql_run(struct conn *c, struct err *e, sql_row_fn *fn, void *ctx,
                const struct sql_text *text, const struct sql_arg *arg, size_t n_arg)
{
    struct sqlite3_stmt *st = conn_awaited(c, e) ? statement(c, text, e) : NULL;
    if (!st)
        return -1;
    bool ok = bind(c, st, arg, n_arg, e);
    int64_t rows = 0;
    int rc = SQLITE_DONE;
    while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        rows++;
        ok = !fn || fn(st, ctx, e);
    }
    if (ok && rc != SQLITE_DONE)
        ok = conn_fail(c, rc, e);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return ok ? rows : -1;
}

// Columns ----------------------------------------------------------------------------------------

static bool sound_int(struct sqlite3_stmt *st, int at, enum column_rule rule)
{
    int64_t v = sqlite3_column_int64(st, at);
    return rule == SIGNED || (v >= 0 && v <= COLUMN_COUNT_MAX);
}

static bool take_int(struct sqlite3_stmt *st, int at, void *member, struct arena *a)
{
    (void)a;
    *(int64_t *)member = sqlite3_column_int64(st, at);
    return true;
}

static bool sound_real(struct sqlite3_stmt *st, int at, enum column_rule rule)
{
    (void)st, (void)at, (void)rule;
    return true;
}

static bool take_real(struct sqlite3_stmt *st, int at, void *member, struct arena *a)
{
    (void)a;
    bool null = sqlite3_column_type(st, at) == SQLITE_NULL;
    *(double *)member = null ? NAN : sqlite3_column_double(st, at);
    return true;
}

static bool sound_text(struct sqlite3_stmt *st, int at, enum column_rule rule)
{
    const char *text = (const char *)sqlite3_column_text(st, at);
    size_t len = (size_t)sqlite3_column_bytes(st, at);
    return text && strlen(text) == len && utf8_valid(text, len) &&
           (rule != DIGEST || (len == 64 && strspn(text, "0123456789abcdef") == 64));
}

static bool put_text_member(struct sqlite3_stmt *st, int at, void *member, struct arena *a)
{
    const char **out = member;
    *out = NULL;
    const void *text = sqlite3_column_text(st, at);
    if (!text)
        return sqlite3_column_type(st, at) == SQLITE_NULL;
    size_t len = (size_t)sqlite3_column_bytes(st, at);
    char *copy = arena_alloc(a, len + 1, 1);
    if (copy)
        *out = memcpy(copy, text, len + 1);
    return copy != NULL;
}

static bool sound_state(struct sqlite3_stmt *st, int at, enum column_rule rule)
{
    const char *word = (const char *)sqlite3_column_text(st, at);
    (void)rule;
    return word && job_state_find(word) != JOB_STATE_COUNT;
}

static bool take_state(struct sqlite3_stmt *st, int at, void *member, struct arena *a)
{
    (void)a;
    *(enum job_state *)member = job_state_find((const char *)sqlite3_column_text(st, at));
    return true;
}

const struct sql_type sql_column_int = {SQLITE_INTEGER, sound_int, take_int},
                      sql_column_real = {SQLITE_FLOAT, sound_real, take_real},
                      sql_column_text = {SQLITE_TEXT, sound_text, put_text_member},
                      sql_column_state = {SQLITE_TEXT, sound_state, take_state};

bool sql_column_sound(struct sqlite3_stmt *st, int at, const struct sql_type *type,
                      enum column_rule rule)
{
    int stored = sqlite3_column_type(st, at);
    if (stored == SQLITE_NULL)
        return rule == OPTIONAL;
    return stored == type->stored && type->sound(st, at, rule);
}

bool sql_column_refused(struct sqlite3_stmt *st, int at, struct err *e)
{
    if (sqlite3_errcode(sqlite3_db_handle(st)) == SQLITE_NOMEM)
        return fail(e, ERR_BUSY, "no memory is left to read from the database, try again");
    return fail(e, ERR_INTERNAL,
                "the database is damaged, restore a backup: a stored \"%.32s\" is wrong",
                sqlite3_column_name(st, at));
}

int64_t sql_disorder(struct err *e)
{
    fail(e, ERR_INTERNAL, "the database is damaged, restore a backup: its rows are in disorder");
    return -1;
}

bool sql_no_memory(struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "the answer does not fit into memory");
}

// Row takers -------------------------------------------------------------------------------------

bool sql_take_int(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    bool null = sqlite3_column_type(st, 0) == SQLITE_NULL;
    if (!null && !sql_column_sound(st, 0, &sql_column_int, SIGNED))
        return sql_column_refused(st, 0, e);
    return take_int(st, 0, ctx, NULL);
}

bool sql_take_text(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct text_out *out = ctx;
    if (!sql_column_sound(st, 0, &sql_column_text, NEEDED))
        return sql_column_refused(st, 0, e);
    return put_text_member(st, 0, &out->text, out->arena) || sql_no_memory(e);
}

static bool take_column(struct sqlite3_stmt *st, int at, const struct sql_column *c, char *row,
                        struct arena *a, struct err *e)
{
    if (!sql_column_sound(st, at, c->type, c->rule))
        return sql_column_refused(st, at, e);
    return c->type->take(st, at, row + c->at, a) || sql_no_memory(e);
}

bool sql_take_rows(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct sql_rows *out = ctx;
    if (out->n++ >= out->max)
        return true;
    char *row = (char *)out->row + (out->n - 1) * out->size;
    for (size_t i = 0; i < out->n_column; i++)
        if (!take_column(st, (int)i, &out->column[i], row, out->arena, e))
            return false;
    return true;
}

void sql_page(const struct sql_rows *rows, size_t *n, bool *more)
{
    *more = rows->n > rows->max;
    *n = *more ? rows->max : rows->n;
}
