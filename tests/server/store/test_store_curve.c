// SPDX-License-Identifier: MIT
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Series called by the letters of a word.
static struct series_list letters(const char *word)
{
    static struct series item[4][8];
    static char name[4][8][2];
    static int next;
    int k = next++ % 4;
    struct series_list l = {item[k], strlen(word)};
    for (size_t i = 0; i < l.n; i++) {
        name[k][i][0] = word[i];
        item[k][i] = (struct series){"", name[k][i], SERIES_REAL};
    }
    return l;
}

static void beat_epochs(struct lab *l, const struct lease *k, int from, int to, const char *word)
{
    struct metric_row row[64];
    double value[64][3];
    bool cancel;
    const struct series_list series[SERIES_KINDS] = {letters(word)};
    for (int i = from; i <= to; i++) {
        for (int j = 0; j < 3; j++)
            value[i - from][j] = 100 * (j + 1) + i;
        row[i - from] = (struct metric_row){i, i * 10, value[i - from], NULL};
    }
    struct job_beat b = {
        .epoch = to, .epochs = 64, .series = series, .row = row, .n_row = (size_t)(to - from + 1)};
    bool ok = store_job_beat(l->store, k, &b, &cancel, &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
}

static struct series_table curve(struct lab *l, int64_t id, int64_t after, size_t limit)
{
    struct series_table t;
    const struct curve_part part = {after, 1, limit, SERIES_RUN};
    bool ok = store_job_series(l->store, id, &part, &t, &l->arena, &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
    return t;
}

static void expect_series(const struct series_table *t, const char *word)
{
    struct series_list want = letters(word);
    ck_assert_msg(series_same(&t->series, &want), "%zu series, not \"%s\"", t->series.n, word);
}

TEST(a_curve_reads_back_from_any_epoch)
{
    struct lab l;
    struct series_table none;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 0);
    struct lease k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 10, "tvl");
    beat_epochs(&l, &k, 10, 20, "tvl");
    struct series_table t = curve(&l, id, 0, 100);
    ck_assert_int_eq(t.n_row, 20);
    expect_series(&t, "tvl");
    for (int i = 0; i < 20; i++) {
        ck_assert(t.epoch[i] == i + 1 && t.step[i] == 10 * (i + 1) && t.attempt[i] == 1);
        for (int j = 0; j < 3; j++)
            ck_assert_double_eq(t.value[i * 3 + j], 100 * (j + 1) + i + 1);
    }
    t = curve(&l, id, 15, 3);
    ck_assert(t.n_row == 3 && t.epoch[0] == 16 && t.epoch[2] == 18);
    const struct curve_part one = {0, 1, 1, SERIES_RUN};
    REFUSED(ERR_NOT_FOUND, store_job_series(l.store, 99, &one, &none, &l.arena, &e));
    lab_release(&l);
}

TEST(a_run_started_over_hides_what_the_older_run_reported_from_there_on)
{
    struct lab l;
    int64_t n;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 20, "tv");
    OK(store_job_rescue_dead(l.store, &n, &l.err));
    k = lab_claim(&l);
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 20);
    beat_epochs(&l, &k, 11, 12, "lt");
    struct series_table t = curve(&l, id, 0, 100);
    ck_assert_int_eq(t.n_row, 12);
    expect_series(&t, "lt");
    ck_assert(t.attempt[9] == 1 && t.attempt[10] == 2 && t.epoch[11] == 12);
    ck_assert(isnan(t.value[2 * 9]));
    ck_assert_double_eq(t.value[2 * 9 + 1], 110); // train_loss of epoch 10
    ck_assert_double_eq(t.value[2 * 10], 111);    // lr of epoch 11
    beat_epochs(&l, &k, 1, 1, "lt");
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 3);
    lab_release(&l);
}

// What is read must be what was declared.
LOOP_TEST(a_point_that_its_declaration_does_not_fit_is_an_error_in_words, 4)
{
    static const char *const change[] = {
        "DELETE FROM job_series WHERE ordinal = 1",
        "UPDATE job_series SET ordinal = 7 WHERE ordinal = 1",
        "UPDATE job_series SET type = 'complex' WHERE ordinal = 1",
        "UPDATE job_metrics SET vals = zeroblob(24) WHERE epoch = 3",
    };
    static const char *const says[] = {"epoch 1 of job 1 has 16 bytes of values where its run has "
                                       "declared 1 series",
                                       "in disorder", "with the type \"complex\"",
                                       "epoch 3 of job 1 has 24 bytes of values"};
    struct lab l;
    struct series_table t;
    const struct curve_part all = {0, 1, 100, SERIES_RUN};
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 5, "tv");
    ck_assert(store_exec(l.store, change[_i], NULL));
    ck_assert(!store_job_series(l.store, id, &all, &t, &l.arena, &l.err));
    ck_assert_int_eq(l.err.kind, ERR_INTERNAL);
    ck_assert_msg(strstr(l.err.text, says[_i]), "%s", l.err.text);
    lab_release(&l);
}

TEST(series_of_parts_are_read_apart_and_where_they_were_observed)
{
    static const struct series run = {"", "loss", SERIES_REAL},
                               part[] = {{"a", "std", SERIES_REAL}, {"b", "std", SERIES_WHOLE}};
    static const struct series_list list[SERIES_KINDS] = {{&run, 1}, {part, 2}};
    static const double value[] = {1, 2, 3};
    static const struct metric_row row[] = {
        {1, 1, value, value + 1}, {2, 2, value, NULL}, {3, 3, value, value}};
    const struct job_beat beat = {.epoch = 3, .series = list, .row = row, .n_row = 3};
    const struct curve_part parts = {0, 1, 100, SERIES_PARTS};
    struct series_table t;
    struct lab l;
    bool cancel;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    for (int i = 0; i < 2; i++) // the answer to a report may get lost
        OK(store_job_beat(l.store, &k, &beat, &cancel, &l.err));
    OK(store_job_series(l.store, id, &parts, &t, &l.arena, &l.err));
    ck_assert(series_same(&t.series, &list[SERIES_PARTS]));
    ck_assert(t.n_row == 2 && t.epoch[0] == 1 && t.epoch[1] == 3);
    ck_assert_uint_eq(series_find(&t.series, "b", "std"), 1);
    ck_assert_uint_eq(series_find(&t.series, "", "std"), 2);
    ck_assert(t.value[0] == 2 && t.value[1] == 3 && t.value[2] == 1 && t.value[3] == 2);
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 3);
    lab_release(&l);
}

TEST(a_run_after_a_release_does_not_inherit_points)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 20, "tv");
    OK(store_job_release(l.store, &k, &l.err));
    k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 2, "tv");
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 2);
    lab_release(&l);
}

// A curve of runs that begin and end anywhere is what a plain look at all its rows says it is.

enum { RUNS = 6, EPOCHS = 40, ROUNDS = 200 };

struct runs {
    int from[RUNS + 1], to[RUNS + 1]; // of the attempts from 1
};

static void insert_run(struct lab *l, int attempt, int from, int to)
{
    char text[512];
    snprintf(text, sizeof text,
             "INSERT INTO job_metrics WITH RECURSIVE n(i) AS (VALUES (%d) UNION ALL SELECT i + 1 "
             "FROM n WHERE i < %d) SELECT 1, %d, i, %d, zeroblob(8), zeroblob(16) "
             "FROM n WHERE i %% 7 <> %d",
             from, to, attempt, attempt, attempt);
    ck_assert(store_exec(l->store, text, NULL));
    snprintf(text, sizeof text,
             "INSERT INTO job_series VALUES (1, %d, 0, 0, '', 'a', 'real'), "
             "(1, %d, 1, 0, 'x', 'a', 'real'), (1, %d, 1, 1, 'x', 'b', 'real')",
             attempt, attempt, attempt);
    ck_assert(store_exec(l->store, text, NULL));
}

static bool has(const struct runs *r, int attempt, int epoch)
{
    return epoch >= r->from[attempt] && epoch <= r->to[attempt] && epoch % 7 != attempt;
}

static int first_of(const struct runs *r, int attempt)
{
    int epoch = r->from[attempt];
    while (epoch <= r->to[attempt] && !has(r, attempt, epoch))
        epoch++;
    return epoch <= r->to[attempt] ? epoch : 1000;
}

// The attempt whose point of an epoch counts; 0: none.
static int counts(const struct runs *r, int epoch)
{
    int attempt = RUNS;
    while (attempt && !has(r, attempt, epoch) && first_of(r, attempt) > epoch)
        attempt--;
    return attempt && has(r, attempt, epoch) ? attempt : 0;
}

static int newest_of(const struct runs *r)
{
    int attempt = RUNS, epoch;
    while (attempt && first_of(r, attempt) == 1000)
        attempt--;
    for (epoch = attempt ? r->to[attempt] : 0; epoch && !has(r, attempt, epoch); epoch--)
        ;
    return epoch;
}

static void check_part(struct lab *l, const struct runs *r, const struct curve_part *p)
{
    struct series_table t;
    struct series_table y;
    struct curve_part parts = *p;
    parts.kind = SERIES_PARTS;
    int newest = newest_of(r);
    size_t n = 0;
    OK_IN(l, store_job_series(l->store, 1, p, &t, &l->arena, &l->err));
    OK_IN(l, store_job_series(l->store, 1, &parts, &y, &l->arena, &l->err));
    for (int epoch = (int)p->after + 1; epoch <= EPOCHS && n < p->limit; epoch++) {
        int attempt = counts(r, epoch);
        if (!attempt || (epoch % p->stride != 0 && epoch != newest))
            continue;
        ck_assert_msg(n < t.n_row && t.epoch[n] == epoch, "epoch %d is missing", epoch);
        ck_assert_int_eq(t.attempt[n], attempt);
        ck_assert_msg(n < y.n_row && y.epoch[n] == epoch, "layers of epoch %d", epoch);
        n++;
    }
    ck_assert_uint_eq(t.n_row, n);
    ck_assert_uint_eq(y.n_row, n);
}

TEST(any_part_of_any_runs_is_what_a_look_at_every_row_says)
{
    struct lab l;
    unsigned seed = 1;
    lab_init(&l);
    lab_submit(&l, "n");
    for (int round = 0; round < ROUNDS; round++) {
        struct runs r = {0};
        ck_assert(store_exec(l.store, "DELETE FROM job_metrics", NULL));
        ck_assert(store_exec(l.store, "DELETE FROM job_series", NULL));
        for (int i = 1; i <= RUNS; i++) {
            r.from[i] = 1 + rand_r(&seed) % EPOCHS;
            r.to[i] = r.from[i] - 1 + rand_r(&seed) % (EPOCHS - r.from[i] + 2);
            if (r.from[i] <= r.to[i])
                insert_run(&l, i, r.from[i], r.to[i]);
        }
        for (int i = 0; i < 10; i++) {
            const struct curve_part part = {rand_r(&seed) % EPOCHS, 1 + rand_r(&seed) % 9,
                                            (size_t)(1 + rand_r(&seed) % EPOCHS), SERIES_RUN};
            check_part(&l, &r, &part);
        }
        arena_release(&l.arena);
    }
    lab_release(&l);
}

TEST(the_log_tells_what_happened_in_order)
{
    static const char *const want[] = {
        "queued",
        "running, attempt 1",
        "the run ended unexpectedly: no memory",
        "running, attempt 2",
        "epoch 1 done",
        "failed: too bad",
    };
    struct lab l;
    struct event_list log;
    struct err why = {ERR_INVALID, "", "too bad"};
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    OK(store_job_rescue(l.store, &k, RUN_CRASHED, "no memory", &l.err));
    lab_move(&l, 60000);
    k = lab_claim(&l);
    OK(store_job_note(l.store, &k, "info", "epoch 1 done", &l.err));
    OK(store_job_finish(l.store, &k, &(struct job_end){.state = JOB_FAILED, .why = &why}, &l.err));
    OK(store_job_events(l.store, id, 0, 100, &log, &l.arena, &l.err));
    ck_assert_int_eq(log.n, sizeof want / sizeof *want);
    for (size_t i = 0; i < log.n; i++)
        ck_assert_str_eq(log.row[i].message, want[i]);
    OK(store_job_events(l.store, id, log.row[1].id, 2, &log, &l.arena, &l.err));
    ck_assert(log.n == 2 && log.more);
    ck_assert_str_eq(log.row[0].level, "warn");
    REFUSED(ERR_NOT_FOUND, store_job_events(l.store, 99, 0, 1, &log, &l.arena, &e));
    lab_release(&l);
}
