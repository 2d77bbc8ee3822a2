// SPDX-License-Identifier: MIT
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <pthread.h>
#include <string.h>

TEST(claims_go_by_priority_then_age)
{
    static const int priority[] = {0, 5, 5, -1};
    static const int64_t want[] = {2, 3, 1, 4};
    struct lab l;
    struct job_row row;
    struct job_claim none;
    bool replayed;
    lab_init(&l);
    for (int i = 0; i < 4; i++) {
        struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, priority[i], 0, NULL, NULL, 0};
        OK(store_job_submit(l.store, &job, &row, &replayed, &l.arena, &l.err));
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(lab_job(&l, want[i]).position, i + 1);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(lab_claim(&l).job, want[i]);
    OK(store_job_claim(l.store, "w", &none, &l.arena, &l.err));
    ck_assert(none.lease.job == 0 && none.next_in == 0);
    lab_release(&l);
}

static const struct {
    const char *set;
    bool mended; // what the job holds besides can be shown
} damaged[] = {
    {"metadata = CAST(x'7bff7d' AS TEXT)", false},
    {"metadata = x'7b7d'", true},
    {"name = x'ff'", false},
    {"name = x'6e'", true},
    {"dataset = x'6e'", true},
    {"digest = printf('%.64c', 'x')", true},
    {"digest = zeroblob(64)", true},
    {"attempt = 9223372036854775807", true},
    {"attempt = 'x'", true},
    {"crashes = -1", true},
    {"crashes = 0.5", true},
    {"deaths = 9223372036854775807", true},
    {"blame = 9223372036854775807", true},
    {"blame = -1", true},
    {"blame = 'x'", true},
    {"furthest = -1", true},
    {"epochs = -1", true},
    {"steps = 'x'", true},
    {"created_at = -1", true},
    {"created_at = 'x'", true},
    {"queued_at = x'00'", true},
    {"run_at = 'x'", true},
    {"priority = 'x'", true},
    {"spec_version = -1", true},
    {"spec = x'ff'", false},
};

LOOP_TEST(a_damaged_job_is_failed_with_the_reason_and_those_behind_it_run,
          sizeof damaged / sizeof *damaged)
{
    struct lab l;
    struct job_claim claim;
    struct event_list events;
    int64_t failed = 0;
    lab_init(&l);
    int64_t bad = lab_submit(&l, "bad"), good = lab_submit(&l, "good");
    lab_damage(&l, bad, damaged[_i].set);
    OK(store_job_claim(l.store, "w", &claim, &l.arena, &l.err));
    ck_assert_msg(claim.lease.job == good && claim.job.id == good, "%s", damaged[_i].set);
    OK(store_job_claim(l.store, "w", &claim, &l.arena, &l.err));
    ck_assert(claim.lease.job == 0 && claim.job.id == 0);
    ck_assert(store_exec(l.store,
                         "SELECT count(*) FROM jobs WHERE id = 1 AND state = 'failed' "
                         "AND error_text LIKE 'the stored job is damaged: %'",
                         &failed));
    ck_assert_msg(failed == 1, "%s", damaged[_i].set);
    OK(store_job_events(l.store, bad, 0, STORE_PAGE, &events, &l.arena, &l.err));
    ck_assert_ptr_nonnull(strstr(events.row[events.n - 1].message, "the stored job is damaged"));
    struct job_row row;
    if (damaged[_i].mended)
        ck_assert(lab_job(&l, bad).state == JOB_FAILED && lab_job(&l, bad).created_at > 0);
    else
        REFUSED(ERR_INTERNAL, store_job_get(l.store, bad, &row, &l.arena, &e));
    lab_release(&l);
}

enum { JOBS = 400, CLAIMERS = 8 };

struct claimer {
    struct lab *lab;
    _Atomic int *taken;
    pthread_t thread;
    int n;
};

static void *claim_all(void *arg)
{
    struct claimer *w = arg;
    struct arena a;
    struct err e = {0};
    struct job_claim claim;
    arena_init(&a, 8 << 20);
    for (;;) {
        ck_assert_msg(store_job_claim(w->lab->store, "w", &claim, &a, &e), "%s", e.text);
        if (!claim.lease.job)
            break;
        w->taken[claim.lease.job]++;
        w->n++;
    }
    arena_release(&a);
    return NULL;
}

static bool insert_many(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s, (void)arg;
    return SQL(c, e, NULL, NULL,
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
               "INSERT INTO jobs (name, digest, spec, metadata, created_at, queued_at) "
               "SELECT 'n', ?, '{}', '{}', 0, 0 FROM n",
               BIND_INT(JOBS), BIND_TEXT(lab_digest)) >= 0;
}

TEST(eight_threads_claim_four_hundred_jobs_once_each)
{
    static _Atomic int taken[JOBS + 1];
    struct lab l;
    struct claimer w[CLAIMERS];
    int total = 0;
    memset(taken, 0, sizeof taken);
    lab_init(&l);
    OK(store_write(l.store, insert_many, NULL, &l.err));
    for (int i = 0; i < CLAIMERS; i++) {
        w[i] = (struct claimer){.lab = &l, .taken = taken};
        ck_assert_int_eq(pthread_create(&w[i].thread, NULL, claim_all, &w[i]), 0);
    }
    for (int i = 0; i < CLAIMERS; i++) {
        pthread_join(w[i].thread, NULL);
        total += w[i].n;
    }
    ck_assert_int_eq(total, JOBS);
    for (int i = 1; i <= JOBS; i++)
        ck_assert_int_eq(taken[i], 1);
    lab_release(&l);
}

// Every write of a worker, tried with a lease that is not the job's.
static const double points[] = {1, 2};
static const struct series two_series[] = {{"", "train_loss", SERIES_REAL},
                                           {"", "val_loss", SERIES_REAL}};
static const struct series_list point_series[SERIES_KINDS] = {{two_series, 2}};
static const struct metric_row one_point = {1, 10, points, NULL};
static const struct job_beat some_beat = {.epoch = 1,
                                          .epochs = 5,
                                          .step = 10,
                                          .steps = 50,
                                          .best_epoch = 1,
                                          .best_metric = "val_loss",
                                          .best_value = 2,
                                          .series = point_series,
                                          .row = &one_point,
                                          .n_row = 1};
static const struct model_new some_model = {"m", lab_digest, "regression", "{}", 123};

static bool try_beat(struct store *s, const struct lease *k, struct err *e)
{
    bool cancel;
    return store_job_beat(s, k, &some_beat, &cancel, e);
}

static bool try_rows(struct store *s, const struct lease *k, struct err *e)
{
    static const struct row_table rows = {{two_series, 2}, 1, points};
    return store_job_put_rows(s, k, &rows, 0, e);
}

static bool try_renew(struct store *s, const struct lease *k, struct err *e)
{
    enum lease_fate fate = LEASE_HELD;
    ck_assert(store_job_renew(s, k, 1, &fate, e));
    e->kind = fate == LEASE_LOST ? ERR_CONFLICT : ERR_NONE;
    return fate != LEASE_LOST;
}

static bool try_finish(struct store *s, const struct lease *k, struct err *e)
{
    return store_job_finish(s, k, &(struct job_end){.state = JOB_SUCCEEDED, .model = &some_model},
                            e);
}

static bool try_crash(struct store *s, const struct lease *k, struct err *e)
{
    return store_job_rescue(s, k, RUN_CRASHED, "text", e);
}

static bool try_note(struct store *s, const struct lease *k, struct err *e)
{
    return store_job_note(s, k, "info", "text", e);
}

static bool (*const worker_write[])(struct store *, const struct lease *, struct err *) = {
    try_beat, try_rows, try_renew, try_finish, try_crash, try_note, store_job_release,
};
enum { WORKER_WRITES = sizeof worker_write / sizeof *worker_write };

// What a job looks like: its row, its log, its curve and its models.
static int64_t portrait(struct lab *l)
{
    int64_t n = 0;
    ck_assert(
        store_exec(l->store,
                   "SELECT sum(attempt * 1000003 + crashes * 1009 + deaths * 31 + step + epoch "
                   "+ lease_until + (state = 'running') * 7) + (SELECT count(*) FROM job_events) "
                   "* 500009 + (SELECT count(*) FROM job_metrics) * 70001 "
                   "+ (SELECT count(*) FROM job_series) * 50021 "
                   "+ (SELECT count(*) FROM job_rows) * 30011 "
                   "+ (SELECT count(*) FROM models) * 90001 FROM jobs",
                   &n));
    return n;
}

LOOP_TEST(a_stale_lease_changes_nothing, WORKER_WRITES)
{
    struct lab l;
    lab_init(&l);
    lab_submit(&l, "n");
    struct lease stale = lab_claim(&l);
    OK(store_job_release(l.store, &stale, &l.err));
    struct lease fresh = lab_claim(&l);
    lab_move(&l, 1000);
    int64_t before = portrait(&l);
    REFUSED(ERR_CONFLICT, worker_write[_i](l.store, &stale, &e));
    ck_assert_int_eq(portrait(&l), before);
    OK(worker_write[_i](l.store, &fresh, &l.err));
    ck_assert_int_ne(portrait(&l), before);
    lab_release(&l);
}

TEST(a_sweep_that_comes_after_the_end_changes_nothing)
{
    struct lab l;
    struct job_end end = {.state = JOB_SUCCEEDED, .model = &some_model};
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    OK(store_job_finish(l.store, &k, &end, &l.err));
    REFUSED(ERR_CONFLICT, store_job_rescue(l.store, &k, RUN_CRASHED, "lease expired", &e));
    ck_assert_int_eq(lab_job(&l, id).state, JOB_SUCCEEDED);
    ck_assert_int_eq(end.version, 1);
    lab_release(&l);
}

// With a model, without one, and after a failure.
LOOP_TEST(a_run_whose_job_was_cancelled_before_its_end_ends_so, 3)
{
    static const struct err why = {.kind = ERR_DIVERGED, .text = "step 1"};
    const struct job_end ends[] = {{.state = JOB_SUCCEEDED, .model = &some_model},
                                   {.state = JOB_SUCCEEDED},
                                   {.state = JOB_FAILED, .why = &why}};
    struct lab l;
    struct job_row row;
    struct model_row model;
    struct job_end end = ends[_i];
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    OK(store_job_cancel(l.store, id, &row, &l.arena, &l.err));
    OK(store_job_finish(l.store, &k, &end, &l.err));
    ck_assert(end.state == JOB_CANCELLED && !end.model && !end.why);
    row = lab_job(&l, id);
    ck_assert(row.state == JOB_CANCELLED && !row.model && !row.error_text);
    REFUSED(ERR_NOT_FOUND, store_model_get(l.store, "m", 0, &model, &l.arena, &e));
    lab_release(&l);
}

struct racer {
    struct lab *lab;
    struct lease lease;
    bool (*write)(struct store *, const struct lease *, struct err *);
    bool won;
    pthread_t thread;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    struct err e = {0};
    r->won = r->write(r->lab->store, &r->lease, &e);
    ck_assert(r->won || e.kind == ERR_CONFLICT);
    return NULL;
}

TEST(of_a_sweep_and_a_finish_at_once_exactly_one_wins)
{
    struct lab l;
    lab_init(&l);
    for (int i = 0; i < 50; i++) {
        int64_t id = lab_submit(&l, "n");
        struct lease k = lab_claim(&l);
        struct racer r[2] = {{&l, k, try_finish, false, 0}, {&l, k, try_crash, false, 0}};
        int first = i % 2;
        pthread_create(&r[first].thread, NULL, race, &r[first]);
        pthread_create(&r[!first].thread, NULL, race, &r[!first]);
        pthread_join(r[0].thread, NULL);
        pthread_join(r[1].thread, NULL);
        struct job_row job = lab_job(&l, id);
        ck_assert(r[0].won != r[1].won);
        ck_assert_int_eq(job.state, r[0].won ? JOB_SUCCEEDED : JOB_QUEUED);
        ck_assert_int_eq(job.model != NULL, r[0].won);
    }
    lab_release(&l);
}

TEST(a_finished_job_shows_its_model_and_versions_count_up)
{
    struct lab l;
    struct job_end end = {.state = JOB_SUCCEEDED, .model = &some_model};
    lab_init(&l);
    for (int i = 1; i <= 3; i++) {
        int64_t id = lab_submit(&l, "n");
        struct lease k = lab_claim(&l);
        lab_move(&l, 5);
        OK(store_job_finish(l.store, &k, &end, &l.err));
        struct job_row job = lab_job(&l, id);
        ck_assert_int_eq(end.version, i);
        ck_assert_str_eq(job.model, "m");
        ck_assert_int_eq(job.version, i);
        ck_assert_int_eq(job.finished_at, l.wall);
        ck_assert_int_eq(job.started_at, l.wall - 5);
    }
    lab_release(&l);
}

TEST(a_failed_job_keeps_its_error)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    struct err why = {ERR_DIVERGED, "/optimizer/lr", "the loss is not finite at step 3"};
    OK(store_job_finish(l.store, &k, &(struct job_end){.state = JOB_FAILED, .why = &why}, &l.err));
    struct job_row job = lab_job(&l, id);
    ck_assert_int_eq(job.state, JOB_FAILED);
    ck_assert_str_eq(job.error_kind, "diverged");
    ck_assert_str_eq(job.error_at, "/optimizer/lr");
    ck_assert_str_eq(job.error_text, "the loss is not finite at step 3");
    lab_release(&l);
}

TEST(the_third_crash_of_its_own_fails_a_job_and_pauses_double_before)
{
    static const int64_t pause[] = {10000, 20000};
    struct lab l;
    struct job_claim none;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 0; i < 2; i++) {
        struct lease k = lab_claim(&l);
        OK(store_job_rescue(l.store, &k, RUN_CRASHED, "out of memory", &l.err));
        OK(store_job_claim(l.store, "w", &none, &l.arena, &l.err));
        ck_assert_int_eq(none.lease.job, 0);
        ck_assert_int_eq(none.next_in, pause[i]);
        lab_move(&l, pause[i]);
    }
    struct lease k = lab_claim(&l);
    OK(store_job_rescue(l.store, &k, RUN_CRASHED, "out of memory", &l.err));
    struct job_row job = lab_job(&l, id);
    ck_assert_int_eq(job.state, JOB_FAILED);
    ck_assert_int_eq(job.crashes, 3);
    ck_assert_int_eq(job.deaths, 0);
    ck_assert_str_eq(job.error_text, "the run ended unexpectedly 3 times: out of memory");
    lab_release(&l);
}

// A shortage may last for hours, and is nobody's fault; but a machine on which it never ends must
// not try for ever.
TEST(a_starved_job_is_tried_again_for_half_a_day)
{
    struct lab l;
    struct job_claim none;
    int64_t waited = 0;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 1;; i++) {
        struct lease k = lab_claim(&l);
        OK(store_job_rescue(l.store, &k, RUN_STARVED, "the system is out of memory", &l.err));
        struct job_row job = lab_job(&l, id);
        ck_assert(job.crashes == 0 && job.deaths == 0 && job.attempt == i);
        if (i == STORE_ATTEMPTS)
            break;
        ck_assert_int_eq(job.state, JOB_QUEUED);
        OK(store_job_claim(l.store, "w", &none, &l.arena, &l.err));
        ck_assert_int_eq(none.next_in, i < 6 ? 5000 << i : i == 6 ? 320000 : STORE_PAUSE_MS);
        waited += none.next_in;
        lab_move(&l, none.next_in);
    }
    ck_assert_int_gt(waited, 12 * 3600 * 1000);
    struct job_row job = lab_job(&l, id);
    ck_assert_int_eq(job.state, JOB_FAILED);
    ck_assert_str_eq(job.error_text,
                     "in 100 attempts the system lacked something: the system is out of memory");
    lab_release(&l);
}

// A job that crashed twice before, now by the daemon's death, or cancelled as it crashes.
LOOP_TEST(only_a_third_crash_of_its_own_leaves_a_reason, 2)
{
    struct lab l;
    struct job_row job;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 0; i < 2; i++) {
        struct lease k = lab_claim(&l);
        OK(store_job_rescue(l.store, &k, RUN_CRASHED, "out of memory", &l.err));
        lab_move(&l, STORE_PAUSE_MS);
    }
    struct lease k = lab_claim(&l);
    if (_i == 1)
        OK(store_job_cancel(l.store, id, &job, &l.arena, &l.err));
    OK(store_job_rescue(l.store, &k, _i == 1 ? RUN_CRASHED : RUN_DIED, "out of memory", &l.err));
    job = lab_job(&l, id);
    ck_assert_int_eq(job.state, _i == 1 ? JOB_CANCELLED : JOB_QUEUED);
    ck_assert(!job.error_text && !job.error_kind);
    lab_release(&l);
}

TEST(a_restart_queues_at_once_what_got_further_than_before_and_never_fails_it)
{
    struct job_beat beat = {.epoch = 0};
    bool cancel;
    struct lab l;
    struct job_row row;
    int64_t n;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n"), asked = lab_submit(&l, "n");
    for (int i = 0; i < 5; i++) {
        struct lease k = lab_claim(&l);
        beat.epoch++;
        OK(store_job_beat(l.store, &k, &beat, &cancel, &l.err));
        lab_reopen(&l);
        OK(store_job_rescue_dead(l.store, &n, &l.err));
        ck_assert_int_eq(n, 1);
    }
    ck_assert_int_eq(lab_claim(&l).job, id);
    struct job_row job = lab_job(&l, id);
    ck_assert(job.deaths == 5 && job.crashes == 0 && job.attempt == 6);
    lab_claim(&l);
    OK(store_job_cancel(l.store, asked, &row, &l.arena, &l.err));
    OK(store_job_rescue_dead(l.store, &n, &l.err));
    ck_assert_int_eq(n, 2);
    ck_assert_int_eq(lab_job(&l, asked).state, JOB_CANCELLED);
    lab_release(&l);
}

TEST(a_release_is_no_attempt_and_honours_a_cancellation)
{
    struct lab l;
    struct job_row row;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    OK(store_job_release(l.store, &k, &l.err));
    row = lab_job(&l, id);
    ck_assert(row.state == JOB_QUEUED && row.attempt == 0 && row.crashes + row.deaths == 0);
    k = lab_claim(&l);
    OK(store_job_cancel(l.store, id, &row, &l.arena, &l.err));
    OK(store_job_release(l.store, &k, &l.err));
    ck_assert_int_eq(lab_job(&l, id).state, JOB_CANCELLED);
    lab_release(&l);
}

static const int64_t jump[] = {0, 3600 * 1000LL, -86400 * 1000LL, 30 * 365 * 86400 * 1000LL};

LOOP_TEST(a_pause_takes_its_time_however_the_clock_is_set, sizeof jump / sizeof *jump)
{
    struct lab l;
    struct job_claim none;
    lab_init(&l);
    l.wall += 2 * 86400 * 1000LL;
    lab_reopen(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    OK(store_job_rescue(l.store, &k, RUN_CRASHED, "out of memory", &l.err));
    l.wall += jump[_i];
    lab_move(&l, 4000);
    OK(store_job_claim(l.store, "w", &none, &l.arena, &l.err));
    ck_assert(!none.lease.job && none.next_in == 6000);
    ck_assert_int_eq(lab_job(&l, id).run_at, l.wall + 6000);
    lab_move(&l, 6000);
    ck_assert_int_eq(lab_claim(&l).job, id);
    ck_assert_int_eq(lab_job(&l, id).run_at, 0);
    lab_release(&l);
}

TEST(after_a_restart_no_pause_is_longer_than_the_longest)
{
    static const int64_t moved[] = {4000, -86400 * 1000LL, 3600 * 1000LL};
    static const int64_t left[] = {6000, STORE_PAUSE_MS, 0};
    struct lab l;
    struct job_claim claim;
    int64_t n;
    lab_init(&l);
    l.wall += 2 * 86400 * 1000LL;
    for (int i = 0; i < 3; i++) {
        lab_reopen(&l);
        lab_submit(&l, "n");
        struct lease k = lab_claim(&l);
        OK(store_job_rescue(l.store, &k, RUN_CRASHED, "out of memory", &l.err));
        l.wall += moved[i];
        lab_reopen(&l);
        OK(store_job_rescue_dead(l.store, &n, &l.err));
        OK(store_job_claim(l.store, "w", &claim, &l.arena, &l.err));
        ck_assert_int_eq(claim.lease.job != 0, left[i] == 0);
        ck_assert_int_eq(claim.next_in, left[i]);
        ck_assert(store_exec(l.store, "DELETE FROM jobs", NULL));
    }
    lab_release(&l);
}

TEST(a_gap_is_told_once_in_the_log_of_the_job)
{
    struct lab l;
    struct job_beat beat = some_beat;
    struct event_list list;
    bool cancel;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    for (int i = 0; i < 3; i++) {
        beat.gap_from = i == 1 ? 120 : 0;
        beat.gap_to = i == 1 ? 180 : 0;
        beat.gap_why = "the disk was full";
        OK(store_job_beat(l.store, &k, &beat, &cancel, &l.err));
    }
    OK(store_job_events(l.store, id, 0, STORE_PAGE, &list, &l.arena, &l.err));
    ck_assert_uint_eq(list.n, 3); // queued, running, this
    ck_assert_str_eq(list.row[2].message, "epochs 120 to 180 were not stored: the disk was full");
    ck_assert_str_eq(list.row[2].level, "warn");
    ck_assert_str_eq(list.row[2].type, "metrics");
    lab_release(&l);
}
