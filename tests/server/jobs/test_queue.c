// SPDX-License-Identifier: MIT
#include "server/jobs/queue.h"

#include "tests/server/lab.h"
#include "server/jobs/queue_lease.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
    struct lab lab;
    struct queue *queue;
};

static void bench_init(struct bench *b)
{
    int64_t n;
    lab_init(&b->lab);
    b->queue = queue_new(b->lab.store, &b->lab.clock, &n, &b->lab.err);
    ck_assert_ptr_nonnull(b->queue);
}

static void bench_release(struct bench *b)
{
    queue_free(b->queue);
    lab_release(&b->lab);
}

static int64_t submit(struct bench *b)
{
    struct arena a;
    struct err e = {0};
    struct job_row row;
    bool replayed;
    struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, 0, 0, NULL, NULL, 0};
    arena_init(&a, 1 << 20);
    ck_assert(store_job_submit(b->lab.store, &job, &row, &replayed, &a, &e));
    arena_release(&a);
    return row.id;
}

static struct ticket *claim(struct bench *b, struct job_row *row)
{
    struct ticket *t = queue_claim_wait(b->queue, "w", row, &b->lab.arena, &b->lab.err);
    ck_assert_msg(t != NULL, "%s", b->lab.err.text);
    return t;
}

static enum job_state state(struct bench *b, int64_t id)
{
    return lab_job(&b->lab, id).state;
}

struct waiter {
    struct bench *bench;
    struct job_row job;
    struct err err;
    bool got;
    pthread_t thread;
};

static void *wait_for_job(void *arg)
{
    struct waiter *w = arg;
    struct arena a;
    arena_init(&a, 1 << 20);
    struct ticket *t = queue_claim_wait(w->bench->queue, "w", &w->job, &a, &w->err);
    w->got =
        t && queue_finish(w->bench->queue, t, &(struct job_end){.state = JOB_CANCELLED}, &w->err);
    arena_release(&a);
    return NULL;
}

TEST(a_waiting_worker_is_woken_by_a_submission)
{
    struct bench b;
    struct waiter w = {.bench = &b};
    bench_init(&b);
    ck_assert_int_eq(pthread_create(&w.thread, NULL, wait_for_job, &w), 0);
    int64_t id = submit(&b);
    pthread_join(w.thread, NULL);
    ck_assert(w.got);
    ck_assert_int_eq(w.job.id, id);
    bench_release(&b);
}

// Another process, as far as SQLite can tell.
TEST(a_waiting_worker_finds_what_another_connection_has_submitted_within_the_bound)
{
    struct bench b;
    struct waiter w = {.bench = &b};
    char path[96];
    sqlite3 *db;
    bench_init(&b);
    ck_assert_int_eq(pthread_create(&w.thread, NULL, wait_for_job, &w), 0);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); // most likely it waits by now
    snprintf(path, sizeof path, "%.64s/mlpd.db", b.lab.dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    int64_t begun = clock_mono(&clock_system);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "INSERT INTO jobs (name, digest, spec, metadata, created_at, "
                                  "queued_at) VALUES ('n', printf('%064d', 0), '{}', '{}', 1, 1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    pthread_join(w.thread, NULL);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    ck_assert(w.got);
    ck_assert_int_lt(clock_mono(&clock_system) - begun, 20 * STORE_NOTICE_MS);
    bench_release(&b);
}

TEST(draining_wakes_waiting_workers_and_hands_out_nothing_more)
{
    struct bench b;
    struct waiter w[3];
    bench_init(&b);
    for (int i = 0; i < 3; i++) {
        w[i] = (struct waiter){.bench = &b};
        ck_assert_int_eq(pthread_create(&w[i].thread, NULL, wait_for_job, &w[i]), 0);
    }
    queue_drain(b.queue);
    for (int i = 0; i < 3; i++) {
        pthread_join(w[i].thread, NULL);
        ck_assert(!w[i].got);
        ck_assert_int_eq(w[i].err.kind, ERR_CANCELLED);
    }
    ck_assert_int_eq(state(&b, submit(&b)), JOB_QUEUED);
    bench_release(&b);
}

TEST(a_drained_run_is_asked_to_release_and_queued_again)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    int64_t id = submit(&b);
    struct ticket *t = claim(&b, &job);
    ck_assert_int_eq(ticket_poll(t), STOP_NONE);
    queue_drain(b.queue);
    ck_assert_int_eq(ticket_poll(t), STOP_DRAIN);
    ck_assert(queue_release(b.queue, t, &b.lab.err));
    ck_assert_int_eq(state(&b, id), JOB_QUEUED);
    ck_assert_int_eq(lab_job(&b.lab, id).attempt, 0);
    bench_release(&b);
}

TEST(a_cancellation_reaches_the_run_at_once_and_outlasts_a_drain)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    int64_t id = submit(&b);
    struct ticket *t = claim(&b, &job);
    ck_assert(queue_cancel(b.queue, id, &job, &b.lab.arena, &b.lab.err));
    ck_assert_int_eq(ticket_poll(t), STOP_CANCEL);
    queue_drain(b.queue);
    ck_assert_int_eq(ticket_poll(t), STOP_CANCEL);
    ck_assert(queue_finish(b.queue, t, &(struct job_end){.state = JOB_CANCELLED}, &b.lab.err));
    ck_assert_int_eq(state(&b, id), JOB_CANCELLED);
    bench_release(&b);
}

TEST(a_cancellation_past_the_queue_is_seen_by_the_next_beat_and_by_the_next_tick)
{
    static const struct job_beat beat = {.epoch = 1};
    struct bench b;
    struct job_row job;
    bench_init(&b);
    for (int by_tick = 0; by_tick < 2; by_tick++) {
        int64_t id = submit(&b);
        struct ticket *t = claim(&b, &job);
        ck_assert(store_job_cancel(b.lab.store, id, &job, &b.lab.arena, &b.lab.err));
        ck_assert_int_eq(ticket_poll(t), STOP_NONE);
        if (by_tick)
            queue_tick(b.queue);
        else
            ck_assert(queue_beat(b.queue, t, &beat, &b.lab.err));
        ck_assert_int_eq(ticket_poll(t), STOP_CANCEL);
        ck_assert(queue_finish(b.queue, t, &(struct job_end){.state = JOB_CANCELLED}, &b.lab.err));
    }
    bench_release(&b);
}

TEST(a_run_that_polls_keeps_its_lease_for_hours)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    int64_t id = submit(&b);
    struct ticket *t = claim(&b, &job);
    for (int i = 0; i < 500; i++) {
        lab_move(&b.lab, 20000);
        ck_assert_int_eq(ticket_poll(t), STOP_NONE);
        queue_tick(b.queue);
    }
    ck_assert(queue_finish(b.queue, t, &(struct job_end){.state = JOB_CANCELLED}, &b.lab.err));
    ck_assert_int_eq(state(&b, id), JOB_CANCELLED);
    bench_release(&b);
}

TEST(a_stuck_run_loses_its_job_and_its_late_result_is_refused)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    int64_t id = submit(&b);
    struct ticket *t = claim(&b, &job);
    ticket_poll(t);
    queue_tick(b.queue);
    lab_move(&b.lab, QUEUE_STUCK_MS);
    queue_tick(b.queue);
    ck_assert_int_eq(state(&b, id), JOB_QUEUED);
    ck_assert_int_eq(lab_job(&b.lab, id).crashes, 1);
    ck_assert_int_eq(ticket_poll(t), STOP_LOST);
    REFUSED(ERR_CONFLICT, queue_finish(b.queue, t, &(struct job_end){.state = JOB_CANCELLED}, &e));
    ck_assert_int_eq(state(&b, id), JOB_QUEUED);
    bench_release(&b);
}

// From here on no lease can be renewed, until `on` is false.
static void block_renewals(struct bench *b, bool on)
{
    ck_assert(store_exec(b->lab.store,
                         on ? "CREATE TRIGGER stop BEFORE UPDATE ON jobs BEGIN "
                              "SELECT RAISE(FAIL, 'no more'); END"
                            : "DROP TRIGGER stop",
                         NULL));
}

TEST(a_run_that_cannot_renew_stops_before_its_lease_ends_and_is_queued_when_it_can_be)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    int64_t id = submit(&b);
    struct ticket *t = claim(&b, &job);
    block_renewals(&b, true);
    lab_move(&b.lab, STORE_LEASE_MS - QUEUE_MARGIN_MS - 1);
    ticket_poll(t);
    queue_tick(b.queue);
    ck_assert_int_eq(ticket_poll(t), STOP_NONE);
    lab_move(&b.lab, 1);
    queue_tick(b.queue);
    ck_assert_int_eq(ticket_poll(t), STOP_LOST);
    ck_assert_int_eq(state(&b, id), JOB_RUNNING);
    block_renewals(&b, false);
    ck_assert(queue_release(b.queue, t, &b.lab.err));
    job = lab_job(&b.lab, id);
    ck_assert(job.state == JOB_QUEUED && job.crashes == 0);
    bench_release(&b);
}

// From here on every change of a job needs room that there is not, until `on` is false.
static void fill_disk(struct bench *b, bool on)
{
    ck_assert(
        store_exec(b->lab.store,
                   on ? "CREATE TRIGGER fill BEFORE UPDATE ON jobs BEGIN INSERT INTO job_events "
                        "(job_id, at, level, type, message) VALUES (new.id, 0, 'info', 'state', "
                        "printf('%.1000000c', 'x')); END"
                      : "PRAGMA max_page_count = 100000",
                   NULL));
    ck_assert(
        store_exec(b->lab.store, on ? "PRAGMA max_page_count = 60" : "DROP TRIGGER fill", NULL));
}

TEST(a_full_disk_takes_no_job_from_its_run)
{
    static const struct job_beat beat = {.epoch = 1};
    struct bench b;
    struct job_row job;
    bench_init(&b);
    submit(&b);
    struct ticket *t = claim(&b, &job);
    fill_disk(&b, true);
    for (int i = 0; i < 5; i++) {
        lab_move(&b.lab, STORE_LEASE_MS - QUEUE_MARGIN_MS);
        queue_tick(b.queue);
        ck_assert_int_eq(ticket_poll(t), STOP_NONE);
        REFUSED(ERR_NO_SPACE, queue_beat(b.queue, t, &beat, &e));
    }
    fill_disk(&b, false);
    ck_assert(queue_beat(b.queue, t, &beat, &b.lab.err));
    ck_assert(queue_finish(b.queue, t, &(struct job_end){.state = JOB_CANCELLED}, &b.lab.err));
    bench_release(&b);
}

struct finisher {
    struct bench *bench;
    struct ticket *ticket;
    struct err err;
    struct job_end end;
    bool ok;
    pthread_t thread;
};

static void *finish(void *arg)
{
    static const struct model_new model = {"m", lab_digest, "regression", "{}", 1};
    struct finisher *f = arg;
    f->end = (struct job_end){.state = JOB_SUCCEEDED, .model = &model};
    f->ok = queue_finish(f->bench->queue, f->ticket, &f->end, &f->err);
    return NULL;
}

// There is no room for the model; the cancellation may come before the end is tried, or while it
// waits.
TEST(an_end_that_waits_for_room_gives_way_to_a_cancellation)
{
    struct bench b;
    struct job_row job;
    struct finisher f = {.bench = &b};
    bench_init(&b);
    int64_t id = submit(&b);
    f.ticket = claim(&b, &job);
    ck_assert(
        store_exec(b.lab.store,
                   "CREATE TRIGGER fill BEFORE INSERT ON models BEGIN INSERT INTO job_events "
                   "(job_id, at, level, type, message) VALUES (new.job_id, 0, 'info', 'state', "
                   "printf('%.1000000c', 'x')); END",
                   NULL));
    ck_assert(store_exec(b.lab.store, "PRAGMA max_page_count = 60", NULL));
    ck_assert_int_eq(pthread_create(&f.thread, NULL, finish, &f), 0);
    ck_assert(queue_cancel(b.queue, id, &job, &b.lab.arena, &b.lab.err));
    pthread_join(f.thread, NULL);
    ck_assert(f.ok ? f.end.state == JOB_CANCELLED : f.err.kind == ERR_NO_SPACE);
    queue_tick(b.queue);
    ck_assert_int_eq(state(&b, id), JOB_CANCELLED);
    bench_release(&b);
}

TEST(setting_the_wall_clock_neither_frees_nor_prolongs_a_lease)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    submit(&b);
    struct ticket *t = claim(&b, &job);
    block_renewals(&b, true);
    b.lab.wall += 1000000000;
    queue_tick(b.queue);
    ck_assert_int_eq(ticket_poll(t), STOP_NONE);
    b.lab.wall -= 2000000000;
    b.lab.mono += STORE_LEASE_MS - QUEUE_MARGIN_MS;
    queue_tick(b.queue);
    ck_assert_int_eq(ticket_poll(t), STOP_LOST);
    bench_release(&b);
}

TEST(a_job_that_could_not_be_given_back_is_taken_back_later)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    int64_t id = submit(&b);
    struct ticket *t = claim(&b, &job);
    ck_assert(store_exec(b.lab.store, "ALTER TABLE job_events RENAME TO gone", NULL));
    REFUSED(ERR_INTERNAL, queue_release(b.queue, t, &e));
    queue_tick(b.queue);
    ck_assert_int_eq(state(&b, id), JOB_RUNNING);
    ck_assert(store_exec(b.lab.store, "ALTER TABLE gone RENAME TO job_events", NULL));
    queue_tick(b.queue);
    job = lab_job(&b.lab, id);
    ck_assert(job.state == JOB_QUEUED && job.deaths == 1 && job.crashes == 0);
    bench_release(&b);
}

TEST(at_the_end_every_job_is_taken_back_and_a_late_worker_is_refused)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    int64_t late = submit(&b), orphan = submit(&b), done = submit(&b);
    struct ticket *t = claim(&b, &job), *o = claim(&b, &job), *d = claim(&b, &job);
    ck_assert(queue_finish(b.queue, d, &(struct job_end){.state = JOB_CANCELLED}, &b.lab.err));
    ck_assert(store_exec(b.lab.store, "ALTER TABLE job_events RENAME TO gone", NULL));
    REFUSED(ERR_INTERNAL, queue_release(b.queue, o, &e));
    ck_assert(store_exec(b.lab.store, "ALTER TABLE gone RENAME TO job_events", NULL));
    queue_drain(b.queue);
    ck_assert_int_eq(queue_take_back(b.queue), 2);
    ck_assert(state(&b, late) == JOB_QUEUED && state(&b, orphan) == JOB_QUEUED);
    ck_assert_int_eq(lab_job(&b.lab, late).attempt + lab_job(&b.lab, orphan).deaths, 0);
    ck_assert_int_eq(state(&b, done), JOB_CANCELLED);
    REFUSED(ERR_CONFLICT, queue_finish(b.queue, t, &(struct job_end){.state = JOB_CANCELLED}, &e));
    ck_assert_int_eq(state(&b, late), JOB_QUEUED);
    ck_assert_int_eq(queue_take_back(b.queue), 0);
    bench_release(&b);
}

TEST(the_third_crash_fails_a_job_with_a_reason)
{
    struct bench b;
    struct job_row job;
    bench_init(&b);
    int64_t id = submit(&b);
    for (int i = 0; i < 3; i++) {
        ck_assert(queue_lose(b.queue, claim(&b, &job), RUN_CRASHED, "could not load the data",
                             &b.lab.err));
        lab_move(&b.lab, 600000);
    }
    job = lab_job(&b.lab, id);
    ck_assert_int_eq(job.state, JOB_FAILED);
    ck_assert_str_eq(job.error_text, "the run ended unexpectedly 3 times: could not load the data");
    bench_release(&b);
}

static void finish_refused(struct bench *b, const struct model_new *m, enum err_kind want)
{
    struct job_row job;
    struct ticket *t = claim(b, &job);
    REFUSED(want,
            queue_finish(b->queue, t, &(struct job_end){.state = JOB_SUCCEEDED, .model = m}, &e));
    queue_tick(b->queue);
}

TEST(a_result_too_large_for_the_store_fails_its_job_at_once)
{
    struct bench b;
    enum { LEN = 65 << 20 };
    char *summary = malloc(LEN + 1);
    bench_init(&b);
    ck_assert_ptr_nonnull(summary);
    memset(summary, 'x', LEN);
    summary[LEN] = '\0';
    const struct model_new m = {"m", lab_digest, "regression", summary, 0};
    int64_t id = submit(&b);
    finish_refused(&b, &m, ERR_TOO_LARGE);
    free(summary);
    struct job_row job = lab_job(&b.lab, id);
    ck_assert_int_eq(job.state, JOB_FAILED);
    ck_assert_int_eq(job.attempt, 1);
    ck_assert_str_eq(job.error_kind, err_word(ERR_TOO_LARGE));
    ck_assert_ptr_nonnull(strstr(job.error_text, "the result could not be stored: "));
    ck_assert_int_eq(queue_take_back(b.queue), 0);
    bench_release(&b);
}

TEST(a_result_that_a_constraint_refuses_is_a_crash_and_the_third_fails_its_job)
{
    char name[101];
    struct bench b;
    struct job_row job;
    bench_init(&b);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const struct model_new m = {name, lab_digest, "regression", "{}", 0};
    int64_t id = submit(&b);
    for (int i = 1; i <= STORE_CRASHES; i++) {
        finish_refused(&b, &m, ERR_INTERNAL);
        job = lab_job(&b.lab, id);
        ck_assert(job.crashes == i && job.deaths == 0);
        ck_assert_int_eq(job.state, i < STORE_CRASHES ? JOB_QUEUED : JOB_FAILED);
        ck_assert(job.state == JOB_FAILED || job.run_at > b.lab.wall);
        lab_move(&b.lab, 600000);
    }
    ck_assert_ptr_nonnull(strstr(job.error_text, "the result could not be stored: "));
    bench_release(&b);
}

static const struct job_beat first_epoch = {.epoch = 1};

TEST(a_new_queue_takes_over_what_the_dead_daemon_ran)
{
    struct bench b;
    struct job_row job;
    int64_t n = 0;
    bench_init(&b);
    int64_t id = submit(&b);
    ck_assert(queue_beat(b.queue, claim(&b, &job), &first_epoch, &b.lab.err));
    queue_free(b.queue);
    lab_reopen(&b.lab);
    b.queue = queue_new(b.lab.store, &b.lab.clock, &n, &b.lab.err);
    ck_assert_int_eq(n, 1);
    struct ticket *t = claim(&b, &job);
    ck_assert(job.id == id && job.attempt == 2 && job.deaths == 1);
    ck_assert(queue_release(b.queue, t, &b.lab.err));
    bench_release(&b);
}

TEST(a_tick_takes_over_what_another_machine_no_longer_renews)
{
    struct bench b;
    struct job_row job;
    int64_t n = 0;
    bench_init(&b);
    int64_t id = submit(&b);
    struct lease lost = lab_claim(&b.lab);
    ck_assert_int_eq(lost.job, id);
    ck_assert(store_exec(b.lab.store, "UPDATE jobs SET worker = 'elsewhere/0b/1-1/w'", NULL));
    queue_free(b.queue);
    lab_reopen(&b.lab);
    b.queue = queue_new(b.lab.store, &b.lab.clock, &n, &b.lab.err);
    ck_assert_int_eq(n, 0);
    queue_tick(b.queue);
    ck_assert_int_eq(state(&b, id), JOB_RUNNING);
    lab_move(&b.lab, STORE_LEASE_MS);
    queue_tick(b.queue);
    ck_assert_int_eq(state(&b, id), JOB_QUEUED);
    lab_move(&b.lab, 10000);
    struct ticket *t = claim(&b, &job);
    ck_assert(job.id == id && job.attempt == 2);
    ck_assert(queue_release(b.queue, t, &b.lab.err));
    bench_release(&b);
}

// A job that the daemon died under before its first epoch, now due.
static int64_t suspect(struct bench *b)
{
    struct job_row job;
    int64_t n, id = submit(b);
    claim(b, &job);
    queue_free(b->queue);
    b->queue = queue_new(b->lab.store, &b->lab.clock, &n, &b->lab.err);
    ck_assert(b->queue && n == 1);
    lab_move(&b->lab, 10000);
    return id;
}

LOOP_TEST(a_worker_waits_beside_a_suspect_until_it_is_cleared_or_ends, 2)
{
    struct bench b;
    struct job_row job;
    struct waiter w = {.bench = &b};
    bench_init(&b);
    int64_t id = suspect(&b);
    struct ticket *t = claim(&b, &job);
    ck_assert(job.id == id && job.blame == BLAME_SUSPECT);
    int64_t other = submit(&b);
    ck_assert_int_eq(pthread_create(&w.thread, NULL, wait_for_job, &w), 0);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    ck_assert_int_eq(state(&b, other), JOB_QUEUED);
    if (_i == 0)
        ck_assert(queue_beat(b.queue, t, &first_epoch, &b.lab.err));
    else
        ck_assert(queue_finish(b.queue, t, &(struct job_end){.state = JOB_CANCELLED}, &b.lab.err));
    struct timespec until; // well before it would look again by itself
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    ck_assert_int_eq(pthread_timedjoin_np(w.thread, NULL, &until), 0);
    ck_assert(w.got && w.job.id == other);
    if (_i == 0)
        ck_assert(queue_finish(b.queue, t, &(struct job_end){.state = JOB_CANCELLED}, &b.lab.err));
    bench_release(&b);
}

enum { WORKERS = 4, JOBS = 100 };

struct worker {
    struct bench *bench;
    _Atomic int *done;
    pthread_t thread;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct arena a;
    struct err e = {0};
    struct job_row job;
    struct ticket *t;
    arena_init(&a, 16 << 20);
    while ((t = queue_claim_wait(w->bench->queue, "w", &job, &a, &e))) {
        enum stop why = ticket_poll(t);
        ck_assert(why == STOP_NONE || why == STOP_CANCEL || why == STOP_DRAIN);
        ck_assert(queue_finish(w->bench->queue, t, &(struct job_end){.state = JOB_CANCELLED}, &e));
        if (++*w->done == JOBS)
            queue_drain(w->bench->queue);
    }
    arena_release(&a);
    return NULL;
}

TEST(workers_submitters_cancellers_and_ticks_run_together)
{
    struct bench b;
    struct worker w[WORKERS];
    _Atomic int done = 0;
    bench_init(&b);
    for (int i = 0; i < WORKERS; i++) {
        w[i] = (struct worker){.bench = &b, .done = &done};
        ck_assert_int_eq(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
    }
    for (int i = 0; i < JOBS; i++) {
        struct err e = {0};
        struct job_row job;
        int64_t id = submit(&b);
        if (i % 3 == 0 && queue_cancel(b.queue, id, &job, &b.lab.arena, &e) &&
            job.state == JOB_CANCELLED && ++done == JOBS)
            queue_drain(b.queue);
        queue_tick(b.queue);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(w[i].thread, NULL);
    ck_assert_int_eq(done, JOBS);
    bench_release(&b);
}
