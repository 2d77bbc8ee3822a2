// SPDX-License-Identifier: MIT
// What runs have found of the rows of their tables: see store.h.
//
// There may be a million rows, so they are neither JSON nor rows of the database: a block of
// thousands is one blob, written in a transaction of its own before the run ends, and a reader
// finds the blocks of its page by their numbers. Until its job has succeeded nobody sees them, so a
// run that ends in between leaves nothing that counts; its end takes them away.

#include "server/store/store_work.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

struct put_rows {
    const struct lease *lease;
    const struct row_table *rows;
    size_t first;
};

static bool put_rows(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct put_rows *w = arg;
    const struct row_table *t = w->rows;
    size_t left = t->n - w->first, n = left < STORE_BLOCK ? left : STORE_BLOCK;
    if (w->first == 0 && !series_declare(c, w->lease, SERIES_ROWS, &t->series, e))
        return false;
    int64_t done =
        SQL(c, e, NULL, NULL,
            "INSERT INTO job_rows (job_id, first, vals) SELECT id, ?, ? FROM jobs "
            "WHERE id = ? AND lease = ? "
            "ON CONFLICT (job_id, first) DO UPDATE SET vals = excluded.vals "
            "RETURNING job_id",
            BIND_INT((int64_t)w->first),
            BIND_BLOB(t->value + w->first * t->series.n, n * t->series.n * sizeof *t->value),
            BIND_INT(w->lease->job), BIND_BLOB(w->lease->key, sizeof w->lease->key));
    return done > 0 ||
           (done == 0 &&
            fail(e, ERR_CONFLICT, "lease lost: job %" PRId64 " has ended or belongs to another run",
                 w->lease->job));
}

bool store_job_put_rows(struct store *s, const struct lease *lease, const struct row_table *rows,
                        size_t first, struct err *e)
{
    BUG(first % STORE_BLOCK || first >= rows->n);
    struct put_rows w = {lease, rows, first};
    return store_write(s, put_rows, &w, e);
}

struct read_rows {
    int64_t id, after; // number of the first row wanted
    size_t limit;
    int64_t next; // number of the row after the last that was seen
    bool *more;
    struct series_table *out;
    struct arena *a;
};

static bool misfit_rows(const struct read_rows *w, int64_t first, struct err *e)
{
    return fail(e, ERR_INTERNAL,
                "the database is damaged, restore a backup: what is stored from row %" PRId64
                " of job %" PRId64 " on does not fit its %zu series",
                first, w->id, w->out->series.n);
}

// Columns: first, vals.
static bool take_block(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct read_rows *w = ctx;
    struct series_table *t = w->out;
    size_t width = t->series.n * sizeof *t->value;
    if (!sql_column_sound(st, 0, &sql_column_int, NEEDED))
        return sql_column_refused(st, 0, e);
    int64_t first = sqlite3_column_int64(st, 0);
    const char *vals = sqlite3_column_blob(st, 1);
    size_t bytes = (size_t)sqlite3_column_bytes(st, 1), n = width ? bytes / width : 0;
    if (sqlite3_column_type(st, 1) != SQLITE_BLOB || (bytes && !vals))
        return sql_column_refused(st, 1, e);
    if (n == 0 || n > STORE_BLOCK || bytes % width || first % STORE_BLOCK || first != w->next)
        return misfit_rows(w, first, e);
    w->next = first + (int64_t)n;
    for (size_t i = w->after > first ? (size_t)(w->after - first) : 0; i < n; i++) {
        *w->more = t->n_row == w->limit;
        if (*w->more)
            return true;
        t->step[t->n_row] = first + (int64_t)i;
        memcpy(t->value + t->n_row++ * t->series.n, vals + i * width, width);
    }
    return true;
}

static bool rows_make_room(const struct read_rows *w, struct err *e)
{
    struct series_table *t = w->out;
    t->step = arena_alloc(w->a, w->limit, sizeof *t->step);
    t->value = arena_alloc(w->a, w->limit, t->series.n * sizeof *t->value);
    return (t->step && t->value) || sql_no_memory(e);
}

static bool succeeded_in(struct conn *c, int64_t id, int64_t *attempt, struct err *e)
{
    int64_t n = SQL(c, e, sql_take_int, attempt,
                    "SELECT CASE state WHEN 'succeeded' THEN attempt ELSE -1 END FROM jobs "
                    "WHERE id = ?",
                    BIND_INT(id));
    if (n <= 0)
        return n == 0 && job_missing(id, e);
    return *attempt >= 0 || fail(e, ERR_CONFLICT, "job %" PRId64 " has not succeeded", id);
}

static bool read_rows(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    struct read_rows *w = arg;
    int64_t attempt;
    *w->out = (struct series_table){0};
    if (!succeeded_in(c, w->id, &attempt, e) ||
        !series_declared(c, w->id, attempt, SERIES_ROWS, &w->out->series, w->a, e) ||
        !rows_make_room(w, e))
        return false;
    w->next = w->after / STORE_BLOCK * STORE_BLOCK;
    return SQL(c, e, take_block, w,
               "SELECT first, vals FROM job_rows WHERE job_id = ? AND first >= ? "
               "ORDER BY first LIMIT ?",
               BIND_INT(w->id), BIND_INT(w->next),
               BIND_INT((int64_t)(w->limit / STORE_BLOCK) + 2)) >= 0;
}

static bool read_rows_snapshot(struct store *s, struct conn *c, void *arg, struct err *e)
{
    return sql_snapshot(s, c, read_rows, arg, e);
}

bool store_job_rows(struct store *s, int64_t id, int64_t after, size_t limit,
                    struct series_table *out, bool *more, struct arena *a, struct err *e)
{
    BUG(limit > STORE_CURVE);
    struct read_rows w = {.id = id,
                          .after = after < COLUMN_COUNT_MAX ? after : COLUMN_COUNT_MAX,
                          .limit = limit,
                          .more = more,
                          .out = out,
                          .a = a};
    *more = false;
    return store_read(s, read_rows_snapshot, &w, e);
}
