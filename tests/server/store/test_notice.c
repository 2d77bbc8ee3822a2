// SPDX-License-Identifier: MIT
#include "server/store/notice.h"

#include "tests/server/lab.h"

// An edition is kept while nothing of the name is written, and given up for good once it is.
TEST(a_name_has_another_edition_after_each_transaction_that_may_have_made_one)
{
    struct notice n = {0};
    notice_init(&n);
    uint64_t first = notice_edition(&n, "m"), other = notice_edition(&n, "other");
    ck_assert_uint_ne(first, 0);
    notice_end(&n); // of a transaction about something else
    ck_assert_uint_eq(notice_edition(&n, "m"), first);
    notice_model(&n, "m");
    notice_model(&n, "m"); // two versions in one transaction
    ck_assert_uint_eq(notice_edition(&n, "m"), 0);
    ck_assert_uint_eq(notice_edition(&n, "other"), other);
    notice_end(&n);
    uint64_t second = notice_edition(&n, "m");
    ck_assert(second != 0 && second != first);
    ck_assert_uint_eq(notice_edition(&n, "other"), other);
    notice_release(&n);
}

static uint64_t arrivals_after(struct lab *l, uint64_t *before)
{
    uint64_t now = store_job_arrivals(l->store), n = now - *before;
    *before = now;
    return n;
}

// Whatever lets a job be claimed that could not be before is told, and nothing else: a worker that
// looked in vain would write for nothing.
TEST(whoever_waits_is_woken_by_what_lets_a_job_be_claimed)
{
    struct lab l;
    struct job_row row;
    bool cancel;
    const struct job_beat beat = {.epoch = 1};
    lab_init(&l);
    uint64_t seen = store_job_arrivals(l.store);
    int64_t id = lab_submit(&l, "n");
    ck_assert_uint_eq(arrivals_after(&l, &seen), 1);
    struct lease k = lab_claim(&l);
    OK(store_job_beat(l.store, &k, &beat, &cancel, &l.err));
    ck_assert_uint_eq(arrivals_after(&l, &seen), 0);
    OK(store_job_release(l.store, &k, &l.err));
    ck_assert_uint_eq(arrivals_after(&l, &seen), 1);
    k = lab_claim(&l);
    OK(store_job_rescue(l.store, &k, RUN_DIED, "x", &l.err));
    ck_assert_uint_eq(arrivals_after(&l, &seen), 1);
    k = lab_claim(&l);
    OK(store_job_finish(l.store, &k, &(struct job_end){.state = JOB_SUCCEEDED}, &l.err));
    ck_assert_uint_eq(arrivals_after(&l, &seen), 0);
    id = lab_submit(&l, "n");
    OK(store_job_cancel(l.store, id, &row, &l.arena, &l.err));
    ck_assert_uint_eq(arrivals_after(&l, &seen), 1);
    store_job_wake(l.store);
    ck_assert_uint_eq(arrivals_after(&l, &seen), 1);
    lab_release(&l);
}

// The suspect kept the others out.
LOOP_TEST(the_end_of_a_suspect_lets_others_be_claimed, 3)
{
    struct lab l;
    struct job_row row;
    int64_t n;
    bool cancel;
    const struct job_beat beat = {.epoch = 1};
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    lab_claim(&l);
    OK(store_job_rescue_dead(l.store, &n, &l.err));
    lab_move(&l, 10000);
    struct lease k = {0};
    if (_i < 2)
        k = lab_claim(&l);
    uint64_t seen = store_job_arrivals(l.store);
    if (_i == 0)
        OK(store_job_beat(l.store, &k, &beat, &cancel, &l.err));
    else if (_i == 1)
        OK(store_job_finish(l.store, &k, &(struct job_end){.state = JOB_SUCCEEDED}, &l.err));
    else
        OK(store_job_cancel(l.store, id, &row, &l.arena, &l.err));
    ck_assert_uint_eq(arrivals_after(&l, &seen), 1);
    lab_release(&l);
}
