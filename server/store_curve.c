// SPDX-License-Identifier: MIT
// A job's curve and its log, read page by page: see store.h.
//
// Rows of the curve carry the names of their values, so that runs by different versions of the
// program can share a job; the table takes its columns from the newest row. Rows lie on disk in the
// order (attempt, epoch). An older run's points count only up to where a later run began, which
// leaves the epochs ascending without a sort.

#include "store_sql.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

static bool job_exists(struct conn *c, int64_t id, struct err *e)
{
    int64_t n = SQL(c, e, NULL, NULL, "SELECT 1 FROM jobs WHERE id = ?", INT(id));
    return n > 0 || (n == 0 && job_missing(id, e));
}

// The curve ------------------------------------------------------------------------------------

struct curve {
    int64_t id, after;
    size_t limit;
    struct metric_table *out;
    struct arena *a;
};

static size_t count_words(const char *names)
{
    size_t n = *names != '\0';
    for (; *names; names++)
        n += *names == ' ';
    return n;
}

// Where the word of length `len` stands among `names`; -1 when it does not.
static int find_word(const char *names, const char *word, size_t len)
{
    for (int at = 0;; at++) {
        size_t n = strcspn(names, " ");
        if (n == len && memcmp(names, word, len) == 0)
            return at;
        if (!names[n])
            return -1;
        names += n + 1;
    }
}

// Put values under the names of an older row into the columns of the table.
static void spread(const char *names, const char *vals, const char *columns, double *to)
{
    for (;; vals += sizeof *to) {
        size_t n = strcspn(names, " ");
        int at = find_word(columns, names, n);
        if (at >= 0)
            memcpy(&to[at], vals, sizeof *to);
        if (!names[n])
            return;
        names += n + 1;
    }
}

static bool take_point(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    (void)e;
    struct metric_table *t = ctx;
    size_t i = t->n_row++;
    t->attempt[i] = sqlite3_column_int64(st, 0);
    t->epoch[i] = sqlite3_column_int64(st, 1);
    t->step[i] = sqlite3_column_int64(st, 2);
    t->at[i] = sqlite3_column_int64(st, 3);
    const char *names = (const char *)sqlite3_column_text(st, 4);
    const void *vals = sqlite3_column_blob(st, 5);
    size_t bytes = (size_t)sqlite3_column_bytes(st, 5);
    double *to = t->value + i * t->n_name;
    BUG(bytes != count_words(names) * sizeof *to);
    if (strcmp(names, t->names) == 0) {
        memcpy(to, vals, bytes);
        return true;
    }
    for (size_t k = 0; k < t->n_name; k++)
        to[k] = NAN;
    spread(names, vals, t->names, to);
    return true;
}

static bool make_room(struct metric_table *t, size_t rows, struct arena *a, struct err *e)
{
    int64_t **column[] = {&t->attempt, &t->epoch, &t->step, &t->at};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        if (!(*column[i] = arena_alloc(a, rows, sizeof **column[i])))
            return sql_no_memory(e);
    t->value = arena_alloc(a, rows, t->n_name * sizeof *t->value);
    return t->value || sql_no_memory(e);
}

// The first epoch of each run, then the points that no later run has begun before.
#define VISIBLE                                                                                    \
    "WITH run (attempt, first) AS (SELECT attempt, min(epoch) FROM job_metrics "                   \
    "WHERE job_id = ?1 GROUP BY attempt) "
#define FROM_VISIBLE                                                                               \
    " FROM job_metrics m WHERE job_id = ?1 AND epoch > ?2 AND NOT EXISTS (SELECT 1 FROM run "      \
    "WHERE run.attempt > m.attempt AND run.first <= m.epoch) "

static bool curve(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct curve *w = arg;
    struct metric_table *t = w->out;
    struct text_out names = {"", w->a};
    int64_t rows = 0;
    if (!job_exists(c, w->id, e) ||
        SQL(c, e, sql_take_int, &rows, VISIBLE "SELECT count(*)" FROM_VISIBLE, INT(w->id),
            INT(w->after)) < 0 ||
        SQL(c, e, sql_take_text, &names,
            "SELECT names FROM job_metrics WHERE job_id = ? ORDER BY attempt DESC, epoch DESC "
            "LIMIT 1",
            INT(w->id)) < 0)
        return false;
    if (rows > (int64_t)w->limit)
        rows = (int64_t)w->limit;
    *t = (struct metric_table){.names = names.text, .n_name = count_words(names.text)};
    return make_room(t, (size_t)rows, w->a, e) &&
           SQL(c, e, take_point, t,
               VISIBLE "SELECT attempt, epoch, step, at, names, vals" FROM_VISIBLE
                       "ORDER BY attempt, epoch LIMIT ?3",
               INT(w->id), INT(w->after), INT(rows)) >= 0;
}

bool store_job_metrics(struct store *s, int64_t id, int64_t after, size_t limit,
                       struct metric_table *out, struct arena *a, struct err *e)
{
    BUG(limit > STORE_CURVE);
    struct curve w = {id, after, limit, out, a};
    return store_read(s, curve, &w, e);
}

// The layers -----------------------------------------------------------------------------------

struct layers {
    int64_t id, after, stride;
    size_t limit;
    struct layer_table *out;
    struct arena *a;
};

// Points of a run with other layers (by another version of the program) are left out.
static bool take_layers(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    (void)e;
    struct layer_table *t = ctx;
    size_t bytes = (size_t)sqlite3_column_bytes(st, 1);
    if (bytes != t->n_value * sizeof *t->value)
        return true;
    t->epoch[t->n_row] = sqlite3_column_int64(st, 0);
    memcpy(t->value + t->n_row++ * t->n_value, sqlite3_column_blob(st, 1), bytes);
    return true;
}

static bool layers(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct layers *w = arg;
    struct layer_table *t = w->out;
    struct text_out names = {"", w->a};
    int64_t bytes = 0;
    if (!job_exists(c, w->id, e) ||
        SQL(c, e, sql_take_text, &names,
            "SELECT layers FROM job_metrics WHERE job_id = ? AND layers IS NOT NULL "
            "ORDER BY attempt DESC, epoch DESC LIMIT 1",
            INT(w->id)) < 0 ||
        SQL(c, e, sql_take_int, &bytes,
            "SELECT length(layer_vals) FROM job_metrics WHERE job_id = ? AND layers IS NOT NULL "
            "ORDER BY attempt DESC, epoch DESC LIMIT 1",
            INT(w->id)) < 0)
        return false;
    *t = (struct layer_table){.names = names.text, .n_value = (size_t)bytes / sizeof *t->value};
    t->epoch = arena_alloc(w->a, w->limit, sizeof *t->epoch);
    t->value = arena_alloc(w->a, w->limit, t->n_value * sizeof *t->value);
    if (!t->epoch || !t->value)
        return sql_no_memory(e);
    return SQL(c, e, take_layers, t,
               VISIBLE "SELECT epoch, layer_vals" FROM_VISIBLE
                       "AND layers IS NOT NULL AND (epoch % ?3 = 0 OR epoch = (SELECT max(epoch) "
                       "FROM job_metrics WHERE job_id = ?1)) ORDER BY attempt, epoch LIMIT ?4",
               INT(w->id), INT(w->after), INT(w->stride), INT((int64_t)w->limit)) >= 0;
}

bool store_job_layers(struct store *s, int64_t id, int64_t after, int64_t stride, size_t limit,
                      struct layer_table *out, struct arena *a, struct err *e)
{
    BUG(limit > STORE_CURVE || stride < 1);
    struct layers w = {id, after, stride, limit, out, a};
    return store_read(s, layers, &w, e);
}

// The log --------------------------------------------------------------------------------------

#define EVENT_COLUMNS(X)                                                                           \
    X(id, "id")                                                                                    \
    X(job, "job_id")                                                                               \
    X(at, "at")                                                                                    \
    X(level, "level")                                                                              \
    X(type, "type")                                                                                \
    X(message, "message")

#define X(member, sql) COLUMN_ROW(event_row, member)
static const struct column event_column[] = {EVENT_COLUMNS(X)};
#undef X

struct events {
    int64_t id, after;
    size_t limit;
    struct event_list *out;
    struct arena *a;
};

static bool events(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    const struct events *w = arg;
    struct sql_rows rows = ROWS(event_column, w->out->row, w->limit, w->a);
    if (!job_exists(c, w->id, e) ||
        SQL(c, e, sql_take_rows, &rows,
            "SELECT " EVENT_COLUMNS(COLUMN_SQL) "0 FROM job_events WHERE job_id = ? AND id > ? "
                                                "ORDER BY id LIMIT ?",
            INT(w->id), INT(w->after), INT((int64_t)w->limit + 1)) < 0)
        return false;
    sql_page(&rows, &w->out->n, &w->out->more);
    return true;
}

bool store_job_events(struct store *s, int64_t id, int64_t after, size_t limit,
                      struct event_list *out, struct arena *a, struct err *e)
{
    BUG(limit > STORE_PAGE);
    out->row = arena_alloc(a, limit, sizeof *out->row);
    struct events w = {id, after, limit, out, a};
    return out->row ? store_read(s, events, &w, e) : sql_no_memory(e);
}
