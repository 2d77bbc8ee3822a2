// SPDX-License-Identifier: MIT
// Giving jobs to workers: see store.h. The job is picked, taken and read in one transaction.
//
// A damaged row that stayed in the queue would be picked each time, and none behind it. So a job
// that cannot be taken or read is failed with the reason, in the same transaction, and the next is
// picked. Damage of the file itself is another matter: then nothing is written any more.

#include "server/base/machine.h"
#include "server/store/notice.h"
#include "server/store/store_work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

static void claim_draw_key(struct lease *lease)
{
    ssize_t n;
    do
        n = getrandom(lease->key, sizeof lease->key, 0);
    while (n < 0 && errno == EINTR);
    BUG(n != sizeof lease->key);
}

struct claim {
    const char *worker;
    struct job_claim *out;
    struct arena *a;
};

static bool next_due(struct conn *c, int64_t now, int64_t *in, struct err *e)
{
    return SQL(c, e, sql_take_int, in,
               "SELECT coalesce(min(run_at) - ?1, 0) FROM jobs INDEXED BY jobs_ready "
               "WHERE state = 'queued' AND run_at > ?1",
               BIND_INT(now)) >= 0;
}

// How much blame a job may have to be claimed now.
struct blame_span {
    int64_t least, most; // no job when most < least
};

static bool claimable(struct conn *c, int64_t due, struct blame_span *out, struct err *e)
{
    enum { BUSY = 1, ALONE = 2, OVERDUE = 4 };
    int64_t is = 0;
    if (SQL(c, e, sql_take_int, &is,
            "SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'running') "
            "+ 2 * EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND blame >= 1) "
            "+ 4 * EXISTS (SELECT 1 FROM jobs WHERE state = 'queued' AND blame >= 1 "
            "AND run_at <= ?1)",
            BIND_INT(due - STORE_PATIENCE_MS)) < 0)
        return false;
    bool idle = !(is & BUSY);
    int64_t most = idle ? INT64_MAX : BLAME_SUSPECT - 1;
    *out = (struct blame_span){is & OVERDUE ? BLAME_SUSPECT : 0, is & ALONE ? -1 : most};
    return true;
}
_Static_assert(BLAME_SUSPECT == 1, "claimable() and migrations/0003_runs.sql say so");

enum { WORKER_NAME = 256 };

static void name_worker(const struct store *s, const char *thread, char out[WORKER_NAME])
{
    const struct machine *m = store_machine(s);
    snprintf(out, WORKER_NAME, "%s/%s/%s/%s", m->host, m->boot, m->start, thread);
}

// The next job that may run; 0 for none. One whose blame or pause is no number would never be due,
// so it comes in its turn, to be set aside (store_aside.c).
static bool pick_job(struct conn *c, int64_t due, const struct blame_span *blame, int64_t *id,
                     struct err *e)
{
    *id = 0;
    return SQL(c, e, sql_take_int, id,
               "SELECT id FROM jobs INDEXED BY jobs_ready WHERE state = 'queued' "
               "AND (run_at <= ? OR typeof(run_at) <> 'integer') "
               "AND (blame BETWEEN ? AND ? OR typeof(blame) <> 'integer' OR blame < 0) "
               "ORDER BY priority DESC, id LIMIT 1",
               BIND_INT(due), BIND_INT(blame->least), BIND_INT(blame->most)) >= 0;
}

static bool take_job(struct store *s, struct conn *c, const struct claim *w, struct err *e)
{
    const struct lease *lease = &w->out->lease;
    char worker[WORKER_NAME];
    int64_t now = store_now(s);
    name_worker(s, w->worker, worker);
    return SQL(c, e, NULL, NULL,
               "UPDATE jobs SET state = 'running', lease = ?, "
               "attempt = iif(typeof(attempt) = 'integer', attempt + 1, attempt), "
               "lease_until = ?, worker = ?, started_at = ?, epoch = 0, step = 0, "
               "elapsed = 0, best_epoch = NULL, best_metric = NULL, best_value = NULL "
               "WHERE id = ?",
               BIND_BLOB(lease->key, sizeof lease->key), BIND_INT(now + STORE_LEASE_MS),
               BIND_TEXT(worker), BIND_INT(now), BIND_INT(lease->job)) >= 0 &&
           job_load(s, c, lease->job, &w->out->job, w->a, e);
}

// A run that was released leaves its number behind, and points of it that the next run must not
// inherit.
static bool run_claim(struct store *s, struct conn *c, void *arg, struct err *e)
{
    const struct claim *w = arg;
    const struct job_row *job = &w->out->job;
    struct lease *lease = &w->out->lease;
    struct blame_span blame;
    int64_t due = store_steady_now(s);
    for (;;) {
        struct err why = {0};
        w->out->job = (struct job_row){0};
        lease->job = 0;
        if (!claimable(c, due, &blame, e) ||
            (blame.most >= blame.least && !pick_job(c, due, &blame, &lease->job, e)))
            return false;
        if (!lease->job)
            return next_due(c, due, &w->out->next_in, e);
        if (take_job(s, c, w, &why))
            return series_drop(c, lease->job, job->attempt, e) &&
                   event_add(s, c, e, lease->job, "info", "running, attempt %" PRId64,
                             job->attempt);
        if (why.kind != ERR_INTERNAL || c->bad || !job_set_aside(s, c, lease->job, why.text, e))
            return e->kind ? false : err_pass(e, &why);
    }
}

bool store_job_claim(struct store *s, const char *worker, struct job_claim *out, struct arena *a,
                     struct err *e)
{
    struct claim w = {worker, out, a};
    *out = (struct job_claim){0};
    claim_draw_key(&out->lease);
    return store_write(s, run_claim, &w, e);
}
