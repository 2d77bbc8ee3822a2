// SPDX-License-Identifier: MIT
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <math.h>
#include <pthread.h>

TEST(a_submitted_job_reads_back_as_it_was_given)
{
    struct lab l;
    struct job_row row;
    bool replayed = true;
    lab_init(&l);
    struct dataset_new d = {"table", lab_digest, "[]", 10, 3, 99};
    struct dataset_row dataset;
    OK(store_dataset_put(l.store, &d, &dataset, &l.arena, &l.err));
    struct job_new job = {"näme", "table", lab_digest, "{\"a\":1}", "{\"b\":2}", 3, 7, 50,
                          NULL,   NULL,    0};
    OK(store_job_submit(l.store, &job, &row, &replayed, &l.arena, &l.err));
    ck_assert(!replayed);
    row = lab_job(&l, row.id);
    ck_assert_int_eq(row.state, JOB_QUEUED);
    ck_assert_str_eq(row.name, "näme");
    ck_assert_str_eq(row.dataset, "table");
    ck_assert_str_eq(row.digest, lab_digest);
    ck_assert_str_eq(row.spec, "{\"a\":1}");
    ck_assert_int_eq(row.spec_version, 3);
    ck_assert_str_eq(row.metadata, "{\"b\":2}");
    ck_assert_int_eq(row.priority, 7);
    ck_assert_int_eq(row.epochs, 50);
    ck_assert_int_eq(row.position, 1);
    ck_assert_int_eq(row.created_at, l.wall);
    ck_assert_int_eq(row.started_at, 0);
    ck_assert(isnan(row.best_value) && !row.best_metric && !row.error_kind && !row.model);
    REFUSED(ERR_NOT_FOUND, store_job_get(l.store, 99, &row, &l.arena, &e));
    lab_release(&l);
}

TEST(a_job_on_a_deleted_dataset_is_refused)
{
    struct lab l;
    struct job_row row;
    bool replayed;
    lab_init(&l);
    struct job_new job = {"n", "gone", lab_digest, "{}", "{}", 0, 0, 0, NULL, NULL, 0};
    REFUSED(ERR_NOT_FOUND, store_job_submit(l.store, &job, &row, &replayed, &l.arena, &e));
    ck_assert_int_eq(lab_submit(&l, "first"), 1);
    lab_release(&l);
}

// Sixteen threads repeat the same request.
struct repeat {
    struct lab *lab;
    int64_t id;
    bool replayed;
    pthread_t thread;
};

static void *submit_with_key(void *arg)
{
    struct repeat *r = arg;
    struct arena a;
    struct err e = {0};
    struct job_row row;
    arena_init(&a, 1 << 20);
    struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, 0, 0, "the key", "print", 0};
    ck_assert_msg(store_job_submit(r->lab->store, &job, &row, &r->replayed, &a, &e), "%s", e.text);
    r->id = row.id;
    arena_release(&a);
    return NULL;
}

TEST(a_key_repeated_by_many_threads_makes_one_job)
{
    struct lab l;
    struct repeat r[16];
    int first = 0;
    lab_init(&l);
    for (int i = 0; i < 16; i++) {
        r[i].lab = &l;
        ck_assert_int_eq(pthread_create(&r[i].thread, NULL, submit_with_key, &r[i]), 0);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(r[i].thread, NULL);
        ck_assert_int_eq(r[i].id, r[0].id);
        first += !r[i].replayed;
    }
    ck_assert_int_eq(first, 1);
    struct job_row row;
    bool replayed;
    struct job_new other = {"n", NULL, lab_digest, "{}",          "{}", 0,
                            0,   0,    "the key",  "other print", 0};
    REFUSED(ERR_INVALID, store_job_submit(l.store, &other, &row, &replayed, &l.arena, &e));
    lab_release(&l);
}

TEST(lists_go_from_new_to_old_page_by_page)
{
    struct lab l;
    struct job_list page;
    lab_init(&l);
    for (int i = 0; i < 5; i++)
        lab_submit(&l, "n");
    lab_claim(&l);
    OK(store_job_list(l.store, 2, 0, JOB_STATE_COUNT, &page, &l.arena, &l.err));
    ck_assert(page.n == 2 && page.more && page.row[0].id == 5 && page.row[1].id == 4);
    ck_assert_ptr_null(page.row[0].spec);
    OK(store_job_list(l.store, 3, 4, JOB_STATE_COUNT, &page, &l.arena, &l.err));
    ck_assert(page.n == 3 && !page.more && page.row[2].id == 1);
    OK(store_job_list(l.store, 3, 0, JOB_RUNNING, &page, &l.arena, &l.err));
    ck_assert(page.n == 1 && !page.more && page.row[0].id == 1);
    OK(store_job_list(l.store, 3, 4, JOB_QUEUED, &page, &l.arena, &l.err));
    ck_assert(page.n == 2 && !page.more && page.row[0].id == 3 && page.row[1].id == 2);
    lab_release(&l);
}

static const struct job_beat nothing_new = {.epoch = 1};

TEST(cancelling_ends_what_waits_marks_what_runs_and_refuses_what_has_ended)
{
    struct lab l;
    struct job_row row;
    bool cancel;
    lab_init(&l);
    int64_t running = lab_submit(&l, "n"), waiting = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    OK(store_job_cancel(l.store, waiting, &row, &l.arena, &l.err));
    ck_assert(row.state == JOB_CANCELLED && row.finished_at == l.wall);
    REFUSED(ERR_CONFLICT, store_job_cancel(l.store, waiting, &row, &l.arena, &e));
    for (int i = 0; i < 2; i++) {
        OK(store_job_cancel(l.store, running, &row, &l.arena, &l.err));
        ck_assert(row.state == JOB_RUNNING && row.cancel_requested);
    }
    OK(store_job_beat(l.store, &k, &nothing_new, &cancel, &l.err));
    ck_assert(cancel);
    OK(store_job_finish(l.store, &k, &(struct job_end){.state = JOB_CANCELLED}, &l.err));
    REFUSED(ERR_CONFLICT, store_job_cancel(l.store, running, &row, &l.arena, &e));
    REFUSED(ERR_NOT_FOUND, store_job_cancel(l.store, 99, &row, &l.arena, &e));
    lab_release(&l);
}

TEST(a_full_queue_takes_no_further_job_but_answers_a_repeated_one)
{
    struct lab l;
    struct job_row row;
    bool replayed;
    lab_init(&l);
    struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, 0, 0, "one", "p", 2};
    OK(store_job_submit(l.store, &job, &row, &replayed, &l.arena, &l.err));
    job.key = "two";
    OK(store_job_submit(l.store, &job, &row, &replayed, &l.arena, &l.err));
    job.key = "three";
    REFUSED(ERR_BUSY, store_job_submit(l.store, &job, &row, &replayed, &l.arena, &e));
    job.key = "one";
    OK(store_job_submit(l.store, &job, &row, &replayed, &l.arena, &l.err));
    ck_assert(replayed);
    lab_release(&l);
}

TEST(a_key_is_found_without_submitting_and_only_for_its_own_request)
{
    struct lab l;
    struct job_row row;
    bool replayed = true;
    lab_init(&l);
    struct job_new job = {"n", NULL, lab_digest, "{}", "{}", 0, 0, 0, "one", "p", 0};
    OK(store_job_replay(l.store, "one", "p", &row, &replayed, &l.arena, &l.err));
    ck_assert(!replayed);
    OK(store_job_submit(l.store, &job, &row, &replayed, &l.arena, &l.err));
    int64_t id = row.id;
    OK(store_job_replay(l.store, "one", "p", &row, &replayed, &l.arena, &l.err));
    ck_assert(replayed && row.id == id);
    OK(store_job_replay(l.store, "on", "p", &row, &replayed, &l.arena, &l.err));
    ck_assert(!replayed);
    REFUSED(ERR_INVALID, store_job_replay(l.store, "one", "q", &row, &replayed, &l.arena, &e));
    lab_release(&l);
}
