// SPDX-License-Identifier: MIT
// What handlers of jobs do below HTTP; their answers are looked at by tests/e2e.

#include "handlers.h"
#include "plant.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

static const char BODY[] = "{\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10]],"
                           "\"y\":[1,2,3,4,5,6,7,8,9,10]},\"training\":{\"epochs\":3}}";

// In place of a connection: all zero, in which no header is found.
static _Alignas(16) char nobody[1 << 16];

struct desk {
    struct server server;
    struct call call;
};

static void sit(struct desk *d, struct plant *p, const char *body, const char *id)
{
    *d =
        (struct desk){.server = {.settings = &p->settings,
                                 .log = &p->log,
                                 .store = p->store,
                                 .catalog = p->catalog,
                                 .queue = p->queue,
                                 .cache = p->cache},
                      .call = {.arena = &p->arena, .segment = {id}, .status = 201, .conn = nobody}};
    d->call.server = &d->server;
    d->call.body = body;
    d->call.body_len = body ? strlen(body) : 0;
    faults_init(&d->call.faults, &p->arena);
    p->err = (struct err){0};
}

TEST(data_of_a_job_goes_when_the_job_is_cancelled_before_it_ran)
{
    struct plant p;
    struct desk d;
    plant_init(&p);
    p.settings.workers = 1;
    sit(&d, &p, BODY, NULL);
    NEED(job_create(&d.call, &p.err));
    ck_assert_str_eq(d.call.location, "/jobs/1");
    ck_assert_int_eq(plant_files(&p, "datasets"), 2);
    sit(&d, &p, NULL, "1");
    NEED(job_cancel(&d.call, &p.err));
    ck_assert_int_eq(plant_job(&p, 1).state, JOB_CANCELLED);
    ck_assert_int_eq(plant_files(&p, "datasets"), 0);
    plant_release(&p);
}

TEST(data_of_a_cancelled_job_stays_while_another_waits_for_it)
{
    struct plant p;
    struct desk d;
    plant_init(&p);
    p.settings.workers = 1;
    for (int i = 0; i < 2; i++) {
        sit(&d, &p, BODY, NULL);
        NEED(job_create(&d.call, &p.err));
    }
    sit(&d, &p, NULL, "1");
    NEED(job_cancel(&d.call, &p.err));
    ck_assert_int_eq(plant_files(&p, "datasets"), 2);
    plant_work(&p, 1);
    plant_await(&p, 2, JOB_SUCCEEDED, 0);
    plant_release(&p);
}

TEST(data_of_a_job_that_cannot_be_trained_leaves_nothing)
{
    struct plant p;
    struct desk d;
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
static long replied(const struct desk *d, const char *key)
{
    const char *at = strstr(d->call.out, key);
    ck_assert_msg(at != NULL, "no %s in %s", key, d->call.out);
    return strtol(at + strlen(key), NULL, 10);
}

TEST(a_queue_position_counts_the_jobs_in_front_by_priority_then_age)
{
    static const struct {
        int64_t priority;
        long position;
    } row[] = {{0, 3}, {5, 0}, {5, 1}, {-1, 5}, {0, 4}, {1, 2}};
    enum { ROWS = sizeof row / sizeof *row };
    struct plant p;
    struct desk d;
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
        NEED(queue_submit(p.queue, &job, &out, &replayed, &p.arena, &p.err));
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
