// SPDX-License-Identifier: MIT
#include "server/store/job.h"

#include "tests/server/lab.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

TEST(every_state_is_found_by_its_word)
{
    for (int s = 0; s < JOB_STATE_COUNT; s++)
        ck_assert_int_eq(job_state_find(job_state_word(s)), s);
    ck_assert_int_eq(job_state_find("sleeping"), JOB_STATE_COUNT);
}

TEST(no_move_leaves_a_state_that_has_ended)
{
    ck_assert(!job_ended(JOB_QUEUED) && !job_ended(JOB_RUNNING) && !job_ended(JOB_PAUSED));
    ck_assert(job_ended(JOB_SUCCEEDED) && job_ended(JOB_FAILED) && job_ended(JOB_CANCELLED));
}

// What the other columns must be in a state.
#define UNLEASED "lease = NULL, lease_until = NULL, "
static const char *const dress[JOB_STATE_COUNT] = {
    [JOB_QUEUED] = UNLEASED "finished_at = NULL, error_kind = NULL",
    [JOB_RUNNING] = "lease = zeroblob(16), lease_until = 1, finished_at = NULL, error_kind = NULL",
    [JOB_PAUSED] = UNLEASED "finished_at = NULL, error_kind = NULL",
    [JOB_SUCCEEDED] = UNLEASED "finished_at = 1, error_kind = NULL",
    [JOB_FAILED] = UNLEASED "finished_at = 1, error_kind = 'internal'",
    [JOB_CANCELLED] = UNLEASED "finished_at = 1, error_kind = NULL",
};

static bool move(struct lab *l, int64_t id, enum job_state to)
{
    char text[512];
    snprintf(text, sizeof text, "UPDATE jobs SET state = '%s', %s WHERE id = %" PRId64,
             job_state_word(to), dress[to], id);
    return store_exec(l->store, text, NULL);
}

// Bring a fresh job to a state along allowed moves.
static int64_t job_in(struct lab *l, enum job_state s)
{
    int64_t id = lab_submit(l, "pair");
    if (s != JOB_QUEUED && !job_may_move(JOB_QUEUED, s))
        ck_assert(move(l, id, JOB_RUNNING));
    ck_assert(s == JOB_QUEUED || move(l, id, s));
    return id;
}

LOOP_TEST(the_database_allows_the_moves_of_the_table_and_no_other, JOB_STATE_COUNT *JOB_STATE_COUNT)
{
    enum job_state from = _i / JOB_STATE_COUNT, to = _i % JOB_STATE_COUNT;
    struct lab l;
    lab_init(&l);
    int64_t id = job_in(&l, from);
    bool allowed = from == to || job_may_move(from, to);
    ck_assert_msg(move(&l, id, to) == allowed, "%s -> %s", job_state_word(from),
                  job_state_word(to));
    ck_assert_int_eq(lab_job(&l, id).state, allowed ? to : from);
    lab_release(&l);
}
