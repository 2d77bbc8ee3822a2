// SPDX-License-Identifier: MIT
// Series of a run and their points, written and declared: see series.h; store_curve.c reads points.
//
// A declaration is a row for each series, written with the first report of a run that has any
// points to follow. Points are bare values: names with every point were a quarter of what a curve
// took on the disk, and had to be compared again with every row that was read.
//
// A run by another version of the program may record other series for the same job, which is why a
// declaration belongs to a run and not to its job; a reader asks for those of the newest run and
// gets the values that older ones have of the same names.

#include "server/store/store_work.h"

#include <inttypes.h>
#include <stdio.h>

// Writing ----------------------------------------------------------------------------------------

// Again when an earlier report has come through whose answer has not.
bool series_declare(struct conn *c, const struct lease *lease, enum series_kind kind,
                    const struct series_list *l, struct err *e)
{
    for (size_t i = 0; i < l->n; i++)
        if (SQL(c, e, NULL, NULL,
                "INSERT INTO job_series (job_id, attempt, list, ordinal, scope, name, type) "
                "SELECT id, attempt, ?, ?, ?, ?, ? FROM jobs WHERE id = ? AND lease = ? "
                "ON CONFLICT (job_id, attempt, list, ordinal) DO UPDATE SET "
                "scope = excluded.scope, name = excluded.name, type = excluded.type",
                BIND_INT(kind), BIND_INT((int64_t)i), BIND_TEXT(l->item[i].scope),
                BIND_TEXT(l->item[i].name), BIND_TEXT(series_type_word(l->item[i].type)),
                BIND_INT(lease->job), BIND_BLOB(lease->key, sizeof lease->key)) < 0)
            return false;
    return true;
}

static bool declare_curve(struct conn *c, const struct lease *lease, const struct job_beat *b,
                          struct err *e)
{
    return !b->series || b->declared ||
           (series_declare(c, lease, SERIES_RUN, &b->series[SERIES_RUN], e) &&
            series_declare(c, lease, SERIES_PARTS, &b->series[SERIES_PARTS], e));
}

static struct sql_arg bind_values(const double *value, const struct series_list *l)
{
    return value ? BIND_BLOB(value, l->n * sizeof *value) : BIND_NULL;
}

static bool add_points(struct conn *c, const struct lease *lease, const struct job_beat *b,
                       struct err *e)
{
    for (size_t i = 0; i < b->n_row; i++)
        if (SQL(c, e, NULL, NULL,
                "INSERT INTO job_metrics (job_id, attempt, epoch, step, vals, parts) "
                "SELECT id, attempt, ?, ?, ?, ? FROM jobs WHERE id = ? AND lease = ? "
                "ON CONFLICT (job_id, attempt, epoch) DO UPDATE SET step = excluded.step, "
                "vals = excluded.vals, parts = excluded.parts",
                BIND_INT(b->row[i].epoch), BIND_INT(b->row[i].step),
                bind_values(b->row[i].run, &b->series[SERIES_RUN]),
                bind_values(b->row[i].parts, &b->series[SERIES_PARTS]), BIND_INT(lease->job),
                BIND_BLOB(lease->key, sizeof lease->key)) < 0)
            return false;
    return true;
}

static bool tell_gap(struct store *s, struct conn *c, const struct lease *lease,
                     const struct job_beat *b, struct err *e)
{
    char text[512];
    if (!b->gap_to)
        return true;
    snprintf(text, sizeof text, "epochs %" PRId64 " to %" PRId64 " were not stored: %s",
             b->gap_from, b->gap_to, b->gap_why);
    return SQL(c, e, NULL, NULL,
               "INSERT INTO job_events (job_id, at, level, type, message) "
               "VALUES (?, ?, 'warn', 'metrics', ?)",
               BIND_INT(lease->job), BIND_INT(store_now(s)), BIND_TEXT(text)) >= 0;
}

bool series_put(struct store *s, struct conn *c, const struct lease *lease,
                const struct job_beat *b, struct err *e)
{
    return declare_curve(c, lease, b, e) && add_points(c, lease, b, e) &&
           tell_gap(s, c, lease, b, e);
}

bool series_drop(struct conn *c, int64_t job, int64_t attempt, struct err *e)
{
    return SQL(c, e, NULL, NULL, "DELETE FROM job_metrics WHERE job_id = ? AND attempt >= ?",
               BIND_INT(job), BIND_INT(attempt)) >= 0 &&
           SQL(c, e, NULL, NULL, "DELETE FROM job_series WHERE job_id = ? AND attempt >= ?",
               BIND_INT(job), BIND_INT(attempt)) >= 0;
}

// Reading ----------------------------------------------------------------------------------------

struct stored_series {
    int64_t ordinal;
    const char *scope, *name, *type;
};

static const struct sql_column series_column[] = {COLUMN_ROW(stored_series, ordinal) COLUMN_ROW(
    stored_series, scope) COLUMN_ROW(stored_series, name) COLUMN_ROW(stored_series, type)};

// A list that grows as its rows come.
struct declaration {
    struct series *item;
    size_t n, room;
    struct arena *a;
};

static bool make_room(struct declaration *d, struct err *e)
{
    size_t room = d->room ? 2 * d->room : 16;
    if (d->n < d->room)
        return true;
    struct series *item = arena_alloc(d->a, room, sizeof *item);
    if (!item)
        return sql_no_memory(e);
    for (size_t i = 0; i < d->n; i++)
        item[i] = d->item[i];
    d->item = item;
    d->room = room;
    return true;
}

static bool take_series(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct declaration *d = ctx;
    struct stored_series s;
    struct sql_rows row = ROWS(series_column, &s, 1, d->a);
    if (!sql_take_rows(st, &row, e) || !make_room(d, e))
        return false;
    enum series_type type = series_type_find(s.type);
    if (s.ordinal != (int64_t)d->n)
        return sql_disorder(e) >= 0;
    if (type == SERIES_TYPES)
        return fail(e, ERR_INTERNAL,
                    "series \"%.64s\" is stored with the type \"%.32s\", which this version of "
                    "mlpd does not know",
                    s.name, s.type);
    d->item[d->n++] = (struct series){s.scope, s.name, type};
    return true;
}

bool series_declared(struct conn *c, int64_t job, int64_t attempt, enum series_kind kind,
                     struct series_list *out, struct arena *a, struct err *e)
{
    struct declaration d = {.a = a};
    int64_t n = SQL(c, e, take_series, &d,
                    "SELECT ordinal, scope, name, type FROM job_series "
                    "WHERE job_id = ? AND attempt = ? AND list = ? ORDER BY ordinal",
                    BIND_INT(job), BIND_INT(attempt), BIND_INT(kind));
    *out = (struct series_list){d.item, d.n};
    return n >= 0;
}
