// SPDX-License-Identifier: MIT
#include "server/store/blame.h"

#include "tests/harness.h"

// What is held against a job, the epoch at which its run died, and what is held against it then.
static const struct {
    struct blame before;
    int64_t epoch;
    struct blame after;
    int64_t pause;
    bool suspect, guilty;
} row[] = {
    {{0, 0}, 0, {1, 0}, 10000, true, false}, {{1, 0}, 0, {2, 0}, 60000, true, false},
    {{2, 0}, 0, {3, 0}, 60000, true, true},  {{0, 0}, 1, {0, 1}, 0, false, false},
    {{2, 0}, 1, {0, 1}, 0, false, false},    {{0, 7}, 7, {1, 7}, 10000, true, false},
    {{0, 7}, 3, {1, 7}, 10000, true, false}, {{1, 7}, 7, {2, 7}, 60000, true, false},
    {{2, 7}, 5, {3, 7}, 60000, true, true},  {{2, 7}, 8, {0, 8}, 0, false, false},
    {{2, 7}, 0, {3, 7}, 60000, true, true},  {{0, 7}, 0, {1, 7}, 10000, true, false},
};

LOOP_TEST(a_death_counts_against_a_job_that_got_no_further, sizeof row / sizeof *row)
{
    struct blame b = blame_death(row[_i].before, row[_i].epoch);
    ck_assert_int_eq(b.n, row[_i].after.n);
    ck_assert_int_eq(b.furthest, row[_i].after.furthest);
    ck_assert_int_eq(blame_pause(b), row[_i].pause);
    ck_assert_int_eq(blame_suspects(b), row[_i].suspect);
    ck_assert_int_eq(b.n >= BLAME_GUILTY, row[_i].guilty);
}
