// SPDX-License-Identifier: MIT
// What handlers of jobs do below HTTP; their answers are looked at by tests/e2e.

#include "api/views/chart.h"
#include "api/views/query.h"
#include "api/views/views.h"
#include "server/handlers/handlers.h"
#include "tests/heap.h"
#include "tests/server/plant.h"
#include "server/handlers/job_reply.h"
#include "server/http/router.h"
#include "server/handlers/server.h"

#include <stdlib.h>
#include <string.h>

static const char BODY[] = "{\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10]],"
                           "\"y\":[1,2,3,4,5,6,7,8,9,10]},\"training\":{\"epochs\":3}}";

// In place of a connection: all zero, in which no header is found.
static _Alignas(16) char nobody[1 << 16];

struct workspace_slot {
    struct server server;
    struct call call;
};

static const struct route shows_a_job = {.reply = &job_view};

static void sit(struct workspace_slot *d, struct plant *p, const char *body, const char *id)
{
    *d = (struct workspace_slot){.server = {.settings = &p->settings,
                                            .log = &p->log,
                                            .store = p->store,
                                            .files = p->files,
                                            .catalog = p->catalog,
                                            .queue = p->queue,
                                            .cache = p->cache,
                                            .routes = {route_table, route_count}},
                                 .call = {.route = &shows_a_job,
                                          .arena = &p->arena,
                                          .segment = {id},
                                          .status = 201,
                                          .conn = nobody}};
    d->call.server = &d->server;
    d->call.body = body;
    d->call.body_len = body ? strlen(body) : 0;
    faults_init(&d->call.faults, &p->arena);
    p->err = (struct err){0};
}

// The handler itself removes nothing, since it may be on a polling thread.
TEST(data_of_a_job_goes_when_the_job_is_cancelled_before_it_ran)
{
    struct plant p;
    struct workspace_slot d;
    plant_init(&p);
    p.settings.workers = 1;
    sit(&d, &p, BODY, NULL);
    NEED(job_create(&d.call, &p.err));
    ck_assert_str_eq(d.call.location, "/jobs/1");
    ck_assert_int_eq(plant_files(&p, "datasets"), 3); // with their mark
    sit(&d, &p, NULL, "1");
    NEED(job_cancel(&d.call, &p.err));
    ck_assert_int_eq(plant_job(&p, 1).state, JOB_CANCELLED);
    ck_assert_int_eq(plant_files(&p, "datasets"), 3); // with their mark
    ck_assert_ptr_nonnull(d.call.cleanup);
    d.call.cleanup->run(d.call.cleanup);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

#ifndef MLPD_SANITIZED // their arenas allocate for the answer, too
// Then it goes at the next start.
TEST(a_job_is_cancelled_without_memory_to_remove_its_data)
{
    struct plant p;
    struct workspace_slot d;
    bool ok = false;
    plant_init(&p);
    p.settings.workers = 1;
    sit(&d, &p, BODY, NULL);
    NEED(job_create(&d.call, &p.err));
    for (unsigned long n = 1; !ok; n++) {
        sit(&d, &p, NULL, "1");
        heap_fail(n);
        ok = job_cancel(&d.call, &p.err);
        bool failed = heap_has_failed();
        heap_fail(0); // the next one may be refused, too, and the test's own must not be
        ck_assert(failed);
    }
    ck_assert_ptr_null(d.call.cleanup);
    ck_assert_int_eq(plant_job(&p, 1).state, JOB_CANCELLED);
    ck_assert_int_eq(plant_files(&p, "datasets"), 3);
    plant_close(&p);
    plant_open(&p);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}
#endif

TEST(data_of_a_cancelled_job_stays_while_another_waits_for_it)
{
    struct plant p;
    struct workspace_slot d;
    plant_init(&p);
    p.settings.workers = 1;
    for (int i = 0; i < 2; i++) {
        sit(&d, &p, BODY, NULL);
        NEED(job_create(&d.call, &p.err));
    }
    sit(&d, &p, NULL, "1");
    NEED(job_cancel(&d.call, &p.err));
    d.call.cleanup->run(d.call.cleanup);
    ck_assert_int_eq(plant_files(&p, "datasets"), 3); // with their mark
    plant_work(&p, 1);
    plant_await(&p, 2, JOB_SUCCEEDED, 0);
    plant_release(&p);
}

TEST(data_of_a_job_that_cannot_be_trained_leaves_nothing)
{
    struct plant p;
    struct workspace_slot d;
    plant_init(&p);
    p.settings.workers = 1;
    sit(&d, &p, "{\"data\":{\"x\":[[1],[2],[3]],\"y\":[1,2,3]},\"target\":\"z\"}", NULL);
    ck_assert(!job_create(&d.call, &p.err));
    ck_assert_str_eq(p.err.at, "/target");
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    ck_assert_int_eq(plant_files(&p, "tmp"), 0);
    plant_release(&p);
}

// A number of the reply, by the text in front of it.
static long replied(const struct workspace_slot *d, const char *key)
{
    const char *at = strstr(d->call.out, key);
    ck_assert_msg(at != NULL, "no %s in %s", key, d->call.out);
    return strtol(at + strlen(key), NULL, 10);
}

// A run that reported 10 of 40 steps after 5 s, on a clock that was set back by a day since, or
// forth.
TEST(what_is_left_of_a_job_goes_by_its_own_report_whatever_the_clock_says)
{
    static const int64_t day = 86400 * 1000LL, began[] = {day, -day, 0};
    struct plant p;
    struct workspace_slot d;
    struct err e = {0};
    plant_init(&p);
    for (int i = 0; i < 3; i++) {
        const struct job_row row = {.state = JOB_RUNNING,
                                    .name = "n",
                                    .digest = "",
                                    .metadata = "null",
                                    .created_at = 1,
                                    .started_at = clock_wall(&clock_system) + began[i],
                                    .elapsed = 5000,
                                    .step = 10,
                                    .steps = 40};
        sit(&d, &p, NULL, "1");
        ck_assert(job_reply_one(&d.call, &row, &e));
        ck_assert_int_eq(replied(&d, "\"elapsed_seconds\":"), 5);
        ck_assert_int_eq(replied(&d, "\"eta_seconds\":"), 15);
        long long off = replied(&d, "\"estimated_finish\":") - clock_wall(&clock_system) / 1000;
        ck_assert_int_le(llabs(off - 15), 60);
    }
    plant_release(&p);
}

LOOP_TEST(nothing_is_said_of_what_is_left_before_a_step_and_after_the_end, 3)
{
    static const struct {
        enum job_state state;
        int64_t step;
    } at[] = {{JOB_QUEUED, 0}, {JOB_RUNNING, 0}, {JOB_CANCELLED, 10}};
    struct plant p;
    struct workspace_slot d;
    struct err e = {0};
    plant_init(&p);
    const struct job_row row = {.state = at[_i].state,
                                .name = "n",
                                .digest = "",
                                .metadata = "null",
                                .created_at = 1,
                                .elapsed = 5000,
                                .step = at[_i].step,
                                .steps = 40};
    sit(&d, &p, NULL, "1");
    ck_assert(job_reply_one(&d.call, &row, &e));
    ck_assert_ptr_nonnull(strstr(d.call.out, "\"eta_seconds\":null,\"estimated_finish\":null"));
    plant_release(&p);
}

TEST(a_queue_position_counts_the_jobs_in_front_by_priority_then_age)
{
    static const struct {
        int64_t priority;
        long position;
    } row[] = {{0, 3}, {5, 0}, {5, 1}, {-1, 5}, {0, 4}, {1, 2}};
    enum { ROWS = sizeof row / sizeof *row };
    struct plant p;
    struct workspace_slot d;
    char id[2] = "1";
    plant_init(&p);
    for (int i = 0; i < ROWS; i++) {
        const struct job_new job = {.name = "n",
                                    .digest = "0123456789abcdef0123456789abcdef"
                                              "0123456789abcdef0123456789abcdef",
                                    .spec = "{}",
                                    .metadata = "null",
                                    .priority = row[i].priority};
        struct job_row out;
        bool replayed;
        NEED(store_job_submit(p.store, &job, &out, &replayed, &p.arena, &p.err));
    }
    for (int i = 0; i < ROWS; i++, id[0]++) {
        sit(&d, &p, NULL, id);
        NEED(job_get(&d.call, &p.err));
        ck_assert_int_eq(replied(&d, "\"queue_position\":"), row[i].position);
    }
    NEED(queue_cancel(p.queue, 2, &(struct job_row){0}, &p.arena, &p.err));
    sit(&d, &p, NULL, "3");
    NEED(job_get(&d.call, &p.err));
    ck_assert_int_eq(replied(&d, "\"queue_position\":"), 0);
    sit(&d, &p, NULL, "2");
    NEED(job_get(&d.call, &p.err));
    ck_assert_ptr_nonnull(strstr(d.call.out, "\"queue_position\":null"));
    plant_release(&p);
}

TEST(epochs_that_were_not_stored_are_listed_as_gaps)
{
    static const int64_t epoch[] = {2, 3, 7, 8, 20};
    static const double value = 1;
    static const struct series series = {"", "a", SERIES_REAL};
    static const struct series_list list[SERIES_KINDS] = {{&series, 1}};
    struct plant p;
    struct workspace_slot d;
    struct job_claim claim;
    bool cancel;
    plant_init(&p);
    plant_submit(&p, NULL, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                 "{}");
    NEED(store_job_claim(p.store, "w", &claim, &p.arena, &p.err));
    for (size_t i = 0; i < sizeof epoch / sizeof *epoch; i++) {
        const struct metric_row row = {epoch[i], epoch[i], &value, NULL};
        const struct job_beat beat = {.epoch = epoch[i], .series = list, .row = &row, .n_row = 1};
        NEED(store_job_beat(p.store, &claim.lease, &beat, &cancel, &p.err));
    }
    sit(&d, &p, NULL, "1");
    d.call.rendering = &chart_json;
    d.call.query = &(struct epochs_query){.limit = CURVE_MAX};
    NEED(job_metrics(&d.call, &p.err));
    ck_assert_ptr_nonnull(strstr(d.call.out,
                                 "\"gaps\":[{\"from\":1,\"to\":1},{\"from\":4,\"to\":6},"
                                 "{\"from\":9,\"to\":19}]"));
    plant_release(&p);
}
