// SPDX-License-Identifier: MIT
// How long predictions say that they take, below HTTP; their answers are looked at by tests/e2e.

#include "server/handlers/handlers.h"
#include "tests/server/plant.h"
#include "server/handlers/server.h"

#include <string.h>

// A network of a million weights.
static const char JOB[] = "{\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10]],"
                          "\"y\":[1,2,3,4,5,6,7,8,9,10]},\"hidden\":[1000,1000],"
                          "\"training\":{\"epochs\":1}}";

static _Alignas(16) char nobody[1 << 16]; // no header is found in it

struct workspace_slot {
    struct plant plant;
    struct server server;
    struct call call;
};

static void sit(struct workspace_slot *d, const char *path, const char *body, enum pace pace)
{
    struct plant *p = &d->plant;
    d->server = (struct server){.settings = &p->settings,
                                .log = &p->log,
                                .store = p->store,
                                .files = p->files,
                                .catalog = p->catalog,
                                .queue = p->queue,
                                .cache = p->cache,
                                .routes = {route_table, route_count}};
    d->call = (struct call){.arena = &p->arena,
                            .segment = {"1"},
                            .status = 200,
                            .conn = nobody,
                            .server = &d->server,
                            .pace = pace,
                            .body = body,
                            .body_len = strlen(body)};
    for (size_t i = 0; i < route_count; i++)
        if (route_table[i].method == POST && !strcmp(route_table[i].path, path))
            d->call.route = &route_table[i];
    faults_init(&d->call.faults, &p->arena);
    p->err = (struct err){0};
}

static const char *rows(struct arena *a, size_t n)
{
    static const char begin[] = "{\"instances\":[", one[] = "[1],", end[] = "[1]]}";
    size_t room = sizeof begin + n * (sizeof one - 1) + sizeof end;
    char *text = arena_need(a, room, 1), *at = stpcpy(text, begin);
    while (--n)
        at = stpcpy(at, one);
    stpcpy(at, end);
    return text;
}

static enum pace deferred(struct workspace_slot *d, size_t n, enum pace pace)
{
    sit(d, "/jobs/{id}/predict", rows(&d->plant.arena, n), pace);
    bool ok = predict_by_job(&d->call, &d->plant.err);
    ck_assert_int_eq(ok, !d->call.deferred);
    ck_assert_str_eq(d->plant.err.text, "");
    return d->call.deferred;
}

// 2e8 operations are quick, 2e10 take seconds: that is 100 and 10,000 rows.
TEST(predictions_take_as_long_as_their_arithmetic)
{
    static struct workspace_slot d;
    server_prepare(); // products this large would else go to threads of the matrix library
    plant_init(&d.plant);
    d.plant.settings.workers = 1;
    sit(&d, "/jobs", JOB, PACE_SECONDS);
    NEED_IN(&d.plant, job_create(&d.call, &d.plant.err));
    plant_work(&d.plant, 1);
    plant_await(&d.plant, 1, JOB_SUCCEEDED, 0);
    ck_assert_int_eq(deferred(&d, 1, PACE_QUICK), PACE_SECONDS); // it is on disk
    ck_assert_int_eq(deferred(&d, 1, PACE_SECONDS), PACE_QUICK);
    ck_assert_int_eq(deferred(&d, 90, PACE_QUICK), PACE_QUICK);
    ck_assert_int_eq(deferred(&d, 110, PACE_QUICK), PACE_SECONDS);
    ck_assert_int_eq(deferred(&d, 110, PACE_SECONDS), PACE_QUICK);
    ck_assert_int_eq(deferred(&d, 10100, PACE_QUICK), PACE_MINUTES);
    ck_assert_int_eq(deferred(&d, 10100, PACE_SECONDS), PACE_MINUTES);
    ck_assert_int_eq(deferred(&d, 10100, PACE_MINUTES), PACE_QUICK);
    plant_release(&d.plant);
}

// Of these the work grows with a dataset, or with rows times weights.
TEST(routes_that_may_take_minutes_say_so)
{
    static const char *const minutes[] = {"evaluate_model", "trace_model", "gradcheck_model"};
    for (size_t i = 0; i < route_count; i++) {
        bool lasts = false;
        for (size_t k = 0; k < sizeof minutes / sizeof *minutes; k++)
            lasts = lasts || !strcmp(route_table[i].id, minutes[k]);
        ck_assert_int_eq(route_table[i].pace == PACE_MINUTES, lasts);
    }
}
