// SPDX-License-Identifier: MIT
#include "server/store/store.h"

#include "server/base/machine.h"
#include "tests/server/lab.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEED(call) ck_assert_msg((call), "%s", l->err.text)

static int64_t die(struct lab *l)
{
    int64_t n;
    lab_reopen(l);
    NEED(store_job_rescue_dead(l->store, &n, &l->err));
    return n;
}

static void reach(struct lab *l, const struct lease *k, int64_t epoch)
{
    const struct job_beat beat = {.epoch = epoch};
    bool cancel;
    NEED(store_job_beat(l->store, k, &beat, &cancel, &l->err));
}

// Nothing is due; the milliseconds until something is.
static int64_t next_in(struct lab *l)
{
    struct job_claim none;
    NEED(store_job_claim(l->store, "w", &none, &l->arena, &l->err));
    ck_assert_int_eq(none.lease.job, 0);
    return none.next_in;
}

static const char *last_event(struct lab *l, int64_t id)
{
    struct event_list list;
    NEED(store_job_events(l->store, id, 0, STORE_PAGE, &list, &l->arena, &l->err));
    return list.row[list.n - 1].message;
}

TEST(a_job_under_which_the_daemon_dies_pauses_longer_each_time_and_fails_at_the_third)
{
    static const int64_t pause[] = {10000, 60000};
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(lab_claim(&l).job, id);
        ck_assert_int_eq(die(&l), 1);
        ck_assert_int_eq(lab_job(&l, id).state, JOB_QUEUED);
        ck_assert_int_eq(next_in(&l), pause[i]);
        ck_assert_int_eq(lab_job(&l, id).run_at, l.wall + pause[i]);
        ck_assert_ptr_nonnull(
            strstr(last_event(&l, id), i ? "after 60 s, alone" : "after 10 s, alone"));
        lab_move(&l, pause[i]);
    }
    lab_claim(&l);
    ck_assert_int_eq(die(&l), 1);
    struct job_row job = lab_job(&l, id);
    ck_assert(job.state == JOB_FAILED && job.deaths == 3 && job.crashes == 0);
    ck_assert_str_eq(job.error_kind, "internal");
    ck_assert_str_eq(job.error_text,
                     "the daemon died 3 times while the job ran, which got no further "
                     "than epoch 0; it may need more memory than there is");
    ck_assert_str_eq(last_event(&l, id), job.error_text);
    ck_assert_int_eq(next_in(&l), 0);
    lab_release(&l);
}

// Killed again and again at an epoch that it had reached before; the first time it was new.
TEST(a_job_that_dies_late_each_time_is_failed_at_the_third_too)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 0; lab_job(&l, id).state != JOB_FAILED; i++) {
        ck_assert_int_lt(i, 4);
        struct lease k = lab_claim(&l);
        reach(&l, &k, 50 - i);
        die(&l);
        ck_assert_int_eq(lab_job(&l, id).blame, i);
        lab_move(&l, 60000);
    }
    ck_assert_int_eq(lab_job(&l, id).deaths, 4);
    ck_assert_ptr_nonnull(strstr(lab_job(&l, id).error_text, "no further than epoch 50;"));
    lab_release(&l);
}

TEST(a_suspect_runs_alone_until_it_gets_further)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n"), other = lab_submit(&l, "n");
    lab_claim(&l);
    die(&l);
    struct lease k = lab_claim(&l); // goes before, while the suspect pauses
    ck_assert_int_eq(k.job, other);
    lab_move(&l, 10000);
    ck_assert_int_eq(next_in(&l), 0); // it does not run beside another
    OK(store_job_release(l.store, &k, &l.err));
    struct lease s = lab_claim(&l); // the older one, and nothing runs
    ck_assert_int_eq(s.job, id);
    ck_assert_int_eq(next_in(&l), 0); // no other runs beside it
    reach(&l, &s, 0);
    ck_assert_int_eq(next_in(&l), 0);
    reach(&l, &s, 1);
    ck_assert_int_eq(lab_job(&l, id).blame, 0);
    ck_assert_ptr_nonnull(strstr(last_event(&l, id), "got further"));
    ck_assert_int_eq(lab_claim(&l).job, other);
    lab_release(&l);
}

TEST(an_innocent_neighbour_is_suspected_once_and_cleared)
{
    struct lab l;
    lab_init(&l);
    int64_t bad = lab_submit(&l, "n"), good = lab_submit(&l, "n");
    struct lease k;
    lab_claim(&l);
    lab_claim(&l);
    ck_assert_int_eq(die(&l), 2);
    for (int i = 0; i < 2; i++) {
        lab_move(&l, 60000);
        ck_assert_int_eq(lab_claim(&l).job, bad);
        ck_assert_int_eq(next_in(&l), 0);
        ck_assert_int_eq(die(&l), 1);
    }
    ck_assert_int_eq(lab_job(&l, bad).state, JOB_FAILED);
    k = lab_claim(&l);
    ck_assert_int_eq(k.job, good);
    reach(&l, &k, 1);
    struct job_row job = lab_job(&l, good);
    ck_assert(job.state == JOB_RUNNING && job.blame == 0 && job.deaths == 1);
    lab_release(&l);
}

TEST(a_suspect_that_has_waited_long_lets_nobody_pass_any_more)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    die(&l);
    int64_t first = lab_submit(&l, "n"), second = lab_submit(&l, "n"), third = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    ck_assert_int_eq(k.job, first);
    lab_move(&l, 10000 + STORE_PATIENCE_MS - 1);
    struct lease k2 = lab_claim(&l);
    ck_assert_int_eq(k2.job, second);
    lab_move(&l, 1);
    ck_assert_int_eq(next_in(&l), 0);
    OK(store_job_release(l.store, &k2, &l.err));
    ck_assert_int_eq(next_in(&l), 0);
    OK(store_job_finish(l.store, &k, &(struct job_end){.state = JOB_CANCELLED}, &l.err));
    ck_assert(store_exec(l.store, "UPDATE jobs SET priority = 9 WHERE id > 1", NULL));
    ck_assert_int_eq(lab_claim(&l).job, id);
    ck_assert_int_eq(lab_job(&l, third).state, JOB_QUEUED);
    lab_release(&l);
}

TEST(an_orderly_stop_counts_for_nothing)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 0; i < 5; i++) {
        struct lease k = lab_claim(&l);
        OK(store_job_release(l.store, &k, &l.err));
        ck_assert_int_eq(die(&l), 0);
    }
    struct job_row job = lab_job(&l, id);
    ck_assert(job.state == JOB_QUEUED && job.blame == 0 && job.deaths == 0 && job.attempt == 0);
    lab_release(&l);
}

TEST(a_job_to_be_cancelled_is_cancelled_however_often_the_daemon_died_under_it)
{
    struct lab l;
    struct job_row row;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 0; i < 3; i++) {
        lab_claim(&l);
        if (i == 2)
            OK(store_job_cancel(l.store, id, &row, &l.arena, &l.err));
        die(&l);
        lab_move(&l, 60000);
    }
    ck_assert_int_eq(lab_job(&l, id).state, JOB_CANCELLED);
    lab_release(&l);
}

// The daemon dies after it has been told to stop, before it has released anything.
static int64_t die_stopping(struct lab *l)
{
    NEED(store_mark_stop(l->store, &l->err) && store_mark_stop(l->store, &l->err));
    return die(l);
}

TEST(a_death_after_a_stop_was_asked_for_is_held_against_no_job)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(lab_claim(&l).job, id); // without a pause
        ck_assert_int_eq(die_stopping(&l), 1);
        struct job_row job = lab_job(&l, id);
        ck_assert(job.state == JOB_QUEUED && job.blame == 0 && job.deaths == 0);
        ck_assert(job.attempt == 0 && job.run_at == 0 && !job.worker);
        ck_assert_ptr_nonnull(strstr(last_event(&l, id), "told to stop"));
    }
    lab_claim(&l); // the next death is one like any other
    die(&l);
    ck_assert_int_eq(lab_job(&l, id).blame, 1);
    ck_assert_int_eq(next_in(&l), 10000);
    lab_release(&l);
}

TEST(a_stop_clears_no_suspect)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    for (int i = 0; i < 2; i++) {
        struct lease k = lab_claim(&l);
        reach(&l, &k, 7);
        die(&l);
        lab_move(&l, 10000);
    }
    struct lease k = lab_claim(&l);
    reach(&l, &k, 5);
    die_stopping(&l);
    struct job_row job = lab_job(&l, id);
    ck_assert(job.blame == 1 && job.furthest == 7 && job.deaths == 2);
    lab_release(&l);
}

TEST(a_job_to_be_cancelled_is_cancelled_by_a_stop_that_was_cut_off)
{
    struct lab l;
    struct job_row row;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    OK(store_job_cancel(l.store, id, &row, &l.arena, &l.err));
    die_stopping(&l);
    ck_assert_int_eq(lab_job(&l, id).state, JOB_CANCELLED);
    lab_release(&l);
}

// A start that ends early, one that cannot take over, and a third.
TEST(the_mark_of_a_stop_waits_for_a_start_that_takes_over)
{
    struct lab l;
    int64_t n;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    OK(store_mark_stop(l.store, &l.err));
    lab_reopen(&l);
    lab_reopen(&l);
    ck_assert(store_halt(l.store, 10000));
    REFUSED(ERR_CANCELLED, store_job_rescue_dead(l.store, &n, &e));
    ck_assert_int_eq(die(&l), 1);
    ck_assert_int_eq(lab_job(&l, id).blame, 0);
    lab_release(&l);
}

// The log is gone, so what was done is rolled back.
TEST(a_takeover_that_fails_tells_of_no_jobs)
{
    struct lab l;
    char wal[96];
    int64_t n = -1;
    lab_init(&l);
    lab_submit(&l, "n");
    lab_claim(&l);
    snprintf(wal, sizeof wal, "%.64s/mlpd.db-wal", l.dir);
    ck_assert_int_eq(unlink(wal), 0);
    REFUSED(ERR_INTERNAL, store_job_rescue_dead(l.store, &n, &e));
    ck_assert_int_eq(n, 0);
    lab_release(&l);
}

TEST(a_mark_that_cannot_be_removed_ends_the_start)
{
    struct lab l;
    char mark[96];
    int64_t n;
    lab_init(&l);
    snprintf(mark, sizeof mark, "%.64s/mlpd.stopped", l.dir);
    ck_assert_int_eq(mkdir(mark, 0700), 0);
    REFUSED(ERR_INTERNAL, store_job_rescue_dead(l.store, &n, &e));
    ck_assert_int_eq(rmdir(mark), 0);
    lab_release(&l);
}

// As if another process had claimed what runs: its name, "host/boot/start/thread".
static void give_to(struct lab *l, const char *worker)
{
    char sql[400];
    snprintf(sql, sizeof sql, "UPDATE jobs SET worker = '%s' WHERE state = 'running'", worker);
    ck_assert(store_exec(l->store, sql, NULL));
}

static int64_t rescue_expired(struct lab *l)
{
    int64_t n;
    NEED(store_job_rescue_expired(l->store, &n, &l->err));
    return n;
}

TEST(a_worker_is_told_by_its_host_its_boot_and_its_start)
{
    struct lab l;
    char want[256];
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    const struct machine *m = store_machine(l.store);
    snprintf(want, sizeof want, "%s/%s/%s/test", m->host, m->boot, m->start);
    ck_assert_str_eq(lab_job(&l, id).worker, want);
    lab_release(&l);
}

TEST(what_another_machine_runs_is_left_to_it_until_its_lease_ends)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    give_to(&l, "elsewhere/0b/1-1/worker-1");
    ck_assert_int_eq(die(&l), 0);
    ck_assert_int_eq(rescue_expired(&l), 0);
    lab_move(&l, STORE_LEASE_MS / 2);
    reach(&l, &k, 1); // it lives, and renews
    lab_move(&l, STORE_LEASE_MS - 1);
    ck_assert_int_eq(rescue_expired(&l), 0);
    ck_assert_int_eq(lab_job(&l, id).state, JOB_RUNNING);
    lab_move(&l, 1);
    ck_assert_int_eq(rescue_expired(&l), 1);
    struct job_row job = lab_job(&l, id);
    ck_assert(job.state == JOB_QUEUED && job.deaths == 1 && job.blame == 0 && job.furthest == 1);
    ck_assert_ptr_nonnull(strstr(last_event(&l, id), "lease ended"));
    bool cancel;
    REFUSED(ERR_CONFLICT, store_job_beat(l.store, &k, &(struct job_beat){.epoch = 0}, &cancel, &e));
    lab_release(&l);
}

LOOP_TEST(a_damaged_job_of_another_machine_keeps_no_other_from_being_taken_over, 4)
{
    static const char *const set[] = {"epoch = -1", "deaths = 9223372036854775807", "crashes = 'x'",
                                      "blame = 'x'"};
    struct lab l;
    int64_t id[3], failed = 0;
    lab_init(&l);
    for (int i = 0; i < 3; i++) {
        id[i] = lab_submit(&l, "n");
        lab_claim(&l);
    }
    give_to(&l, "elsewhere/0b/1-1/worker-1");
    lab_damage(&l, id[0], set[_i]);
    lab_move(&l, STORE_LEASE_MS);
    ck_assert_int_eq(rescue_expired(&l), 3);
    ck_assert(lab_job(&l, id[1]).state == JOB_QUEUED && lab_job(&l, id[2]).state == JOB_QUEUED);
    struct job_row job = lab_job(&l, id[0]);
    ck_assert_int_eq(job.state, JOB_FAILED);
    ck_assert_ptr_nonnull(strstr(job.error_text, "the stored job is damaged"));
    ck_assert_ptr_nonnull(strstr(last_event(&l, id[0]), "the stored job is damaged"));
    ck_assert_int_eq(rescue_expired(&l), 0);
    ck_assert(
        store_exec(l.store, "SELECT count(*) FROM job_events WHERE level = 'error'", &failed));
    ck_assert_int_eq(failed, 1);
    lab_release(&l);
}

TEST(a_running_job_without_the_end_of_its_lease_is_taken_over)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    give_to(&l, "elsewhere/0b/1-1/worker-1");
    lab_damage(&l, id, "lease_until = NULL");
    ck_assert_int_eq(rescue_expired(&l), 1);
    ck_assert_int_eq(lab_job(&l, id).state, JOB_QUEUED);
    lab_release(&l);
}

TEST(a_lease_that_ended_before_the_start_is_taken_over_by_it)
{
    struct lab l;
    lab_init(&l);
    lab_submit(&l, "n");
    lab_claim(&l);
    give_to(&l, "elsewhere/0b/1-1/worker-1");
    lab_move(&l, STORE_LEASE_MS);
    ck_assert_int_eq(die(&l), 1);
    lab_release(&l);
}

// After a boot the host's name is the same; in another container of a machine its boot.
LOOP_TEST(what_this_machine_left_running_is_queued_again_at_once, 2)
{
    struct lab l;
    char worker[256];
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    const struct machine *m = store_machine(l.store);
    snprintf(worker, sizeof worker, "%s/%s/1-1/worker-1", _i ? m->host : "container",
             _i ? "earlier" : m->boot);
    give_to(&l, worker);
    ck_assert_int_eq(die(&l), 1);
    ck_assert_int_eq(lab_job(&l, id).blame, 1);
    lab_release(&l);
}

// Whatever the clock says: the queue knows better.
TEST(what_this_process_runs_is_never_taken_for_expired)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    lab_move(&l, 10 * STORE_LEASE_MS);
    ck_assert_int_eq(rescue_expired(&l), 0);
    lab_submit(&l, "n");
    lab_claim(&l);
    char sql[128];
    snprintf(sql, sizeof sql, "UPDATE jobs SET worker = 'b/c/1-1/w' WHERE id != %d", (int)id);
    ck_assert(store_exec(l.store, sql, NULL));
    lab_move(&l, STORE_LEASE_MS);
    ck_assert_int_eq(rescue_expired(&l), 1); // the other's, not ours
    ck_assert_int_eq(lab_job(&l, id).state, JOB_RUNNING);
    lab_release(&l);
}

TEST(an_end_of_a_lease_that_no_clock_can_have_meant_is_cut)
{
    struct lab l;
    lab_init(&l);
    lab_submit(&l, "n");
    lab_claim(&l);
    give_to(&l, "elsewhere/0b/1-1/worker-1");
    l.wall -= 1000 * STORE_LEASE_MS; // it was wrong when the lease was written
    ck_assert_int_eq(die(&l), 0);
    lab_move(&l, STORE_LEASE_MS);
    ck_assert_int_eq(rescue_expired(&l), 1);
    lab_release(&l);
}

TEST(a_stop_of_the_last_daemon_is_good_for_leases_that_end_later)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    give_to(&l, "elsewhere/0b/1-1/worker-1");
    OK(store_mark_stop(l.store, &l.err));
    ck_assert_int_eq(die(&l), 0);
    lab_move(&l, STORE_LEASE_MS);
    ck_assert_int_eq(rescue_expired(&l), 1);
    struct job_row job = lab_job(&l, id);
    ck_assert(job.state == JOB_QUEUED && job.blame == 0 && job.attempt == 0 && job.deaths == 0);
    lab_release(&l);
}
