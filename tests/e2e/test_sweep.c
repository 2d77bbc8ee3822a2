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
    const struct reply *got = http(scene(), "GET", text("/jobs/%d", job), NULL);
    ck_assert_double_eq(number_at(got, "/result/valley"), valley);
    r = http(scene(), "GET", text("/jobs/%d/lr", job), NULL);
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

// Parameters of one kind given to a job of another would be without effect, and nobody would know.
TEST(parameters_of_another_kind_are_refused)
{
    const struct reply *r = http(scene(), "POST", "/jobs",
                                 "{\"dataset\":\"iris\",\"target\":\"species\","
                                 "\"lr_finder\":{\"steps\":20}}");
    expect_status(r, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/lr_finder");
    ck_assert_str_eq(string_at(r, "/errors/0/code"), "conflicting_fields");
    r = http(scene(), "GET", "/jobs/1", NULL);
    ck_assert_ptr_null(
        cJSON_GetObjectItem(cJSON_GetObjectItem(r->json, "definition"), "lr_finder"));
    ck_assert_ptr_null(cJSON_GetObjectItem(r->json, "result"));
}

TEST(a_job_that_has_found_nothing_of_rows_says_so)
{
    const struct reply *r = http(scene(), "GET", "/jobs/1/rows", NULL);
    expect_status(r, 200);
    ck_assert_ptr_null(cJSON_GetObjectItem(r->json, "columns")->child);
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(r->json, "has_more")));
    expect_status(http(scene(), "GET", "/jobs/999999/rows", NULL), 404);
    expect_status(http(scene(), "GET", "/jobs/1/rows?limit=0", NULL), 422);
}
