// SPDX-License-Identifier: MIT
#include "store.h"

#include "lab.h"

#include <math.h>

static void beat_epochs(struct lab *l, const struct lease *k, int from, int to, const char *names,
                        size_t n_name)
{
    struct metric_row row[64];
    double value[64][3];
    bool cancel;
    for (int i = from; i <= to; i++) {
        for (int j = 0; j < 3; j++)
            value[i - from][j] = 100 * (j + 1) + i;
        row[i - from] = (struct metric_row){i, i * 10, value[i - from], NULL};
    }
    struct job_beat b = {.epoch = to,
                         .epochs = 64,
                         .names = names,
                         .row = row,
                         .n_row = (size_t)(to - from + 1),
                         .n_name = n_name};
    bool ok = store_job_beat(l->store, k, &b, &cancel, &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
}

static struct metric_table curve(struct lab *l, int64_t id, int64_t after, size_t limit)
{
    struct metric_table t;
    bool ok = store_job_metrics(l->store, id, after, limit, &t, &l->arena, &l->err);
    ck_assert_msg(ok, "%s", l->err.text);
    return t;
}

TEST(a_curve_reads_back_from_any_epoch)
{
    struct lab l;
    struct metric_table none;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 0);
    struct lease k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 10, "train_loss val_loss lr", 3);
    beat_epochs(&l, &k, 10, 20, "train_loss val_loss lr", 3);
    struct metric_table t = curve(&l, id, 0, 100);
    ck_assert_int_eq(t.n_row, 20);
    ck_assert_str_eq(t.names, "train_loss val_loss lr");
    for (int i = 0; i < 20; i++) {
        ck_assert(t.epoch[i] == i + 1 && t.step[i] == 10 * (i + 1) && t.attempt[i] == 1);
        for (int j = 0; j < 3; j++)
            ck_assert_double_eq(t.value[i * 3 + j], 100 * (j + 1) + i + 1);
    }
    t = curve(&l, id, 15, 3);
    ck_assert(t.n_row == 3 && t.epoch[0] == 16 && t.epoch[2] == 18);
    REFUSED(ERR_NOT_FOUND, store_job_metrics(l.store, 99, 0, 1, &none, &l.arena, &e));
    lab_release(&l);
}

TEST(a_run_started_over_hides_what_the_older_run_reported_from_there_on)
{
    struct lab l;
    int64_t n;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 20, "train_loss val_loss", 2);
    OK(store_job_rescue_all(l.store, &n, &l.err));
    k = lab_claim(&l);
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 20);
    beat_epochs(&l, &k, 11, 12, "lr train_loss", 2);
    struct metric_table t = curve(&l, id, 0, 100);
    ck_assert_int_eq(t.n_row, 12);
    ck_assert_str_eq(t.names, "lr train_loss");
    ck_assert(t.attempt[9] == 1 && t.attempt[10] == 2 && t.epoch[11] == 12);
    ck_assert(isnan(t.value[2 * 9]));
    ck_assert_double_eq(t.value[2 * 9 + 1], 110); // train_loss of epoch 10
    ck_assert_double_eq(t.value[2 * 10], 111);    // lr of epoch 11
    beat_epochs(&l, &k, 1, 1, "lr train_loss", 2);
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 3);
    lab_release(&l);
}

TEST(a_run_after_a_release_does_not_inherit_points)
{
    struct lab l;
    lab_init(&l);
    int64_t id = lab_submit(&l, "n");
    struct lease k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 20, "train_loss val_loss", 2);
    OK(store_job_release(l.store, &k, &l.err));
    k = lab_claim(&l);
    beat_epochs(&l, &k, 1, 2, "train_loss val_loss", 2);
    ck_assert_int_eq(curve(&l, id, 0, 100).n_row, 2);
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
    OK(store_job_rescue(l.store, &k, true, "no memory", &l.err));
    lab_move(&l, 60000);
    k = lab_claim(&l);
    OK(store_job_note(l.store, &k, "info", "epoch 1 done", &l.err));
    OK(store_job_finish(l.store, &k, JOB_FAILED, &why, NULL, NULL, &l.err));
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
