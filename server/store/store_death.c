// SPDX-License-Identifier: MIT
// What becomes of jobs whose workers are gone: see store.h and blame.h. A worker is gone when it
// was of this machine and another start of the daemon, for the folder's lock is ours; whatever
// machine it was of, when its lease has ended. Our own leases are renewed and ended by the queue,
// which measures them by a clock that nobody can set. What these statements do they do in one
// transaction with the look at the worker, so they need no lease, and a job may be read before it
// is written.
//
// The mark of a stop goes after the jobs have been taken over, and before a worker begins one. A
// start that dies in between finds it again, and a mark that cannot be removed ends the start: it
// would excuse all deaths to come.

#include "server/base/machine.h"
#include "server/store/notice.h"
#include "server/store/store_folder.h"
#include "server/store/store_work.h"

#include <inttypes.h>
#include <stdio.h>

// A pause that an earlier daemon wrote down is taken for what is left of it, within reason: the
// clock may have been set since.
static bool cut_pauses(struct store *s, struct conn *c, struct err *e)
{
    int64_t latest = store_steady_now(s) + STORE_PAUSE_MS;
    return SQL(c, e, NULL, NULL,
               "UPDATE jobs INDEXED BY jobs_ready SET run_at = ?1 WHERE state = 'queued' "
               "AND run_at > ?1",
               BIND_INT(latest)) >= 0;
}

// A job whose worker is gone.
struct dead {
    int64_t id, epoch, deaths, cancel, blame, furthest;
    const char *how; // it ended, as far as is known
};

static const struct sql_column dead_column[] = {COLUMN_ROW(dead, epoch) COLUMN_ROW(
    dead, deaths) COLUMN_ROW(dead, cancel) COLUMN_ROW(dead, blame) COLUMN_ROW(dead, furthest)};

enum { DEATH_TEXT = 256 };

static void explain(const struct dead *d, struct blame b, char text[DEATH_TEXT])
{
    if (b.n >= BLAME_GUILTY)
        snprintf(text, DEATH_TEXT,
                 "the daemon died %" PRId64 " times while the job ran, which got no further than "
                 "epoch %" PRId64 "; it may need more memory than there is",
                 d->deaths + 1, b.furthest);
    else if (blame_suspects(b))
        snprintf(text, DEATH_TEXT,
                 "%s while the job ran, which got no further than epoch %" PRId64
                 "; it runs again after %" PRId64 " s, alone",
                 d->how, b.furthest, blame_pause(b) / 1000);
    else
        snprintf(text, DEATH_TEXT, "%s while the job ran; it starts over", d->how);
}

static bool death_bury(struct store *s, struct conn *c, const struct dead *d, struct err *e)
{
    char text[DEATH_TEXT];
    struct blame b = blame_death((struct blame){d->blame, d->furthest}, d->epoch);
    int64_t now = store_now(s), pause = blame_pause(b);
    bool failed = !d->cancel && b.n >= BLAME_GUILTY, ended = d->cancel || failed;
    enum job_state state = d->cancel ? JOB_CANCELLED : failed ? JOB_FAILED : JOB_QUEUED;
    explain(d, b, text);
    return SQL(c, e, NULL, NULL,
               "UPDATE jobs SET state = ?, finished_at = ?, error_kind = ?, error_text = ?, "
               "deaths = deaths + 1, blame = ?, furthest = ?, run_at = ?, queued_at = ?, "
               "lease = NULL, lease_until = NULL, worker = NULL WHERE id = ?",
               BIND_TEXT(job_state_word(state)), ended ? BIND_INT(now) : BIND_NULL,
               BIND_TEXT(failed ? err_word(ERR_INTERNAL) : NULL), BIND_TEXT(failed ? text : NULL),
               BIND_INT(b.n), BIND_INT(b.furthest),
               BIND_INT(pause ? store_steady_now(s) + pause : 0), BIND_INT(now),
               BIND_INT(d->id)) >= 0 &&
           event_add(s, c, e, d->id, failed ? "error" : "warn", "%s", text);
}

// As if its worker had still released it.
static bool excuse(struct store *s, struct conn *c, const struct dead *d, struct err *e)
{
    int64_t now = store_now(s);
    return SQL(c, e, NULL, NULL,
               "UPDATE jobs SET state = ?, finished_at = ?, attempt = attempt - 1, lease = NULL, "
               "lease_until = NULL, worker = NULL, run_at = 0, queued_at = ? WHERE id = ?",
               BIND_TEXT(job_state_word(d->cancel ? JOB_CANCELLED : JOB_QUEUED)),
               d->cancel ? BIND_INT(now) : BIND_NULL, BIND_INT(now), BIND_INT(d->id)) >= 0 &&
           event_add(s, c, e, d->id, "info",
                     "the daemon was told to stop and ended before the job was released");
}

// Whose jobs are taken over, by patterns of workers' names (NULL: nobody's): those of `gone`, and
// those not of `alive` whose lease has ended.
enum { PATTERN = 160 };
struct takeover {
    bool (*take)(struct store *s, struct conn *c, const struct dead *d, struct err *e);
    const char *how, *gone[2], *alive;
    int64_t n;
};

// The end of a lease that was written by a clock set wrong is taken for what it can be at most.
static bool cut_leases(struct store *s, struct conn *c, const struct takeover *w, struct err *e)
{
    return SQL(c, e, NULL, NULL,
               "UPDATE jobs SET lease_until = ?1 WHERE state = 'running' AND lease_until > ?1 "
               "AND NOT coalesce(worker, '') GLOB ?2",
               BIND_INT(store_now(s) + STORE_LEASE_MS), BIND_TEXT(w->alive)) >= 0;
}

static bool next_to_take(struct store *s, struct conn *c, const struct takeover *w, int64_t *id,
                         struct err *e)
{
    *id = 0;
    return SQL(c, e, sql_take_int, id,
               "SELECT id FROM jobs "
               "WHERE state = 'running' AND (worker GLOB ?1 OR worker GLOB ?2 OR "
               "(coalesce(lease_until, 0) <= ?3 AND NOT coalesce(worker, '') GLOB ?4)) LIMIT 1",
               BIND_TEXT(w->gone[0]), BIND_TEXT(w->gone[1]), BIND_INT(store_now(s)),
               BIND_TEXT(w->alive)) >= 0;
}

static bool take_one(struct store *s, struct conn *c, const struct takeover *w, int64_t id,
                     struct err *e)
{
    struct dead d = {.id = id, .how = w->how};
    struct sql_rows rows = ROWS(dead_column, &d, 1, NULL);
    return SQL(c, e, sql_take_rows, &rows,
               "SELECT epoch, deaths, cancel_requested, blame, furthest FROM jobs WHERE id = ?",
               BIND_INT(id)) >= 0 &&
           w->take(s, c, &d, e);
}

// A damaged job among them must not keep the others from being taken over.
static bool take_over(struct store *s, struct conn *c, void *arg, struct err *e)
{
    struct takeover *w = arg;
    notice_jobs(store_notice(s));
    for (int64_t id;; w->n++) {
        struct err why = {0};
        if (!next_to_take(s, c, w, &id, e))
            return false;
        if (!id)
            return cut_leases(s, c, w, e) && cut_pauses(s, c, e);
        if (take_one(s, c, w, id, &why))
            continue;
        if (why.kind != ERR_INTERNAL || c->bad)
            return err_pass(e, &why);
        if (!job_set_aside(s, c, id, why.text, e))
            return false;
    }
}

// A boot that the system does not tell is nobody's.
static void name_patterns(const struct machine *m, char host[PATTERN], char boot[PATTERN],
                          char self[PATTERN])
{
    snprintf(host, PATTERN, "%s/*", m->host);
    snprintf(boot, PATTERN, "*/%s/*", *m->boot ? m->boot : "-");
    snprintf(self, PATTERN, "%s/%s/%s/*", m->host, m->boot, m->start);
}

bool store_job_rescue_dead(struct store *s, int64_t *n, struct err *e)
{
    char host[PATTERN], boot[PATTERN], self[PATTERN];
    const struct folder *f = store_folder(s);
    name_patterns(store_machine(s), host, boot, self);
    struct takeover w = {.take = folder_has_stop_mark(f) ? excuse : death_bury,
                         .how = "the daemon died",
                         .gone = {host, boot},
                         .alive = self};
    bool ok = store_write(s, take_over, &w, e) && folder_unmark_stop(f, e);
    *n = ok ? w.n : 0; // else it was rolled back
    return ok;
}

static bool any_stranger(struct store *s, const char *self, bool *any, struct err *e)
{
    return sql_any(s,
                   SQL_TEXT("SELECT 1 FROM jobs WHERE state = 'running' "
                            "AND NOT coalesce(worker, '') GLOB ? LIMIT 1"),
                   self, any, e);
}

// All that others hold they have held since before this start: the folder's mark of then is good
// for them.
bool store_job_rescue_expired(struct store *s, int64_t *n, struct err *e)
{
    char host[PATTERN], boot[PATTERN], self[PATTERN];
    bool any = false;
    name_patterns(store_machine(s), host, boot, self);
    struct takeover w = {.take = store_folder(s)->stopped ? excuse : death_bury,
                         .how = "its worker's lease ended",
                         .alive = self};
    bool ok = any_stranger(s, self, &any, e) && (!any || store_write(s, take_over, &w, e));
    *n = ok ? w.n : 0;
    return ok;
}

bool store_mark_stop(struct store *s, struct err *e)
{
    return folder_mark_stop(store_folder(s), e);
}
