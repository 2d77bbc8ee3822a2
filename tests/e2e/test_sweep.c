// SPDX-License-Identifier: MIT
// A sweep over learning rates is a job like another, with a curve and without a model.

#include "tests/e2e/scene.h"

#include <stdlib.h>

TEST(a_sweep_suggests_a_rate_that_trains_well)
{
    int job = submit(scene(), "{\"kind\":\"lr_finder\",\"name\":\"swept\",\"dataset\":\"iris\","
                              "\"target\":\"species\"}");
    const struct reply *r = wait_status(scene(), job, "succeeded");
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(r->json, "model")));
    expect_status(http(scene(), "GET", "/models/swept", NULL), 404);
    r = http(scene(), "GET", text("/jobs/%d/lr", job), NULL);
    expect_status(r, 200);
    double valley = number_at(r, "/valley");
    ck_assert(valley > 1e-5 && valley < 1);
    int n = cJSON_GetArraySize(cJSON_GetObjectItem(r->json, "lr"));
    ck_assert(n > 20 && n <= 100);
    ck_assert_double_eq_tol(number_at(r, "/lr/0"), 1e-7, 1e-12);
    char *body = cJSON_PrintUnformatted(cJSON_GetObjectItem(r->json, "job"));
    r = train(scene(), body);
    free(body);
    ck_assert_double_eq(number_at(r, "/definition/optimizer/lr"), valley);
    r = http(scene(), "GET", "/models/swept", NULL);
    ck_assert_double_gt(number_at(r, "/scores/test/accuracy"), .8);
}

TEST(a_sweep_that_makes_no_sense_is_refused)
{
    const struct reply *r =
        http(scene(), "POST", "/jobs",
             "{\"kind\":\"lr_finder\",\"dataset\":\"iris\",\"target\":\"species\","
             "\"lr_finder\":{\"min\":1,\"max\":0.1}}");
    expect_status(r, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/lr_finder/max");
}

TEST(a_job_that_trains_has_no_sweep_to_show)
{
    expect_status(http(scene(), "GET", "/jobs/1/lr", NULL), 409);
}
