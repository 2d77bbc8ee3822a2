// SPDX-License-Identifier: MIT
#pragma once

// What must outlive the daemon: jobs, their curves and log, datasets, models. One function per
// question. SQLite is behind it (a PostgreSQL twin would implement the same header).
//
// Every function may be called from any thread and blocks until it has its answer; a write returns
// once it is flushed to disk. Rows are filled into structs of the caller, their strings into the
// caller's arena, which must not be used by another thread meanwhile. A string that is absent is
// NULL, an absent time 0, an absent real NaN. Times are milliseconds since 1970, for people to
// read: pauses are measured by monotonic time while the store is open, and across a restart no
// pause is longer than STORE_PAUSE_MS, whatever happens to the clock.
//
// Errors every function may raise: ERR_TOO_LARGE when the arena is full, ERR_NO_SPACE when the disk
// is (nothing was written, the store stays usable), ERR_BUSY (also when no memory is left; try
// again), ERR_INTERNAL, ERR_CANCELLED (store_watch()). Damage in the database is ERR_INTERNAL,
// wherever it is met; the writer writes nothing more once it has met some. A read or write error of
// the disk under the writer aborts the process: what the disk holds is then known only after a
// restart.
//
// A worker holds a job by its lease, 128 random bits drawn when it claims. Every write on behalf of
// a worker compares them in the same statement and fails with ERR_CONFLICT ("lease lost") when the
// job has since been given to another.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "server/base/clock.h"
#include "server/store/blame.h"
#include "server/store/job.h"
#include "server/store/series.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STORE_LEASE_MS = 30000,     // a claim or renewal holds this long
    STORE_CRASHES = 3,          // of a job's own doing; the last one fails it
    STORE_ATTEMPTS = 100,       // of a job that the system starves: more than half a day
    STORE_PAGE = 1000,          // rows a list gives at most
    STORE_CURVE = 100000,       // points of a curve given at most
    STORE_BLOCK = 8192,         // rows that are stored together
    STORE_PAUSE_MS = 600000,    // the longest pause before a job is run again
    STORE_PATIENCE_MS = 600000, // a suspect lets others go first for so long
    STORE_NOTICE_MS = 1000      // until a change of another process is noticed
};

struct store;

// Open the store in the folder `dir`, making both when missing. Takes the folder's lock: a second
// daemon gets ERR_CONFLICT. `clock` must outlive the store.
struct store *store_open(const char *dir, const struct clock *clock, struct err *e);

// The data folder that was opened, for the files beside the database (files.h). What is at its path
// may be another by now. The store's to close.
int store_dir(const struct store *s);

// Wait for the writes under way and close. No other thread may be inside a store function or enter
// one. NULL is allowed.
void store_close(struct store *s);

// The same for a start that is refused: when this opening has made the database and nothing was
// stored in it, it is removed again.
void store_discard(struct store *s);

// For a process that is about to end while threads may still be inside: do the writes that were
// asked for, refuse all later ones with ERR_CANCELLED, and close what writes. Waits for at most
// `ms` milliseconds; false when that did not do. Nothing is freed; store_close() may follow once
// those threads are gone.
bool store_halt(struct store *s, int ms);

// The calling thread's reads end with ERR_CANCELLED as soon as *gone is true, for nobody waits for
// the answer; its writes go on to their end. NULL: no longer. *gone must live until then.
void store_watch(const atomic_bool *gone);

struct store_stats {
    int64_t commands, commits; // writes asked for, transactions they took
    int64_t waiting;           // writes not begun
    int64_t wal_bytes;         // of the write-ahead log: alarming above 128 MiB
};

struct store_stats store_stats(struct store *s);

// Whether nothing was ever stored: no dataset, no model, no job, not even one deleted since.
bool store_is_new(struct store *s, bool *fresh, struct err *e);

// Change notices -------------------------------------------------------------------------------
//
// For whoever waits for a change, or keeps an answer and wants to know whether it still holds. What
// this process writes is noticed when it is committed, what another one writes within
// STORE_NOTICE_MS. These never ask the database, and cannot fail.

// A number that is another one after a job has come that may be claimed. To be read before the look
// that finds none: store_job_await() returns when it has changed since, or after `ms` milliseconds.
uint64_t store_job_arrivals(struct store *s);
void store_job_await(struct store *s, uint64_t seen, int64_t ms);

// Let all who wait look again.
void store_job_wake(struct store *s);

// A number that is another one after the name has got another newest version. Which one that is
// may be kept for as long as the number stays what it was before the store was asked; 0: may not be
// kept, as one is being published. Takes no lock.
uint64_t store_model_edition(struct store *s, const char *name);

// Jobs -----------------------------------------------------------------------------------------

struct job_row {
    int64_t id;
    enum job_state state;
    const char *name, *dataset; // dataset NULL: the data came with the job
    const char *digest;         // of the data
    const char *spec;           // JSON, the resolved definition; NULL in lists
    int64_t spec_version;       // of its form
    const char *result;         // JSON, what it has found; NULL: nothing (yet), and in lists
    const char *metadata;       // JSON
    int64_t priority;
    int64_t position; // in the queue, from 1; 0 when not queued, and in lists
    int64_t attempt, crashes, deaths;
    int64_t blame, furthest;  // struct blame
    int64_t cancel_requested; // 0 or 1
    const char *worker; // "<host>/<boot>/<start>/<thread>", machine.h says of what; NULL: nobody
    int64_t epoch, epochs, step, steps;
    int64_t best_epoch; // 0: none yet
    const char *best_metric;
    double best_value;
    const char *error_kind, *error_at, *error_text; // of a failed job; kind is err_word()'s
    int64_t created_at, queued_at, started_at, finished_at;
    int64_t run_at;    // of a queued job that pauses: when it may run, by the clock as it is now
    int64_t elapsed;   // ms of training in the current or last run
    const char *model; // name and version of what it published
    int64_t version;
};

struct job_list {
    struct job_row *row; // newest first
    size_t n;
    bool more; // there are older ones
};

struct job_new {
    const char *name, *dataset, *digest, *spec, *metadata; // as in job_row
    int64_t spec_version, priority, epochs;
    const char *key;   // idempotency key, or NULL
    const char *print; // digest of the request that carries the key
    int64_t most;      // jobs that may wait, one more is ERR_BUSY; 0: any number
};

struct lease {
    int64_t job; // 0: none
    unsigned char key[16];
};

struct job_claim {
    struct lease lease; // job 0: nothing is due
    struct job_row job;
    int64_t next_in; // when nothing is due: ms until the next job will be, 0 if none waits
};

struct metric_row {
    int64_t epoch, step;
    const double *run, *parts; // a value for each series of SERIES_RUN, of SERIES_PARTS; NULL: none
};

// What a run reports. Rows of an epoch reported before replace the older ones.
struct job_beat {
    int64_t epoch, epochs, step, steps, best_epoch;
    int64_t elapsed; // ms of training so far
    const char *best_metric;
    double best_value;
    const struct series_list *series; // [SERIES_KINDS]; NULL: it has none, and no rows
    bool declared;                    // an earlier report of the run has stored them
    const struct metric_row *row;
    size_t n_row;
    int64_t gap_from, gap_to; // epochs that will never be reported; 0: none
    const char *gap_why;
};

// Result of a training, whose file is in place and flushed.
struct model_new {
    const char *name, *digest, *task, *summary; // summary: JSON
    int64_t bytes;
};

// What a run has found of each row of its table: as series, whose points are rows.
struct row_table {
    struct series_list series;
    size_t n;
    const double *value; // [n, series.n]
};

// Which points of a curve: of those after the epoch `after` every `stride`-th (those it divides)
// and the newest, at most `limit`.
struct curve_part {
    int64_t after, stride; // stride 1: all of them
    size_t limit;
    enum series_kind kind; // of the run as a whole, or of its parts
};

// The series that the newest run has declared, and their values.
struct series_table {
    struct series_list series;
    size_t n_row;
    int64_t *attempt, *epoch, *step; // [n_row]; epochs ascend
    double *value;                   // [n_row, series.n]; NaN where not reported
};

struct event_row {
    int64_t id, job, at;
    const char *level, *type, *message;
};

struct event_list {
    struct event_row *row; // oldest first
    size_t n;
    bool more;
};

// Queue a job. A repeated key answers with the first job and sets *replayed; with another print it
// is ERR_INVALID. ERR_NOT_FOUND when no dataset has the digest any more.
bool store_job_submit(struct store *s, const struct job_new *job, struct job_row *out,
                      bool *replayed, struct arena *a, struct err *e);

// What a key has made before, without submitting: *replayed tells whether it was used. ERR_INVALID
// when it was used with another print.
bool store_job_replay(struct store *s, const char *key, const char *print, struct job_row *out,
                      bool *replayed, struct arena *a, struct err *e);

// ERR_NOT_FOUND when there is none.
bool store_job_get(struct store *s, int64_t id, struct job_row *out, struct arena *a,
                   struct err *e);

// At most `limit` jobs older than the id `after` (0: from the newest), in one state or in any
// (JOB_STATE_COUNT).
bool store_job_list(struct store *s, size_t limit, int64_t after, enum job_state state,
                    struct job_list *out, struct arena *a, struct err *e);

// Give the first due job, by priority and age, to the worker thread of that name. Its progress
// starts at nothing. A suspect (blame.h) is given out when no other job runs, and none beside it.
// Others go before it, though not for ever: one that has waited for STORE_PATIENCE_MS is the next.
// A job whose row is damaged is failed with the reason, and the next is given out.
bool store_job_claim(struct store *s, const char *worker, struct job_claim *out, struct arena *a,
                     struct err *e);

// Record progress and renew the lease; a gap is told in the job's log. A run that gets further than
// those that died clears its job of blame. *cancel tells whether somebody asked for a stop.
bool store_job_beat(struct store *s, const struct lease *lease, const struct job_beat *beat,
                    bool *cancel, struct err *e);

enum lease_fate { LEASE_HELD, LEASE_CANCEL, LEASE_LOST };

// Renew many leases at once; fate[i] tells what became of lease[i].
bool store_job_renew(struct store *s, const struct lease *lease, size_t n, enum lease_fate *fate,
                     struct err *e);

// How a run ends.
struct job_end {
    enum job_state state;          // succeeded, failed or cancelled
    const struct err *why;         // of a failure, else NULL
    const struct model_new *model; // to publish with a success, or NULL
    const char *result;            // JSON, what a success has found besides, or NULL
    int64_t version;               // of that model, once it is published
};

// End a run and publish its model in one transaction. A job whose cancellation was accepted before
// ends as that, however the run went: end->state tells, and nothing is published.
bool store_job_finish(struct store *s, const struct lease *lease, struct job_end *end,
                      struct err *e);

// Hand a job back unfinished, through no fault of its own: queued again at once (cancelled, if that
// was asked for), and not counted as an attempt.
bool store_job_release(struct store *s, const struct lease *lease, struct err *e);

// What became of a run that did not come to an end.
enum run_loss {
    RUN_DIED,    // the daemon's doing: queued again at once
    RUN_CRASHED, // its own: queued again after a pause, failed the third time
    RUN_STARVED, // the system lacked what it needs: after a pause, failed in attempt STORE_ATTEMPTS
};

// Take a job from such a run; cancelled, if that was asked for. `text` says what happened.
bool store_job_rescue(struct store *s, const struct lease *lease, enum run_loss loss,
                      const char *text, struct err *e);

// The daemon has been told to stop: whatever ends it from now on, its death is held against no job.
// The mark is good until the next store_job_rescue_dead(), and waits for no write. Any thread.
bool store_mark_stop(struct store *s, struct err *e);

// At start, before a worker of ours begins: queue again what this machine's earlier starts left
// running, and what anybody's lease has ended of; cancel it if that was asked for, or fail it when
// the daemon has died under it too often (blame.h). What another machine runs is left to it. A job
// of a daemon that was told to stop counts as released. *n tells how many. Pauses and leases that a
// changed clock has made longer are cut. A job whose row is damaged is failed with the reason.
bool store_job_rescue_dead(struct store *s, int64_t *n, struct err *e);

// The same at any time, for the jobs of others whose lease has ended since; those that this store
// has given out are none of them, whatever the clock says. Machines that share a database must
// agree on the time to within some seconds.
bool store_job_rescue_expired(struct store *s, int64_t *n, struct err *e);

// Ask for the end of a job. What waits is cancelled at once, what runs is marked and stays running.
// ERR_NOT_FOUND; ERR_CONFLICT when it has ended.
bool store_job_cancel(struct store *s, int64_t id, struct job_row *out, struct arena *a,
                      struct err *e);

// Append a line to the job's log on behalf of its worker. level: "info", "warn" or "error".
bool store_job_note(struct store *s, const struct lease *lease, const char *level, const char *text,
                    struct err *e);

// A part of the job's curve. Points of a run that was started over are left out from where the
// later run began, and points without values of that kind. What it costs is what the answer has,
// however long the curve. ERR_NOT_FOUND when there is no such job; ERR_INTERNAL also when points do
// not fit what their run has declared.
bool store_job_series(struct store *s, int64_t id, const struct curve_part *part,
                      struct series_table *out, struct arena *a, struct err *e);

// Store a block of what a run has found of its rows: those from `first`, a multiple of STORE_BLOCK,
// on, STORE_BLOCK of them or the rest. What is stored goes with the run's end unless it succeeds.
bool store_job_put_rows(struct store *s, const struct lease *lease, const struct row_table *rows,
                        size_t first, struct err *e);

// Of what a job has found of its rows at most `limit` from number `after` on, counted from 0;
// *more tells whether others follow. out->step has the rows' numbers. ERR_NOT_FOUND; ERR_CONFLICT
// when it has not succeeded (yet). No series: it has found nothing of rows.
bool store_job_rows(struct store *s, int64_t id, int64_t after, size_t limit,
                    struct series_table *out, bool *more, struct arena *a, struct err *e);

// At most `limit` lines of the job's log after the event `after`. ERR_NOT_FOUND.
bool store_job_events(struct store *s, int64_t id, int64_t after, size_t limit,
                      struct event_list *out, struct arena *a, struct err *e);

// Datasets -------------------------------------------------------------------------------------

struct dataset_row {
    int64_t id;
    const char *name;
    int64_t version;
    const char *digest;
    int64_t n_row, n_column, bytes, created_at;
    const char *summary; // JSON; NULL in lists
};

struct dataset_list {
    struct dataset_row *row; // newest first
    size_t n;
    bool more;
};

struct dataset_new {
    const char *name, *digest, *summary;
    int64_t n_row, n_column, bytes;
};

// Files, by their digests.
struct digest_list {
    const char **digest;
    size_t n;
};

// Record the next version of a dataset whose files are in place and flushed.
bool store_dataset_put(struct store *s, const struct dataset_new *d, struct dataset_row *out,
                       struct arena *a, struct err *e);

// One version, or the newest for version 0. ERR_NOT_FOUND.
bool store_dataset_get(struct store *s, const char *name, int64_t version, struct dataset_row *out,
                       struct arena *a, struct err *e);

// The newest version of at most `limit` datasets, those older than the id `after` (0: all).
bool store_dataset_list(struct store *s, size_t limit, int64_t after, struct dataset_list *out,
                        struct arena *a, struct err *e);

// The files of all versions of a dataset, each once; none when there is no such dataset.
bool store_dataset_files(struct store *s, const char *name, struct digest_list *files,
                         struct arena *a, struct err *e);

// Delete all versions of a dataset. ERR_NOT_FOUND; ERR_CONFLICT while a job that has not ended
// needs one of them. `unused` lists the digests whose files may go, which is the caller's to do.
bool store_dataset_delete(struct store *s, const char *name, struct digest_list *unused,
                          struct arena *a, struct err *e);

// Whether a dataset or a job that has not ended needs the files of this digest.
bool store_digest_used(struct store *s, const char *digest, bool *used, struct err *e);

// Whether a job that was submitted then is known and has ended.
bool store_job_over(struct store *s, int64_t id, int64_t created_at, bool *over, struct err *e);

// Whether a dataset is of this digest.
bool store_digest_named(struct store *s, const char *digest, bool *named, struct err *e);

// Models ---------------------------------------------------------------------------------------

struct model_row {
    int64_t id;
    const char *name;
    int64_t version;
    int64_t job; // 0: none left
    const char *digest;
    int64_t bytes;
    const char *task;
    int64_t created_at;
    const char *summary; // JSON; NULL in lists
};

struct model_list {
    struct model_row *row; // newest first
    size_t n;
    bool more;
};

// One version, or the newest for version 0. ERR_NOT_FOUND.
bool store_model_get(struct store *s, const char *name, int64_t version, struct model_row *out,
                     struct arena *a, struct err *e);

// Record the next version of a model that came from outside, whose file is in place and flushed.
bool store_model_put(struct store *s, const struct model_new *m, struct model_row *out,
                     struct arena *a, struct err *e);

// What a job has published. ERR_NOT_FOUND when there is no such job, ERR_CONFLICT when it has no
// model (yet).
bool store_model_of_job(struct store *s, int64_t job, struct model_row *out, struct arena *a,
                        struct err *e);

// Whether a model has the file of this digest.
bool store_model_digest_used(struct store *s, const char *digest, bool *used, struct err *e);

// The newest version of at most `limit` models, those older than the id `after` (0: all).
bool store_model_list(struct store *s, size_t limit, int64_t after, struct model_list *out,
                      struct arena *a, struct err *e);
