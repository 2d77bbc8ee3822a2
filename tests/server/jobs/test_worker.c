// SPDX-License-Identifier: MIT
// A real queue, store and worker over a folder under /tmp.

#include "server/jobs/worker.h"
#include "tests/server/full_disk.h"
#include "tests/server/plant.h"
#include "tests/server/store/store_exec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define JOB(rest)                                                                                  \
    "{\"dataset\":\"d\",\"target\":\"y\",\"model\":{\"layers\":[{\"units\":8,\"norm\":null,"       \
    "\"dropout\":0}]},\"training\":{\"early_stopping\":null," rest "}"

static const char SHORT[] = JOB("\"epochs\":5}"), LONG[] = JOB("\"epochs\":10000}"),
                  MEDIUM[] = JOB("\"epochs\":5000}"),
                  BROKEN[] = JOB("\"epochs\":50},\"optimizer\":{\"type\":\"sgd\",\"lr\":1e6},"
                                 "\"regularization\":{\"gradient_clip_norm\":null}");

static const char SWEEP[] =
    JOB("\"epochs\":5},\"kind\":\"lr_finder\",\"lr_finder\":{\"steps\":20}");

static const char *upload(struct plant *p, const char *name)
{
    char *digest = arena_need(&p->arena, DATASET_DIGEST, 1);
    ck_assert_msg(plant_upload(p, name, plant_table(p, 200), digest, &p->arena, &p->err), "%s",
                  p->err.text);
    return digest;
}

static double predicted(struct plant *p, const char *name)
{
    struct served s;
    real x[8] = {0};
    double answer[1];
    ck_assert_msg(cache_take(p->cache, name, 0, 0, &s, &p->err), "%s", p->err.text);
    ck_assert_uint_le(s.file->prep.n_feature, 8);
    predictor_run(s.predictor, x, NULL, 1, answer, NULL);
    cache_put(p->cache, &s);
    return answer[0];
}

TEST(a_job_succeeds_and_its_model_answers)
{
    struct plant p;
    struct series_table t;
    plant_init(&p);
    int64_t id = plant_submit(&p, "d", upload(&p, "d"), SHORT);
    plant_work(&p, 2);
    struct job_row row = plant_await(&p, id, JOB_SUCCEEDED, 0);
    ck_assert(row.epoch == 5 && row.epochs == 5 && row.step == row.steps && row.step > 0);
    ck_assert(row.best_epoch > 0 && isfinite(row.best_value));
    ck_assert_str_eq(row.best_metric, "val_loss");
    ck_assert_str_eq(row.model, "d");
    ck_assert_int_eq(row.version, 1);
    NEED(store_job_series(p.store, id, &(struct curve_part){0, 1, 100, SERIES_RUN}, &t, &p.arena, &p.err));
    ck_assert_uint_eq(t.n_row, 5);
    ck_assert_uint_eq(t.series.n, 8);
    for (size_t i = 0; i < t.n_row * t.series.n; i++)
        ck_assert(isfinite(t.value[i]));
    ck_assert(isfinite(predicted(&p, "d")));
    queue_drain(p.queue); // the worker tidies up after it has told of its success
    workers_join(p.workers);
    p.workers = NULL;
    ck_assert_int_eq(plant_files(&p, "models"), 1);
    ck_assert_int_eq(plant_files(&p, "tmp"), 0);
    plant_release(&p);
}

// The same seed on the same data: both versions are the same weights.
TEST(each_success_is_the_next_version)
{
    struct plant p;
    plant_init(&p);
    const char *digest = upload(&p, "d");
    int64_t id[2];
    for (int i = 0; i < 2; i++)
        id[i] = plant_submit(&p, "d", digest, SHORT);
    plant_work(&p, 1);
    ck_assert_int_eq(plant_await(&p, id[0], JOB_SUCCEEDED, 0).version, 1);
    ck_assert_int_eq(plant_await(&p, id[1], JOB_SUCCEEDED, 0).version, 2);
    plant_release(&p);
}

TEST(a_job_that_diverges_fails_with_step_and_place)
{
    struct plant p;
    plant_init(&p);
    int64_t id = plant_submit(&p, "d", upload(&p, "d"), BROKEN);
    plant_work(&p, 1);
    struct job_row row = plant_await(&p, id, JOB_FAILED, 0);
    ck_assert_str_eq(row.error_kind, "diverged");
    ck_assert_ptr_nonnull(strstr(row.error_text, "at step "));
    ck_assert_ptr_null(row.model);
    ck_assert_int_eq(plant_files(&p, "models"), 0);
    plant_release(&p);
}

TEST(a_job_whose_data_is_gone_fails_and_the_worker_goes_on)
{
    struct plant p;
    plant_init(&p);
    const char *digest = upload(&p, "d");
    int64_t bad = plant_submit(&p, NULL,
                               "0123456789abcdef0123456789abcdef0123456789abcdef"
                               "0123456789abcdef",
                               SHORT),
            good = plant_submit(&p, "d", digest, SHORT);
    plant_work(&p, 1);
    ck_assert_str_eq(plant_await(&p, bad, JOB_FAILED, 0).error_kind, "not_found");
    plant_await(&p, good, JOB_SUCCEEDED, 0);
    plant_release(&p);
}

// Once, not again and again: it will not get better.
LOOP_TEST(a_job_whose_stored_definition_cannot_be_read_fails_and_the_worker_goes_on, 2)
{
    static const char *const damage[] = {
        "UPDATE jobs SET spec = replace(spec, '\"seed\":', '\"sead\":')",
        "UPDATE jobs SET spec_version = 2",
    };
    static const char *const text[] = {
        "the stored definition is damaged: /",
        "the stored definition was written by another version of mlpd (2), this one reads 1",
    };
    struct plant p;
    plant_init(&p);
    const char *digest = upload(&p, "d");
    int64_t bad = plant_submit(&p, "d", digest, SHORT);
    ck_assert(store_exec(p.store, damage[_i], NULL));
    int64_t good = plant_submit(&p, "d", digest, SHORT);
    plant_work(&p, 1);
    struct job_row row = plant_await(&p, bad, JOB_FAILED, 0);
    ck_assert_str_eq(row.error_kind, "invalid");
    ck_assert_ptr_eq(strstr(row.error_text, text[_i]), row.error_text);
    ck_assert_int_eq(row.crashes, 0);
    plant_await(&p, good, JOB_SUCCEEDED, 0);
    plant_release(&p);
}

TEST(a_running_job_is_cancelled_and_the_worker_goes_on)
{
    struct plant p;
    struct job_row row;
    plant_init(&p);
    const char *digest = upload(&p, "d");
    int64_t id = plant_submit(&p, "d", digest, LONG);
    plant_work(&p, 1);
    plant_await(&p, id, JOB_RUNNING, 1);
    NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
    row = plant_await(&p, id, JOB_CANCELLED, 1);
    ck_assert(row.epoch < row.epochs && !row.model);
    plant_await(&p, plant_submit(&p, "d", digest, SHORT), JOB_SUCCEEDED, 0);
    plant_release(&p);
}

// The cancellation is committed with the last report, after the run has looked for the last time.
// With a model to publish, and without.
LOOP_TEST(a_job_cancelled_in_its_last_step_is_not_published, 2)
{
    static const char *const job[] = {SHORT, SWEEP};
    struct plant p;
    plant_init(&p);
    ck_assert(store_exec(p.store,
                         "CREATE TRIGGER late AFTER UPDATE OF elapsed ON jobs "
                         "WHEN new.epoch > 0 AND new.epoch = new.epochs BEGIN "
                         "UPDATE jobs SET cancel_requested = 1 WHERE id = new.id; END",
                         NULL));
    int64_t id = plant_submit(&p, "d", upload(&p, "d"), job[_i]);
    plant_work(&p, 1);
    struct job_row row = plant_await(&p, id, JOB_CANCELLED, 0);
    ck_assert(row.epoch == row.epochs && !row.model);
    queue_drain(p.queue);
    workers_join(p.workers);
    p.workers = NULL;
    ck_assert_int_eq(plant_files(&p, "models"), 0);
    plant_release(&p);
}

static int64_t ns_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int64_t submit_short(struct plant *p, const char *digest, int seed)
{
    return plant_submit(p, "d", digest,
                        arena_printf(&p->arena, JOB("\"epochs\":2},\"seed\":%d"), seed));
}

static void await_end(struct plant *p, int64_t id)
{
    while (!job_ended(plant_job(p, id).state))
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

// The cancellation comes at any moment around the end of a run. A drain waits for what the worker
// still has to tidy up.
TEST(a_job_whose_cancelling_was_accepted_never_succeeds_and_leaves_no_file)
{
    enum { ROUNDS = 100 };
    struct plant p;
    struct job_row row;
    int64_t id[ROUNDS];
    bool accepted[ROUNDS];
    int succeeded = 1;
    plant_init(&p);
    const char *digest = upload(&p, "d");
    plant_work(&p, 1);
    int64_t begun = ns_now();
    await_end(&p, submit_short(&p, digest, 0));
    int64_t usual = ns_now() - begun;
    for (int i = 0; i < ROUNDS; i++) {
        id[i] = submit_short(&p, digest, i + 1);
        nanosleep(&(struct timespec){.tv_nsec = usual / 2 + i * usual / ROUNDS}, NULL);
        accepted[i] = queue_cancel(p.queue, id[i], &row, &p.arena, &p.err);
        p.err = (struct err){0};
        await_end(&p, id[i]);
    }
    queue_drain(p.queue);
    workers_join(p.workers);
    p.workers = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        row = plant_job(&p, id[i]);
        ck_assert_msg(row.state == (accepted[i] ? JOB_CANCELLED : JOB_SUCCEEDED), "%s %d: %s",
                      job_state_word(row.state), accepted[i], row.error_text);
        succeeded += row.state == JOB_SUCCEEDED;
    }
    ck_assert_int_eq(plant_files(&p, "models"), succeeded);
    plant_release(&p);
}

TEST(a_drain_releases_the_job_which_finishes_after_the_restart)
{
    struct plant p;
    plant_init(&p);
    int64_t id = plant_submit(&p, "d", upload(&p, "d"), MEDIUM);
    plant_work(&p, 1);
    plant_await(&p, id, JOB_RUNNING, 0);
    plant_close(&p);
    plant_open(&p);
    struct job_row row = plant_job(&p, id);
    ck_assert_msg(row.state == JOB_QUEUED && !row.cancel_requested, "state %d", row.state);
    ck_assert(row.crashes == 0 && row.deaths == 0);
    plant_work(&p, 1);
    ck_assert_int_eq(plant_await(&p, id, JOB_SUCCEEDED, 0).epoch, 5000);
    ck_assert(isfinite(predicted(&p, "d")));
    plant_release(&p);
}

TEST(data_that_came_with_a_job_goes_when_it_ends)
{
    struct plant p;
    plant_init(&p);
    const char *kept = upload(&p, "d"), *csv = "x,y\n1,2\n3,4\n5,6\n7,8\n9,1\n2,3\n4,4\n5,5\n";
    char digest[DATASET_DIGEST];
    NEED(plant_upload(&p, NULL, csv, digest, &p.arena, &p.err));
    ck_assert_str_ne(kept, digest);
    int64_t id = plant_submit(&p, NULL, digest, SHORT);
    plant_work(&p, 1);
    plant_await(&p, id, JOB_SUCCEEDED, 0);
    queue_drain(p.queue);
    workers_join(p.workers);
    p.workers = NULL;
    ck_assert_int_eq(plant_files(&p, "datasets"), 2);
    plant_release(&p);
}

static bool has_event(struct plant *p, int64_t id, const char *text)
{
    struct event_list list;
    ck_assert_msg(store_job_events(p->store, id, 0, STORE_PAGE, &list, &p->arena, &p->err), "%s",
                  p->err.text);
    for (size_t i = 0; i < list.n; i++)
        if (strncmp(list.row[i].message, text, strlen(text)) == 0)
            return true;
    return false;
}

// The disk is full from shortly after the start until the model has been saved, long after the
// curve's buffer has run over.
TEST(a_job_trains_on_while_the_disk_is_full_and_tells_what_is_missing)
{
    struct plant p;
    struct series_table t;
    size_t gaps = 0;
    plant_init(&p);
    int64_t id = plant_submit(&p, "d", upload(&p, "d"), LONG);
    plant_work(&p, 1);
    plant_await(&p, id, JOB_RUNNING, 1);
    full_disk(p.store, true);
    while (plant_files(&p, "models") == 0)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    full_disk(p.store, false);
    struct job_row row = plant_await(&p, id, JOB_SUCCEEDED, 10000);
    ck_assert(row.attempt == 1 && row.crashes + row.deaths == 0);
    NEED(store_job_series(p.store, id, &(struct curve_part){0, 1, 10000, SERIES_RUN}, &t, &p.arena, &p.err));
    ck_assert_int_eq(t.epoch[t.n_row - 1], 10000);
    for (size_t i = 1; i < t.n_row; i++)
        if (t.epoch[i] != t.epoch[i - 1] + 1) {
            gaps++;
            ck_assert(
                has_event(&p, id,
                          arena_printf(&p.arena, "epochs %lld to %lld were not stored: ",
                                       (long long)t.epoch[i - 1] + 1, (long long)t.epoch[i] - 1)));
        }
    ck_assert_uint_eq(gaps, 1);
    plant_release(&p);
}

TEST(a_job_that_waits_for_room_to_end_in_is_cancelled)
{
    struct plant p;
    struct job_row row;
    plant_init(&p);
    int64_t id = plant_submit(&p, "d", upload(&p, "d"), LONG);
    plant_work(&p, 1);
    plant_await(&p, id, JOB_RUNNING, 1);
    full_disk(p.store, true);
    while (plant_files(&p, "models") == 0)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    while (!queue_cancel(p.queue, id, &row, &p.arena, &p.err))
        ck_assert_int_eq(p.err.kind, ERR_NO_SPACE);
    plant_await(&p, id, JOB_CANCELLED, 0);
    plant_release(&p);
}

#ifndef MLPD_SANITIZED // sanitizers need all addresses there are
TEST(workers_that_cannot_all_be_had_touch_no_job)
{
    struct plant p;
    struct rlimit all, few;
    struct event_list list;
    long pages;
    plant_init(&p);
    p.settings.workers = 32;
    int64_t id = plant_submit(&p, "d", upload(&p, "d"), SHORT);
    const struct worker_config c = {&p.settings, &p.log, p.store, p.files, p.catalog, p.queue, 0};
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert(f && fscanf(f, "%ld", &pages) == 1);
    fclose(f);
    getrlimit(RLIMIT_AS, &all);
    few = (struct rlimit){(rlim_t)pages * 4096 + (64 << 20), all.rlim_max};
    setrlimit(RLIMIT_AS, &few);
    ck_assert_ptr_null(workers_start(&c, &p.err));
    setrlimit(RLIMIT_AS, &all);
    ck_assert_int_eq(p.err.kind, ERR_INTERNAL);
    NEED(store_job_events(p.store, id, 0, STORE_PAGE, &list, &p.arena, &p.err));
    ck_assert_uint_eq(list.n, 1); // queued
    ck_assert_int_eq(plant_job(&p, id).attempt, 0);
    plant_release(&p);
}
#endif
