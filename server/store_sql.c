// SPDX-License-Identifier: MIT
// Connections and statements: see store_sql.h.
//
// Statements are prepared once for a connection and found again by the address of their text; a
// short linear search beats hashing at this size. sql_run() is the only place that steps one, so a
// statement is always reset and a reader never keeps a snapshot (which would stop the log from
// being reused).
//
// A read or write error under the writer ends the process: after a failed flush the kernel may have
// dropped the pages, and only a restart finds out what the disk holds.

#include "store_sql.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_MAX = 64 << 20 };

static const char common_settings[] = "PRAGMA foreign_keys = ON;"
                                      "PRAGMA trusted_schema = OFF;"
                                      "PRAGMA cell_size_check = ON;"
                                      "PRAGMA mmap_size = 0;";
static const char writer_settings[] = "PRAGMA journal_mode = WAL;"
                                      "PRAGMA synchronous = FULL;"
                                      "PRAGMA journal_size_limit = 67108864;"
                                      "PRAGMA wal_autocheckpoint = 1000;";

// What a result code of SQLite means to a caller; the rest is ERR_INTERNAL.
static const struct {
    int code;
    enum err_kind kind;
} code_kind[] = {
    {SQLITE_FULL, ERR_NO_SPACE},
    {SQLITE_BUSY, ERR_BUSY},
    {SQLITE_LOCKED, ERR_BUSY},
    {SQLITE_TOOBIG, ERR_TOO_LARGE},
    {SQLITE_CONSTRAINT_TRIGGER, ERR_CONFLICT},
    {SQLITE_CONSTRAINT_UNIQUE, ERR_CONFLICT},
};

static enum err_kind kind_of(int rc)
{
    for (size_t i = 0; i < sizeof code_kind / sizeof *code_kind; i++)
        if (rc == code_kind[i].code || (rc & 0xff) == code_kind[i].code)
            return code_kind[i].kind;
    return ERR_INTERNAL;
}

void conn_check(const struct conn *c, int code)
{
    int base = code & 0xff;
    if (!c->writer || (base != SQLITE_IOERR && base != SQLITE_CORRUPT && base != SQLITE_NOTADB))
        return;
    fprintf(stderr, "mlpd: the database cannot be trusted any more (%s, code %d), stopping\n",
            sqlite3_errmsg(c->db), code);
    abort();
}

static bool sql_fail(struct conn *c, int rc, struct err *e)
{
    conn_check(c, rc);
    return fail(e, kind_of(rc), "could not use the database: %s",
                c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc));
}

static bool run_settings(struct conn *c, const char *text, struct err *e)
{
    int rc = sqlite3_exec(c->db, text, NULL, NULL, NULL);
    return rc == SQLITE_OK || sql_fail(c, rc, e);
}

static bool set_up(struct conn *c, struct err *e)
{
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, CONN_BUSY_MS);
    sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, FIELD_MAX);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return run_settings(c, common_settings, e);
}

bool conn_open(struct conn *c, const char *path, bool writer, struct err *e)
{
    *c = (struct conn){0}; // not yet the writer: a file that is no database is an error, no abort
    int how = writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int rc = sqlite3_open_v2(path, &c->db, how | SQLITE_OPEN_NOMUTEX, NULL);
    bool ok = rc == SQLITE_OK ? set_up(c, e) && (!writer || run_settings(c, writer_settings, e))
                              : sql_fail(c, rc, e);
    if (!ok)
        conn_close(c);
    c->writer = writer;
    return ok;
}

void conn_close(struct conn *c)
{
    for (int i = 0; i < c->n_cached; i++)
        sqlite3_finalize(c->cache[i].st);
    int rc = sqlite3_close(c->db);
    BUG(rc != SQLITE_OK);
    *c = (struct conn){0};
}

static struct sqlite3_stmt *statement(struct conn *c, const char *text, struct err *e)
{
    for (int i = 0; i < c->n_cached; i++)
        if (c->cache[i].text == text)
            return c->cache[i].st;
    BUG(c->n_cached == CONN_STATEMENTS);
    struct sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v3(c->db, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    if (rc != SQLITE_OK) {
        sql_fail(c, rc, e);
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
            return sql_fail(c, rc, e);
    }
    return true;
}

int64_t sql_run(struct conn *c, struct err *e, sql_row_fn *fn, void *ctx, const char *text,
                const struct sql_arg *arg, size_t n_arg)
{
    struct sqlite3_stmt *st = statement(c, text, e);
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
        ok = sql_fail(c, rc, e);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return ok ? rows : -1;
}

bool sql_no_memory(struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "the answer does not fit into memory");
}

bool sql_take_int(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    (void)e;
    *(int64_t *)ctx = sqlite3_column_int64(st, 0);
    return true;
}

bool sql_take_text(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct text_out *out = ctx;
    return column_text(st, 0, &out->text, out->arena) || sql_no_memory(e);
}

bool column_int(struct sqlite3_stmt *st, int at, void *member, struct arena *a)
{
    (void)a;
    *(int64_t *)member = sqlite3_column_int64(st, at);
    return true;
}

bool column_real(struct sqlite3_stmt *st, int at, void *member, struct arena *a)
{
    (void)a;
    bool null = sqlite3_column_type(st, at) == SQLITE_NULL;
    *(double *)member = null ? NAN : sqlite3_column_double(st, at);
    return true;
}

bool column_text(struct sqlite3_stmt *st, int at, void *member, struct arena *a)
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

bool column_state(struct sqlite3_stmt *st, int at, void *member, struct arena *a)
{
    (void)a;
    enum job_state s = job_state_find((const char *)sqlite3_column_text(st, at));
    BUG(s == JOB_STATE_COUNT);
    *(enum job_state *)member = s;
    return true;
}

bool sql_take_rows(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct sql_rows *out = ctx;
    if (out->n++ >= out->max)
        return true;
    char *row = (char *)out->row + (out->n - 1) * out->size;
    for (size_t i = 0; i < out->n_column; i++)
        if (!out->column[i].take(st, (int)i, row + out->column[i].at, out->arena))
            return sql_no_memory(e);
    return true;
}

void sql_page(const struct sql_rows *rows, size_t *n, bool *more)
{
    *more = rows->n > rows->max;
    *n = *more ? rows->max : rows->n;
}

struct any {
    const char *text, *value;
    bool *any;
};

static bool any(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct any *w = arg;
    int64_t n = SQL(c, e, NULL, NULL, w->text, TEXT(w->value));
    *w->any = n > 0;
    return n >= 0;
}

bool sql_any(struct store *s, const char *text, const char *value, bool *found, struct err *e)
{
    struct any w = {text, value, found};
    return store_read(s, any, &w, e);
}

bool sql_no_version(const char *what, const char *name, int64_t version, struct err *e)
{
    if (version)
        return fail(e, ERR_NOT_FOUND, "no such %s: \"%s\" version %" PRId64, what, name, version);
    return fail(e, ERR_NOT_FOUND, "no such %s: \"%s\"", what, name);
}
