// SPDX-License-Identifier: MIT
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 2 * STORE_BLOCK + 100 };

static const struct series item[] = {{"", "row", SERIES_WHOLE}, {"predictions", "y", SERIES_REAL}};

static struct row_table made(struct lab *l)
{
    double *value = arena_need(&l->arena, ROWS, 2 * sizeof *value);
    for (int i = 0; i < ROWS; i++) {
        value[2 * i] = i;
        value[2 * i + 1] = i / 8.;
    }
    return (struct row_table){{item, 2}, ROWS, value};
}

static struct lease put_all(struct lab *l)
{
    struct row_table rows = made(l);
    struct lease k = lab_claim(l);
    for (int twice = 0; twice < 2; twice++) // the answer to a write may get lost
        for (size_t first = 0; first < ROWS; first += STORE_BLOCK)
            OK_IN(l, store_job_put_rows(l->store, &k, &rows, first, &l->err));
    return k;
}

static void finish(struct lab *l, const struct lease *k, enum job_state state)
{
    static const struct err why = {ERR_INVALID, "", "too bad"};
    struct job_end end = {.state = state, .why = state == JOB_FAILED ? &why : NULL};
    OK_IN(l, store_job_finish(l->store, k, &end, &l->err));
}

TEST(a_page_of_rows_is_found_wherever_it_lies)
{
    static const struct {
        int64_t after, n;
        size_t limit;
        bool more;
    } page[] = {
        {0, 10, 10, true},
        {STORE_BLOCK - 5, 10, 10, true},
        {STORE_BLOCK, STORE_BLOCK, STORE_BLOCK, true},
        {7, ROWS - 7, STORE_CURVE, false},
        {0, ROWS, ROWS, false},
        {ROWS - 1, 1, 5, false},
        {ROWS, 0, 5, false},
        {INT64_MAX, 0, 5, false},
    };
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = put_all(&l);
    finish(&l, &k, JOB_SUCCEEDED);
    for (size_t i = 0; i < sizeof page / sizeof *page; i++) {
        struct series_table t;
        bool more;
        OK(store_job_rows(l.store, id, page[i].after, page[i].limit, &t, &more, &l.arena, &l.err));
        ck_assert_msg((int64_t)t.n_row == page[i].n && more == page[i].more, "page %zu: %zu %d", i,
                      t.n_row, more);
        ck_assert(series_same(&t.series, &(struct series_list){item, 2}));
        for (size_t r = 0; r < t.n_row; r++) {
            int64_t row = page[i].after + (int64_t)r;
            ck_assert(t.step[r] == row && t.value[2 * r] == (double)row);
            ck_assert_double_eq(t.value[2 * r + 1], (double)row / 8);
        }
    }
    lab_release(&l);
}

TEST(rows_are_shown_of_jobs_that_succeeded_and_go_with_others)
{
    static const enum job_state state[] = {JOB_FAILED, JOB_CANCELLED};
    struct lab l;
    struct series_table t;
    bool more;
    int64_t n = 0;
    lab_init(&l);
    for (int i = 0; i < 2; i++) {
        int64_t id = lab_submit(&l, "n");
        struct lease k = put_all(&l);
        REFUSED(ERR_CONFLICT, store_job_rows(l.store, id, 0, 10, &t, &more, &l.arena, &e));
        finish(&l, &k, state[i]);
        ck_assert(store_exec(l.store, "SELECT count(*) FROM job_rows", &n));
        ck_assert_int_eq(n, 0);
        REFUSED(ERR_CONFLICT, store_job_rows(l.store, id, 0, 10, &t, &more, &l.arena, &e));
    }
    REFUSED(ERR_NOT_FOUND, store_job_rows(l.store, 99, 0, 10, &t, &more, &l.arena, &e));
    lab_release(&l);
}

static bool lose_died(struct lab *l, const struct lease *k)
{
    return store_job_rescue(l->store, k, RUN_DIED, "gone", &l->err);
}

static bool lose_crashed(struct lab *l, const struct lease *k)
{
    return store_job_rescue(l->store, k, RUN_CRASHED, "gone", &l->err);
}

static bool lose_released(struct lab *l, const struct lease *k)
{
    return store_job_release(l->store, k, &l->err);
}

static bool lose_with_daemon(struct lab *l, const struct lease *k)
{
    int64_t n;
    (void)k;
    return store_job_rescue_dead(l->store, &n, &l->err);
}

LOOP_TEST(a_run_that_is_lost_loses_its_rows_and_the_next_does_not_inherit_them, 4)
{
    static bool (*const lose[])(struct lab *, const struct lease *) = {
        lose_died, lose_crashed, lose_released, lose_with_daemon};
    struct lab l;
    struct series_table t;
    bool more;
    int64_t n = 1;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = put_all(&l);
    OK(lose[_i](&l, &k));
    ck_assert(store_exec(l.store, "SELECT count(*) FROM job_rows", &n));
    ck_assert_int_eq(n, 0);
    lab_move(&l, STORE_PAUSE_MS);
    k = lab_claim(&l);
    finish(&l, &k, JOB_SUCCEEDED);
    OK(store_job_rows(l.store, id, 0, 10, &t, &more, &l.arena, &l.err));
    ck_assert(t.n_row == 0 && t.series.n == 0 && !more);
    lab_release(&l);
}

// A block lost in the middle must not let the rows behind it take its place.
LOOP_TEST(rows_that_do_not_fit_are_an_error_in_words, 3)
{
    static const char *const change[] = {
        "UPDATE job_rows SET vals = zeroblob(24) WHERE first = 0",
        "DELETE FROM job_rows WHERE first = 8192",
        "DELETE FROM job_series WHERE list = 2 AND ordinal = 1",
    };
    struct lab l;
    struct series_table t;
    bool more;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = put_all(&l);
    finish(&l, &k, JOB_SUCCEEDED);
    ck_assert(store_exec(l.store, change[_i], NULL));
    ck_assert(!store_job_rows(l.store, id, 0, STORE_CURVE, &t, &more, &l.arena, &l.err));
    ck_assert_int_eq(l.err.kind, ERR_INTERNAL);
    ck_assert_msg(strstr(l.err.text, "does not fit its"), "%s", l.err.text);
    lab_release(&l);
}

TEST(what_a_job_has_found_is_stored_with_its_success_alone)
{
    struct lab l;
    struct job_row row;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    struct job_end end = {.state = JOB_SUCCEEDED, .result = "{\"a\":1}"};
    OK(store_job_finish(l.store, &k, &end, &l.err));
    ck_assert_str_eq(lab_job(&l, id).result, "{\"a\":1}");
    id = lab_submit(&l, "n");
    k = lab_claim(&l);
    OK(store_job_cancel(l.store, id, &row, &l.arena, &l.err));
    OK(store_job_finish(l.store, &k, &end, &l.err));
    ck_assert_int_eq(lab_job(&l, id).state, JOB_CANCELLED);
    ck_assert_ptr_null(lab_job(&l, id).result);
    lab_release(&l);
}
