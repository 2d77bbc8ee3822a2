// SPDX-License-Identifier: MIT
// Jobs as their owners see them: see store.h; store_run.c has the workers' side. The fate of each
// statement is decided by its WHERE. One that finds no row has changed nothing, and only then is it
// asked why.
//
// Every move is logged in the same transaction, so the log never tells of what did not happen.

#include "server/store/notice.h"
#include "server/store/store_work.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

// Columns of a job wherever one is shown. ?1 is what the wall clock has gained on the steady one.
#define JOB_COLUMNS(X)                                                                             \
    X(id, "j.id")                                                                                  \
    X(state, "j.state")                                                                            \
    X(name, "j.name")                                                                              \
    X(dataset, "j.dataset", OPTIONAL)                                                              \
    X(digest, "j.digest", DIGEST)                                                                  \
    X(spec_version, "j.spec_version")                                                              \
    X(metadata, "j.metadata")                                                                      \
    X(priority, "j.priority", SIGNED)                                                              \
    X(attempt, "j.attempt")                                                                        \
    X(crashes, "j.crashes")                                                                        \
    X(deaths, "j.deaths")                                                                          \
    X(blame, "j.blame")                                                                            \
    X(furthest, "j.furthest")                                                                      \
    X(cancel_requested, "j.cancel_requested")                                                      \
    X(worker, "j.worker", OPTIONAL)                                                                \
    X(epoch, "j.epoch")                                                                            \
    X(epochs, "j.epochs")                                                                          \
    X(step, "j.step")                                                                              \
    X(steps, "j.steps")                                                                            \
    X(best_epoch, "j.best_epoch", OPTIONAL)                                                        \
    X(best_metric, "j.best_metric", OPTIONAL)                                                      \
    X(best_value, "j.best_value", OPTIONAL)                                                        \
    X(error_kind, "j.error_kind", OPTIONAL)                                                        \
    X(error_at, "j.error_at", OPTIONAL)                                                            \
    X(error_text, "j.error_text", OPTIONAL)                                                        \
    X(created_at, "j.created_at")                                                                  \
    X(queued_at, "j.queued_at")                                                                    \
    X(started_at, "j.started_at", OPTIONAL)                                                        \
    X(finished_at, "j.finished_at", OPTIONAL)                                                      \
    X(run_at, "CASE WHEN j.state = 'queued' AND j.run_at > 0 THEN j.run_at + ?1 ELSE 0 END")       \
    X(elapsed, "j.elapsed")                                                                        \
    X(model, "m.name", OPTIONAL)                                                                   \
    X(version, "m.version", OPTIONAL)

#define FROM_JOBS " FROM jobs j LEFT JOIN models m ON m.job_id = j.id "
#define X(member, sql, ...) COLUMN_ROW(job_row, member, __VA_ARGS__)
static const struct sql_column one_column[] = {JOB_COLUMNS(X) COLUMN_ROW(job_row, spec) COLUMN_ROW(
    job_row, result, OPTIONAL) COLUMN_ROW(job_row, position)};
static const struct sql_column listed_column[] = {JOB_COLUMNS(X)};
#undef X

static const char one_job[] = "SELECT " JOB_COLUMNS(
    COLUMN_SQL) "j.spec, j.result, CASE j.state WHEN 'queued' THEN ("
                "SELECT count(*) FROM jobs q INDEXED BY jobs_ready WHERE q.state = 'queued' AND "
                "q.priority > j.priority) "
                "+ (SELECT count(*) FROM jobs q INDEXED BY jobs_ready WHERE q.state = 'queued' AND "
                "q.priority = j.priority AND q.id <= j.id) ELSE 0 END" FROM_JOBS "WHERE j.id = ?2";
static const char jobs_of_any_state[] =
    "SELECT " JOB_COLUMNS(COLUMN_SQL) "0" FROM_JOBS "WHERE j.id < ?2 ORDER BY j.id DESC LIMIT ?3";
static const char jobs_of_state[] = "SELECT " JOB_COLUMNS(
    COLUMN_SQL) "0" FROM_JOBS "WHERE j.id < ?2 AND j.state = ?4 ORDER BY j.id DESC LIMIT ?3";

bool job_missing(int64_t id, struct err *e)
{
    return fail(e, ERR_NOT_FOUND, "no such job: %" PRId64, id);
}

static struct sql_arg clock_shift(const struct store *s)
{
    return BIND_INT(store_now(s) - store_steady_now(s));
}

bool job_exists(struct conn *c, int64_t id, struct err *e)
{
    int64_t n = SQL(c, e, NULL, NULL, "SELECT 1 FROM jobs WHERE id = ?", BIND_INT(id));
    return n > 0 || (n == 0 && job_missing(id, e));
}

bool job_load(struct store *s, struct conn *c, int64_t id, struct job_row *out, struct arena *a,
              struct err *e)
{
    struct sql_rows rows = ROWS(one_column, out, 1, a);
    int64_t n = SQL(c, e, sql_take_rows, &rows, one_job, clock_shift(s), BIND_INT(id));
    return n > 0 || (n == 0 && job_missing(id, e));
}

bool event_add(struct store *s, struct conn *c, struct err *e, int64_t job, const char *level,
               const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return SQL(c, e, NULL, NULL,
               "INSERT INTO job_events (job_id, at, level, type, message) "
               "VALUES (?, ?, ?, 'state', ?)",
               BIND_INT(job), BIND_INT(store_now(s)), BIND_TEXT(level), BIND_TEXT(text)) >= 0;
}

// Submitting and reading -----------------------------------------------------------------------

struct submit {
    const struct job_new *job;
    struct job_row *out;
    bool replayed;
    struct arena *a;
};

static bool insert_job(struct store *s, struct conn *c, const struct job_new *j, int64_t *id,
                       struct err *e)
{
    int64_t now = store_now(s);
    return SQL(c, e, sql_take_int, id,
               "INSERT INTO jobs (name, dataset, digest, spec, spec_version, metadata, priority, "
               "epochs, idem_key, idem_print, created_at, queued_at) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
               "ON CONFLICT (owner, idem_key) WHERE idem_key IS NOT NULL DO NOTHING RETURNING id",
               BIND_TEXT(j->name), BIND_TEXT(j->dataset), BIND_TEXT(j->digest), BIND_TEXT(j->spec),
               BIND_INT(j->spec_version), BIND_TEXT(j->metadata), BIND_INT(j->priority),
               BIND_INT(j->epochs), BIND_TEXT(j->key), BIND_TEXT(j->print), BIND_INT(now),
               BIND_INT(now)) >= 0;
}

// The job that used the key first; 0 when none did.
static bool find_replay(struct conn *c, const char *key, const char *print, int64_t *id,
                        struct err *e)
{
    *id = 0;
    int64_t n = SQL(c, e, sql_take_int, id,
                    "SELECT CASE WHEN idem_print IS ? THEN id ELSE -1 END FROM jobs "
                    "WHERE owner = 0 AND idem_key = ?",
                    BIND_TEXT(print), BIND_TEXT(key));
    return n >= 0 &&
           (*id >= 0 || fail(e, ERR_INVALID,
                             "the idempotency key \"%.64s\" was used for another request", key));
}

static bool data_is_there(struct conn *c, const struct job_new *j, struct err *e)
{
    if (!j->dataset)
        return true;
    int64_t n = SQL(c, e, NULL, NULL, "SELECT 1 FROM datasets WHERE digest = ? LIMIT 1",
                    BIND_TEXT(j->digest));
    return n > 0 ||
           (n == 0 && fail(e, ERR_NOT_FOUND, "dataset \"%s\" has been deleted", j->dataset));
}

static bool queue_has_room(struct conn *c, const struct job_new *j, struct err *e)
{
    int64_t waiting = 0;
    if (j->most == 0)
        return true;
    if (SQL(c, e, sql_take_int, &waiting, "SELECT count(*) FROM jobs WHERE state = 'queued'") < 0)
        return false;
    return waiting <= j->most ||
           fail(e, ERR_BUSY, "%" PRId64 " jobs are waiting already; try again later", j->most);
}

static bool job_submit(struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct submit *w = arg;
    int64_t id = 0;
    if (!insert_job(s, c, w->job, &id, e))
        return false;
    w->replayed = id == 0;
    if (!w->replayed)
        notice_jobs(store_notice(s));
    bool ok = w->replayed ? find_replay(c, w->job->key, w->job->print, &id, e)
                          : data_is_there(c, w->job, e) && queue_has_room(c, w->job, e) &&
                                event_add(s, c, e, id, "info", "queued");
    return ok && job_load(s, c, id, w->out, w->a, e);
}

bool store_job_submit(struct store *s, const struct job_new *job, struct job_row *out,
                      bool *replayed, struct arena *a, struct err *e)
{
    struct submit w = {.job = job, .out = out, .a = a};
    bool ok = store_write(s, job_submit, &w, e);
    *replayed = ok && w.replayed;
    if (!ok)
        *out = (struct job_row){0}; // read before the commit was refused
    return ok;
}

struct replay {
    const char *key, *print;
    struct job_row *out;
    bool replayed;
    struct arena *a;
};

static bool replay(struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct replay *w = arg;
    int64_t id;
    if (!find_replay(c, w->key, w->print, &id, e))
        return false;
    w->replayed = id != 0;
    return !w->replayed || job_load(s, c, id, w->out, w->a, e);
}

bool store_job_replay(struct store *s, const char *key, const char *print, struct job_row *out,
                      bool *replayed, struct arena *a, struct err *e)
{
    struct replay w = {.key = key, .print = print, .out = out, .a = a};
    bool ok = store_read(s, replay, &w, e);
    *replayed = ok && w.replayed;
    return ok;
}

struct job_get {
    int64_t id;
    struct job_row *out;
    struct arena *a;
};

static bool get_job(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct job_get *w = arg;
    return job_load(s, c, w->id, w->out, w->a, e);
}

bool store_job_get(struct store *s, int64_t id, struct job_row *out, struct arena *a, struct err *e)
{
    struct job_get w = {id, out, a};
    return store_read(s, get_job, &w, e);
}

struct job_page {
    size_t limit;
    int64_t before;
    enum job_state state;
    struct job_list *out;
    struct arena *a;
};

static bool list_jobs(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct job_page *w = arg;
    struct sql_rows rows = ROWS(listed_column, w->out->row, w->limit, w->a);
    struct sql_arg shift = clock_shift(s), before = BIND_INT(w->before),
                   limit = BIND_INT((int64_t)w->limit + 1);
    int64_t n = w->state == JOB_STATE_COUNT
                    ? SQL(c, e, sql_take_rows, &rows, jobs_of_any_state, shift, before, limit)
                    : SQL(c, e, sql_take_rows, &rows, jobs_of_state, shift, before, limit,
                          BIND_TEXT(job_state_word(w->state)));
    sql_page(&rows, &w->out->n, &w->out->more);
    return n >= 0;
}

bool store_job_list(struct store *s, size_t limit, int64_t after, enum job_state state,
                    struct job_list *out, struct arena *a, struct err *e)
{
    BUG(limit > STORE_PAGE);
    out->row = arena_zalloc(a, limit, sizeof *out->row);
    struct job_page w = {limit, after ? after : INT64_MAX, state, out, a};
    return out->row ? store_read(s, list_jobs, &w, e) : sql_no_memory(e);
}

// Cancelling -----------------------------------------------------------------------------------

static bool refuse_cancel(struct store *s, struct conn *c, int64_t id, struct arena *a,
                          struct err *e)
{
    struct job_row job;
    return job_load(s, c, id, &job, a, e) &&
           fail(e, ERR_CONFLICT, "job %" PRId64 " cannot be cancelled: it has already %s", id,
                job.state == JOB_CANCELLED ? "been cancelled" : job_state_word(job.state));
}

static bool cancel(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct job_get *w = arg;
    int64_t n = SQL(c, e, NULL, NULL,
                    "UPDATE jobs SET cancel_requested = 1, "
                    "finished_at = CASE state WHEN 'running' THEN NULL ELSE ? END, "
                    "state = CASE state WHEN 'running' THEN state ELSE 'cancelled' END "
                    "WHERE id = ? AND state IN ('queued', 'paused', 'running') RETURNING id",
                    BIND_INT(store_now(s)), BIND_INT(w->id));
    if (n <= 0)
        return n == 0 && refuse_cancel(s, c, w->id, w->a, e);
    if (!job_load(s, c, w->id, w->out, w->a, e))
        return false;
    if (w->out->blame >= BLAME_SUSPECT && w->out->state == JOB_CANCELLED)
        notice_jobs(store_notice(s)); // others no longer wait for it
    return event_add(s, c, e, w->id, "info",
                     w->out->state == JOB_RUNNING ? "cancelling" : "cancelled");
}

bool store_job_cancel(struct store *s, int64_t id, struct job_row *out, struct arena *a,
                      struct err *e)
{
    struct job_get w = {id, out, a};
    return store_write(s, cancel, &w, e);
}
