// SPDX-License-Identifier: MIT
// Jobs as their workers see them: see store.h; store_claim.c gives them out. Every statement here
// names the lease next to the id, so a run that has lost its job changes no row, however late it
// comes and whatever it believes. What is read first and written later is so within one
// transaction, and names the lease both times: in a gap between, a sweep would overwrite a finished
// job.

#include "server/store/notice.h"
#include "server/store/store_work.h"

#include <inttypes.h>
#include <stdio.h>

#define KEY(lease) BIND_BLOB((lease)->key, sizeof(lease)->key)

static bool held(const struct lease *lease, int64_t rows, struct err *e)
{
    return rows > 0 ||
           (rows == 0 &&
            fail(e, ERR_CONFLICT, "lease lost: job %" PRId64 " has ended or belongs to another run",
                 lease->job));
}

// Renewing -------------------------------------------------------------------------------------

struct beat {
    const struct lease *lease;
    const struct job_beat *beat;
    int64_t cancel;
};

// The run may have got past where earlier ones died with the daemon.
static bool run_clear(struct store *s, struct conn *c, const struct beat *w, struct err *e)
{
    int64_t n = SQL(c, e, NULL, NULL,
                    "UPDATE jobs SET blame = 0 WHERE id = ? AND lease = ? AND blame > 0 "
                    "AND furthest < ? RETURNING id",
                    BIND_INT(w->lease->job), KEY(w->lease), BIND_INT(w->beat->epoch));
    if (n > 0)
        notice_jobs(store_notice(s));
    return n == 0 || (n > 0 && event_add(s, c, e, w->lease->job, "info",
                                         "got further than before the daemon died; other jobs "
                                         "may run beside it again"));
}

static bool beat(struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct beat *w = arg;
    const struct job_beat *b = w->beat;
    bool best = b->best_epoch > 0;
    int64_t n = SQL(
        c, e, sql_take_int, &w->cancel,
        "UPDATE jobs SET lease_until = ?, epoch = ?, epochs = ?, step = ?, steps = ?, "
        "elapsed = ?, best_epoch = ?, best_metric = ?, best_value = ? "
        "WHERE id = ? AND lease = ? RETURNING cancel_requested",
        BIND_INT(store_now(s) + STORE_LEASE_MS), BIND_INT(b->epoch), BIND_INT(b->epochs),
        BIND_INT(b->step), BIND_INT(b->steps), BIND_INT(b->elapsed),
        best ? BIND_INT(b->best_epoch) : BIND_NULL, best ? BIND_TEXT(b->best_metric) : BIND_NULL,
        best ? BIND_REAL(b->best_value) : BIND_NULL, BIND_INT(w->lease->job), KEY(w->lease));
    return held(w->lease, n, e) && series_put(s, c, w->lease, b, e) && run_clear(s, c, w, e);
}

bool store_job_beat(struct store *s, const struct lease *lease, const struct job_beat *b,
                    bool *cancel, struct err *e)
{
    struct beat w = {lease, b, 0};
    bool ok = store_write(s, beat, &w, e);
    *cancel = ok && w.cancel;
    return ok;
}

struct renew {
    const struct lease *lease;
    size_t n;
    enum lease_fate *fate;
};

static bool renew(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct renew *w = arg;
    for (size_t i = 0; i < w->n; i++) {
        int64_t cancel;
        int64_t n = SQL(c, e, sql_take_int, &cancel,
                        "UPDATE jobs SET lease_until = ? WHERE id = ? AND lease = ? "
                        "RETURNING cancel_requested",
                        BIND_INT(store_now(s) + STORE_LEASE_MS), BIND_INT(w->lease[i].job),
                        KEY(&w->lease[i]));
        if (n < 0)
            return false;
        w->fate[i] = n == 0 ? LEASE_LOST : cancel ? LEASE_CANCEL : LEASE_HELD;
    }
    return true;
}

bool store_job_renew(struct store *s, const struct lease *lease, size_t n, enum lease_fate *fate,
                     struct err *e)
{
    struct renew w = {lease, n, fate};
    return store_write(s, renew, &w, e);
}

// Ending ---------------------------------------------------------------------------------------

struct finish {
    const struct lease *lease;
    const struct job_end *wanted;
    struct job_end end; // as it came
};

static bool run_publish(struct store *s, struct conn *c, struct finish *w, struct err *e)
{
    const struct model_new *m = w->end.model;
    return model_add(s, c, m, w->lease->job, &w->end.version, e) &&
           event_add(s, c, e, w->lease->job, "info", "succeeded: model \"%s\" version %" PRId64,
                     m->name, w->end.version);
}

static bool log_end(struct store *s, struct conn *c, const struct finish *w, struct err *e)
{
    const char *word = job_state_word(w->end.state);
    const struct err *why = w->end.why;
    return why ? event_add(s, c, e, w->lease->job, "error", "%s: %s", word, why->text)
               : event_add(s, c, e, w->lease->job, "info", "%s", word);
}

// A cancellation may have been committed after the run last looked.
static bool choose_end(struct conn *c, struct finish *w, struct err *e)
{
    int64_t cancelled = 0;
    int64_t n = SQL(c, e, sql_take_int, &cancelled,
                    "SELECT cancel_requested FROM jobs WHERE id = ? AND lease = ?",
                    BIND_INT(w->lease->job), KEY(w->lease));
    w->end = cancelled ? (struct job_end){.state = JOB_CANCELLED} : *w->wanted;
    return held(w->lease, n, e);
}

static bool run_finish(struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct finish *w = arg;
    if (!choose_end(c, w, e))
        return false;
    const struct err *why = w->end.why;
    int64_t blame = 0;
    int64_t n = SQL(c, e, sql_take_int, &blame,
                    "UPDATE jobs SET state = ?, finished_at = ?, lease = NULL, "
                    "lease_until = NULL, error_kind = ?, error_at = ?, error_text = ?, "
                    "result = ? WHERE id = ? AND lease = ? RETURNING blame",
                    BIND_TEXT(job_state_word(w->end.state)), BIND_INT(store_now(s)),
                    BIND_TEXT(why ? err_word(why->kind) : NULL), BIND_TEXT(why ? why->at : NULL),
                    BIND_TEXT(why ? why->text : NULL), BIND_TEXT(w->end.result),
                    BIND_INT(w->lease->job), KEY(w->lease));
    if (blame >= BLAME_SUSPECT)
        notice_jobs(store_notice(s)); // others may run again
    return held(w->lease, n, e) && (w->end.model ? run_publish(s, c, w, e) : log_end(s, c, w, e));
}

bool store_job_finish(struct store *s, const struct lease *lease, struct job_end *end,
                      struct err *e)
{
    BUG(!job_ended(end->state) || (end->state == JOB_FAILED) != (end->why != NULL));
    BUG((end->model || end->result) && end->state != JOB_SUCCEEDED);
    struct finish w = {.lease = lease, .wanted = end};
    bool ok = store_write(s, run_finish, &w, e);
    if (ok)
        *end = w.end;
    return ok;
}

static bool release(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct lease *lease = arg;
    int64_t now = store_now(s);
    notice_jobs(store_notice(s));
    int64_t n = SQL(c, e, NULL, NULL,
                    "UPDATE jobs SET state = CASE cancel_requested WHEN 1 THEN 'cancelled' "
                    "ELSE 'queued' END, finished_at = CASE cancel_requested WHEN 1 THEN ? END, "
                    "attempt = attempt - 1, lease = NULL, lease_until = NULL, worker = NULL, "
                    "run_at = 0, queued_at = ? WHERE id = ? AND lease = ? RETURNING id",
                    BIND_INT(now), BIND_INT(now), BIND_INT(lease->job), KEY(lease));
    return held(lease, n, e) &&
           event_add(s, c, e, lease->job, "info", "released by its worker before the end");
}

bool store_job_release(struct store *s, const struct lease *lease, struct err *e)
{
    return store_write(s, release, (void *)lease, e);
}

struct rescue {
    const struct lease *lease;
    enum run_loss loss;
    const char *text;
};

struct lost {
    int64_t attempt, crashes, cancel_requested;
};

enum { LOSS_TEXT = 384 };

static const struct sql_column lost_column[] = {COLUMN_ROW(lost, attempt) COLUMN_ROW(lost, crashes)
                                                    COLUMN_ROW(lost, cancel_requested)};

// Whether nobody tries again, and why.
static bool is_given_up(const struct lost *l, const struct rescue *w, char why[LOSS_TEXT])
{
    if (w->loss == RUN_CRASHED)
        snprintf(why, LOSS_TEXT, "the run ended unexpectedly %" PRId64 " times: %s", l->crashes + 1,
                 w->text);
    else
        snprintf(why, LOSS_TEXT, "in %" PRId64 " attempts the system lacked something: %s",
                 l->attempt, w->text);
    return w->loss == RUN_CRASHED   ? l->crashes + 1 >= STORE_CRASHES
           : w->loss == RUN_STARVED ? l->attempt >= STORE_ATTEMPTS
                                    : false;
}

// From 10 s to 10 minutes, doubling.
static int64_t pause_after(int64_t attempt)
{
    int64_t pause = INT64_C(5000) << (attempt < 7 ? attempt : 7);
    return pause < STORE_PAUSE_MS ? pause : STORE_PAUSE_MS;
}

static bool requeue(struct store *s, struct conn *c, const struct rescue *w, const struct lost *l,
                    struct err *e)
{
    char why[LOSS_TEXT];
    bool failed = is_given_up(l, w, why) && !l->cancel_requested;
    enum job_state state = l->cancel_requested ? JOB_CANCELLED : failed ? JOB_FAILED : JOB_QUEUED;
    int64_t now = store_now(s);
    int64_t due = w->loss == RUN_DIED ? 0 : store_steady_now(s) + pause_after(l->attempt);
    int64_t n =
        SQL(c, e, NULL, NULL,
            "UPDATE jobs SET state = ?, finished_at = ?, error_kind = ?, error_text = ?, "
            "crashes = crashes + ?, deaths = deaths + ?, queued_at = ?, run_at = ?, lease = NULL, "
            "lease_until = NULL, worker = NULL WHERE id = ? AND lease = ? RETURNING id",
            BIND_TEXT(job_state_word(state)), state == JOB_QUEUED ? BIND_NULL : BIND_INT(now),
            BIND_TEXT(failed ? err_word(ERR_INTERNAL) : NULL), BIND_TEXT(failed ? why : NULL),
            BIND_INT(w->loss == RUN_CRASHED), BIND_INT(w->loss == RUN_DIED), BIND_INT(now),
            BIND_INT(due), BIND_INT(w->lease->job), KEY(w->lease));
    return held(w->lease, n, e);
}

static bool rescue(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct rescue *w = arg;
    struct lost lost;
    struct sql_rows rows = ROWS(lost_column, &lost, 1, NULL);
    notice_jobs(store_notice(s));
    int64_t n = SQL(c, e, sql_take_rows, &rows,
                    "SELECT attempt, crashes, cancel_requested FROM jobs "
                    "WHERE id = ? AND lease = ?",
                    BIND_INT(w->lease->job), KEY(w->lease));
    return held(w->lease, n, e) && requeue(s, c, w, &lost, e) &&
           event_add(s, c, e, w->lease->job, "warn", "the run ended unexpectedly: %s", w->text);
}

bool store_job_rescue(struct store *s, const struct lease *lease, enum run_loss loss,
                      const char *text, struct err *e)
{
    struct rescue w = {lease, loss, text};
    return store_write(s, rescue, &w, e);
}

// Log ------------------------------------------------------------------------------------------

struct note {
    const struct lease *lease;
    const char *level, *text;
};

static bool run_note(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct note *w = arg;
    int64_t n = SQL(c, e, NULL, NULL,
                    "INSERT INTO job_events (job_id, at, level, type, message) "
                    "SELECT id, ?, ?, 'message', ? FROM jobs WHERE id = ? AND lease = ? "
                    "RETURNING id",
                    BIND_INT(store_now(s)), BIND_TEXT(w->level), BIND_TEXT(w->text),
                    BIND_INT(w->lease->job), KEY(w->lease));
    return held(w->lease, n, e);
}

bool store_job_note(struct store *s, const struct lease *lease, const char *level, const char *text,
                    struct err *e)
{
    struct note w = {lease, level, text};
    return store_write(s, run_note, &w, e);
}
