// SPDX-License-Identifier: MIT
// A job's curve, read: see store.h; store_series.c writes it.
//
// Rows lie on disk in the order (attempt, epoch). An older run's points count only up to where a
// later run began, so the curve is a list of spans, one a run, whose epochs ascend from one to the
// next. The table has the series of the newest run; an older one that has declared others gives
// what it has of the same names.
//
// The spans are found from the newest run backwards, by two searches each, and then read from where
// the question begins until it has enough. Nothing else is visited, however long the curve is. All
// of it is one snapshot, since the writer adds points meanwhile.

#include "server/store/store_work.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>

// Spans ------------------------------------------------------------------------------------------

// Epochs of one run that count and are asked for.
struct epoch_span {
    int64_t attempt, from, to;
    struct epoch_span *next;
    size_t n;                // series that the run has declared
    const size_t *to_column; // [n] of the table; NULL: the same
};

struct walk {
    int64_t id, after, stride;
    size_t limit;
    enum series_kind kind;
    struct epoch_span *first;
    int64_t attempt, newest;       // of the newest point; 0: there is none
    size_t room;                   // rows that may come
    int64_t at;                    // behind the last row seen
    const struct epoch_span *span; // that is read
    struct series_table *out;
    struct arena *a;
};

// The first epoch from `from` on that is asked for.
static int64_t wanted(const struct walk *w, int64_t from)
{
    int64_t rest = from % w->stride, up = rest ? from - rest + w->stride : from;
    return from <= w->newest && w->newest < up ? w->newest : up;
}

static bool curve_add_span(struct walk *w, int64_t attempt, int64_t from, int64_t to, struct err *e)
{
    if (from > to)
        return true;
    struct epoch_span *s = arena_alloc(w->a, 1, sizeof *s);
    if (!s)
        return sql_no_memory(e);
    *s = (struct epoch_span){.attempt = attempt, .from = from, .to = to, .next = w->first};
    w->first = s;
    size_t rows = (size_t)(to / w->stride - (from - 1) / w->stride) + (to == w->newest);
    w->room = rows < w->limit - w->room ? w->room + rows : w->limit;
    return true;
}

static bool take_pair(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    int64_t *pair = ctx;
    for (int i = 0; i < 2; i++) {
        if (!sql_column_sound(st, i, &sql_column_int, NEEDED))
            return sql_column_refused(st, i, e);
        pair[i] = sqlite3_column_int64(st, i);
    }
    return true;
}

// The newest run before the attempt `run[0]`: its number and its last epoch. 0 when there is none.
static int64_t earlier_run(struct conn *c, const struct walk *w, int64_t run[2], struct err *e)
{
    int64_t before = run[0];
    int64_t n = SQL(c, e, take_pair, run,
                    "SELECT attempt, epoch FROM job_metrics WHERE job_id = ? AND attempt < ? "
                    "ORDER BY attempt DESC, epoch DESC LIMIT 1",
                    BIND_INT(w->id), BIND_INT(before));
    return n > 0 && run[0] >= before ? sql_disorder(e) : n;
}

static bool find_spans(struct conn *c, struct walk *w, struct err *e)
{
    int64_t run[2] = {INT64_MAX, 0}, first = 0, end = INT64_MAX, n;
    while (end > w->after + 1 && (n = earlier_run(c, w, run, e)) != 0) {
        if (n < 0 || SQL(c, e, sql_take_int, &first,
                         "SELECT epoch FROM job_metrics WHERE job_id = ? AND attempt = ? "
                         "ORDER BY epoch LIMIT 1",
                         BIND_INT(w->id), BIND_INT(run[0])) < 0)
            return false;
        if (!w->attempt) {
            w->attempt = run[0];
            w->newest = run[1];
        }
        if (!curve_add_span(w, run[0], first > w->after ? first : w->after + 1,
                            run[1] < end ? run[1] : end - 1, e))
            return false;
        end = first < end ? first : end;
    }
    return true;
}

// The columns ---------------------------------------------------------------------------------

// Where the values of a run go that has declared other series than the newest.
static bool map_columns(const struct walk *w, struct epoch_span *s, const struct series_list *mine,
                        struct err *e)
{
    const struct series_list *all = &w->out->series;
    size_t *to = arena_alloc(w->a, mine->n, sizeof *to);
    if (!to)
        return sql_no_memory(e);
    for (size_t i = 0; i < mine->n; i++)
        to[i] = series_find(all, mine->item[i].scope, mine->item[i].name);
    s->to_column = to;
    return true;
}

static bool find_columns(struct conn *c, struct walk *w, struct err *e)
{
    struct series_list mine;
    if (!series_declared(c, w->id, w->attempt, w->kind, &w->out->series, w->a, e))
        return false;
    for (struct epoch_span *s = w->first; s; s = s->next) {
        s->n = w->out->series.n;
        if (s->attempt == w->attempt)
            continue;
        if (!series_declared(c, w->id, s->attempt, w->kind, &mine, w->a, e))
            return false;
        s->n = mine.n;
        if (!series_same(&mine, &w->out->series) && !map_columns(w, s, &mine, e))
            return false;
    }
    return true;
}

static bool misfit(const struct walk *w, int64_t epoch, size_t bytes, struct err *e)
{
    return fail(e, ERR_INTERNAL,
                "the database is damaged, restore a backup: epoch %" PRId64 " of job %" PRId64
                " has %zu bytes of values where its run has declared %zu series",
                epoch, w->id, bytes, w->span->n);
}

static bool take_values(const struct walk *w, const char *vals, double *to)
{
    const struct epoch_span *s = w->span;
    size_t n = w->out->series.n;
    if (!s->to_column) {
        memcpy(to, vals, n * sizeof *to);
        return true;
    }
    for (size_t k = 0; k < n; k++)
        to[k] = NAN;
    for (size_t i = 0; i < s->n; i++)
        if (s->to_column[i] < n)
            memcpy(&to[s->to_column[i]], vals + i * sizeof *to, sizeof *to);
    return true;
}

// Reading --------------------------------------------------------------------------------------

enum { EPOCH, STEP, VALUES }; // columns of a point

static bool take_point(struct sqlite3_stmt *st, struct walk *w, struct err *e)
{
    struct series_table *t = w->out;
    if (w->kind == SERIES_PARTS && sqlite3_column_type(st, VALUES) == SQLITE_NULL)
        return true;
    if (!sql_column_sound(st, STEP, &sql_column_int, NEEDED))
        return sql_column_refused(st, STEP, e);
    const void *vals = sqlite3_column_blob(st, VALUES);
    size_t bytes = (size_t)sqlite3_column_bytes(st, VALUES);
    if (sqlite3_column_type(st, VALUES) != SQLITE_BLOB || (bytes && !vals))
        return sql_column_refused(st, VALUES, e);
    t->epoch[t->n_row] = sqlite3_column_int64(st, EPOCH);
    t->step[t->n_row] = sqlite3_column_int64(st, STEP);
    t->attempt[t->n_row] = w->span->attempt;
    if (bytes != w->span->n * sizeof *t->value)
        return misfit(w, t->epoch[t->n_row], bytes, e);
    return take_values(w, vals, t->value + t->n_row++ * t->series.n);
}

static bool see(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct walk *w = ctx;
    if (!sql_column_sound(st, EPOCH, &sql_column_int, NEEDED))
        return sql_column_refused(st, EPOCH, e);
    int64_t epoch = sqlite3_column_int64(st, EPOCH);
    if (epoch < w->at)
        return sql_disorder(e) >= 0;
    w->at = epoch + 1;
    return wanted(w, epoch) != epoch || take_point(st, w, e);
}

// Points of a job and an attempt from one epoch to another, at most so many.
static const struct sql_text *points_of(enum series_kind kind)
{
    return kind == SERIES_RUN
               ? SQL_TEXT("SELECT epoch, step, vals FROM job_metrics "
                          "WHERE job_id = ? AND attempt = ? AND epoch BETWEEN ? AND ? "
                          "ORDER BY epoch LIMIT ?")
               : SQL_TEXT("SELECT epoch, step, parts FROM job_metrics "
                          "WHERE job_id = ? AND attempt = ? AND epoch BETWEEN ? AND ? "
                          "ORDER BY epoch LIMIT ?");
}

// Points that follow each other are read at once, others searched one by one.
static bool read_spans(struct conn *c, struct walk *w, struct err *e)
{
    const size_t *rows = &w->out->n_row;
    for (w->span = w->first; w->span && *rows < w->room; w->span = w->span->next) {
        const struct epoch_span *s = w->span;
        int64_t n = 1;
        for (w->at = wanted(w, s->from); n > 0 && w->at <= s->to && *rows < w->room;
             w->at = wanted(w, w->at)) {
            size_t most = w->stride == 1 ? w->room - *rows : 1;
            const struct sql_arg arg[] = {BIND_INT(w->id), BIND_INT(s->attempt), BIND_INT(w->at),
                                          BIND_INT(s->to), BIND_INT((int64_t)most)};
            n = sql_run(c, e, see, w, points_of(w->kind), arg, sizeof arg / sizeof *arg);
        }
        if (n < 0)
            return false;
    }
    return true;
}

static bool curve_make_room(const struct walk *w, struct err *e)
{
    struct series_table *t = w->out;
    int64_t **column[] = {&t->attempt, &t->epoch, &t->step};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        if (!(*column[i] = arena_alloc(w->a, w->room, sizeof **column[i])))
            return sql_no_memory(e);
    t->value = arena_alloc(w->a, w->room, t->series.n * sizeof *t->value);
    return t->value || sql_no_memory(e);
}

static bool curve(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    struct walk *w = arg;
    *w->out = (struct series_table){0};
    return job_exists(c, w->id, e) && find_spans(c, w, e) && find_columns(c, w, e) &&
           curve_make_room(w, e) && read_spans(c, w, e);
}

static bool curve_snapshot(struct store *s, struct conn *c, void *arg, struct err *e)
{
    return sql_snapshot(s, c, curve, arg, e);
}

bool store_job_series(struct store *s, int64_t id, const struct curve_part *p,
                      struct series_table *out, struct arena *a, struct err *e)
{
    BUG(p->limit > STORE_CURVE || p->stride < 1 || p->stride > COLUMN_COUNT_MAX + 1);
    struct walk w = {.id = id,
                     .after = p->after < COLUMN_COUNT_MAX ? p->after : COLUMN_COUNT_MAX,
                     .stride = p->stride,
                     .limit = p->limit,
                     .kind = p->kind,
                     .out = out,
                     .a = a};
    return store_read(s, curve_snapshot, &w, e);
}
