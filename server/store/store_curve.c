// SPDX-License-Identifier: MIT
// A job's curve: see store.h.
//
// Rows of the curve carry the names of their values, so that runs by different versions of the
// program can share a job; the table takes its columns from the newest row. Rows lie on disk in the
// order (attempt, epoch). An older run's points count only up to where a later run began, so the
// curve is a list of spans, one a run, whose epochs ascend from one to the next.
//
// The spans are found from the newest run backwards, by two searches each, and then read from where
// the question begins until it has enough. Nothing else is visited, however long the curve is. All
// of it is one snapshot, since the writer adds points meanwhile.

#include "server/store/store_work.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

// Spans ------------------------------------------------------------------------------------------

// Epochs of one run that count and are asked for.
struct epoch_span {
    int64_t attempt, from, to;
    struct epoch_span *next;
};

struct walk {
    int64_t id, after, stride;
    size_t limit;
    struct epoch_span *first;
    int64_t attempt, newest; // of the newest point; 0: there is none
    size_t room;             // rows that may come
    const size_t *n;         // rows taken
    int64_t at;              // behind the last row seen
    sql_row_fn *take;        // of a row that is asked for; its first column is the epoch
    void *ctx;
};

static struct walk walk_begin(int64_t id, const struct curve_part *p)
{
    BUG(p->limit > STORE_CURVE || p->stride < 1 || p->stride > COLUMN_COUNT_MAX + 1);
    return (struct walk){.id = id,
                         .after = p->after < COLUMN_COUNT_MAX ? p->after : COLUMN_COUNT_MAX,
                         .stride = p->stride,
                         .limit = p->limit};
}

// The first epoch from `from` on that is asked for.
static int64_t wanted(const struct walk *w, int64_t from)
{
    int64_t rest = from % w->stride, up = rest ? from - rest + w->stride : from;
    return from <= w->newest && w->newest < up ? w->newest : up;
}

static bool curve_add_span(struct walk *w, int64_t attempt, int64_t from, int64_t to,
                           struct arena *a, struct err *e)
{
    if (from > to)
        return true;
    struct epoch_span *s = arena_alloc(a, 1, sizeof *s);
    if (!s)
        return sql_no_memory(e);
    *s = (struct epoch_span){attempt, from, to, w->first};
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

static bool find_spans(struct conn *c, struct walk *w, struct arena *a, struct err *e)
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
                            run[1] < end ? run[1] : end - 1, a, e))
            return false;
        end = first < end ? first : end;
    }
    return true;
}

static bool see(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct walk *w = ctx;
    if (!sql_column_sound(st, 0, &sql_column_int, NEEDED))
        return sql_column_refused(st, 0, e);
    int64_t epoch = sqlite3_column_int64(st, 0);
    if (epoch < w->at)
        return sql_disorder(e) >= 0;
    w->at = epoch + 1;
    return wanted(w, epoch) != epoch || w->take(st, w->ctx, e);
}

// Points that follow each other are read at once, others searched one by one. `text` asks for those
// of a job and an attempt from one epoch to another, at most so many.
static bool read_spans(struct conn *c, struct walk *w, const struct sql_text *text, struct err *e)
{
    for (const struct epoch_span *s = w->first; s && *w->n < w->room; s = s->next) {
        int64_t n = 1;
        for (w->at = wanted(w, s->from); n > 0 && w->at <= s->to && *w->n < w->room;
             w->at = wanted(w, w->at)) {
            size_t most = w->stride == 1 ? w->room - *w->n : 1;
            const struct sql_arg arg[] = {BIND_INT(w->id), BIND_INT(s->attempt), BIND_INT(w->at),
                                          BIND_INT(s->to), BIND_INT((int64_t)most)};
            n = sql_run(c, e, see, w, text, arg, sizeof arg / sizeof *arg);
        }
        if (n < 0)
            return false;
    }
    return true;
}

// The curve ------------------------------------------------------------------------------------

struct curve_query {
    struct walk walk;
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
static int curve_find_word(const char *names, const char *word, size_t len)
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
static void curve_spread(const char *names, const char *vals, const char *columns, double *to)
{
    for (;; vals += sizeof *to) {
        size_t n = strcspn(names, " ");
        int at = curve_find_word(columns, names, n);
        if (at >= 0)
            memcpy(&to[at], vals, sizeof *to);
        if (!names[n])
            return;
        names += n + 1;
    }
}

static bool take_values(struct sqlite3_stmt *st, struct metric_table *t, double *to, struct err *e)
{
    if (!sql_column_sound(st, 4, &sql_column_text, NEEDED))
        return sql_column_refused(st, 4, e);
    const char *names = (const char *)sqlite3_column_text(st, 4);
    const void *vals = sqlite3_column_blob(st, 5);
    size_t bytes = (size_t)sqlite3_column_bytes(st, 5);
    if (bytes != count_words(names) * sizeof *to || (bytes && !vals))
        return sql_column_refused(st, 5, e);
    if (bytes && strcmp(names, t->names) == 0) {
        memcpy(to, vals, bytes);
        return true;
    }
    for (size_t k = 0; k < t->n_name; k++)
        to[k] = NAN;
    if (bytes)
        curve_spread(names, vals, t->names, to);
    return true;
}

static bool take_point(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    struct metric_table *t = ctx;
    int64_t *const to[] = {t->epoch, t->attempt, t->step, t->at};
    for (int i = 0; i < 4; i++) {
        if (!sql_column_sound(st, i, &sql_column_int, NEEDED))
            return sql_column_refused(st, i, e);
        to[i][t->n_row] = sqlite3_column_int64(st, i);
    }
    return take_values(st, t, t->value + t->n_row++ * t->n_name, e);
}

static bool curve_make_room(struct metric_table *t, size_t rows, struct arena *a, struct err *e)
{
    int64_t **column[] = {&t->attempt, &t->epoch, &t->step, &t->at};
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        if (!(*column[i] = arena_alloc(a, rows, sizeof **column[i])))
            return sql_no_memory(e);
    t->value = arena_alloc(a, rows, t->n_name * sizeof *t->value);
    return t->value || sql_no_memory(e);
}

static bool curve(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    struct curve_query *w = arg;
    struct walk *walk = &w->walk;
    struct metric_table *t = w->out;
    struct text_out names = {"", w->a};
    if (!job_exists(c, walk->id, e) || !find_spans(c, walk, w->a, e) ||
        SQL(c, e, sql_take_text, &names,
            "SELECT names FROM job_metrics WHERE job_id = ? AND attempt = ? AND epoch = ?",
            BIND_INT(walk->id), BIND_INT(walk->attempt), BIND_INT(walk->newest)) < 0)
        return false;
    *t = (struct metric_table){.names = names.text, .n_name = count_words(names.text)};
    walk->n = &t->n_row;
    walk->take = take_point;
    walk->ctx = t;
    return curve_make_room(t, walk->room, w->a, e) &&
           read_spans(c, walk,
                      SQL_TEXT("SELECT epoch, attempt, step, at, names, vals FROM job_metrics "
                               "WHERE job_id = ? AND attempt = ? AND epoch BETWEEN ? AND ? "
                               "ORDER BY epoch LIMIT ?"),
                      e);
}

static bool curve_snapshot(struct store *s, struct conn *c, void *arg, struct err *e)
{
    return sql_snapshot(s, c, curve, arg, e);
}

bool store_job_metrics(struct store *s, int64_t id, const struct curve_part *part,
                       struct metric_table *out, struct arena *a, struct err *e)
{
    struct curve_query w = {walk_begin(id, part), out, a};
    return store_read(s, curve_snapshot, &w, e);
}

// The layers -----------------------------------------------------------------------------------

struct layers {
    struct walk walk;
    struct layer_table *out;
    struct arena *a;
};

// Points of a run with other layers (by another version of the program) are left out.
static bool take_layers(struct sqlite3_stmt *st, void *ctx, struct err *e)
{
    (void)e;
    struct layer_table *t = ctx;
    const void *vals = sqlite3_column_blob(st, 1);
    size_t bytes = (size_t)sqlite3_column_bytes(st, 1);
    if (!vals || bytes != t->n_value * sizeof *t->value)
        return true;
    t->epoch[t->n_row] = sqlite3_column_int64(st, 0);
    memcpy(t->value + t->n_row++ * t->n_value, vals, bytes);
    return true;
}

// The names of the newest point's layers, and how many bytes it has of them.
static bool newest_layers(struct conn *c, struct layers *w, int64_t *bytes, struct err *e)
{
    const struct walk *walk = &w->walk;
    struct text_out names = {"", w->a};
    if (SQL(c, e, sql_take_text, &names,
            "SELECT layers FROM job_metrics WHERE job_id = ? AND attempt = ? AND epoch = ? "
            "AND layers IS NOT NULL",
            BIND_INT(walk->id), BIND_INT(walk->attempt), BIND_INT(walk->newest)) < 0 ||
        SQL(c, e, sql_take_int, bytes,
            "SELECT length(layer_vals) FROM job_metrics WHERE job_id = ? AND attempt = ? "
            "AND epoch = ?",
            BIND_INT(walk->id), BIND_INT(walk->attempt), BIND_INT(walk->newest)) < 0)
        return false;
    *w->out = (struct layer_table){.names = names.text,
                                   .n_value = (size_t)*bytes / sizeof *w->out->value};
    return *bytes % (int64_t)sizeof *w->out->value == 0 || sql_disorder(e) >= 0;
}

static bool layers(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s;
    struct layers *w = arg;
    struct walk *walk = &w->walk;
    struct layer_table *t = w->out;
    int64_t bytes = 0;
    if (!job_exists(c, walk->id, e) || !find_spans(c, walk, w->a, e) ||
        !newest_layers(c, w, &bytes, e))
        return false;
    t->epoch = arena_alloc(w->a, walk->room, sizeof *t->epoch);
    t->value = arena_alloc(w->a, walk->room, t->n_value * sizeof *t->value);
    if (!t->epoch || !t->value)
        return sql_no_memory(e);
    walk->n = &t->n_row;
    walk->take = take_layers;
    walk->ctx = t;
    return bytes == 0 ||
           read_spans(c, walk,
                      SQL_TEXT("SELECT epoch, layer_vals FROM job_metrics WHERE job_id = ? "
                               "AND attempt = ? AND epoch BETWEEN ? AND ? ORDER BY epoch LIMIT ?"),
                      e);
}

static bool layers_snapshot(struct store *s, struct conn *c, void *arg, struct err *e)
{
    return sql_snapshot(s, c, layers, arg, e);
}

bool store_job_layers(struct store *s, int64_t id, const struct curve_part *part,
                      struct layer_table *out, struct arena *a, struct err *e)
{
    struct layers w = {walk_begin(id, part), out, a};
    return store_read(s, layers_snapshot, &w, e);
}
