// SPDX-License-Identifier: MIT
// Cross-validation on real data: what it says of a definition, and what it refuses.

#include "tests/e2e/scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int items(const struct reply *r, const char *object, const char *key)
{
    const cJSON *o = cJSON_GetObjectItem(r->json, object);
    return cJSON_GetArraySize(cJSON_GetObjectItem(o, key));
}

TEST(iris_is_told_apart_in_every_fold)
{
    int job = submit(scene(), "{\"kind\":\"cross_validation\",\"dataset\":\"iris\","
                              "\"target\":\"species\",\"name\":\"never\"}");
    const struct reply *r = wait_status(scene(), job, "succeeded");
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(r->json, "model")));
    ck_assert_double_eq(number_at(r, "/progress/fraction"), 1);
    ck_assert_double_eq(number_at(r, "/result/folds"), 5);
    ck_assert_double_gt(number_at(r, "/result/metrics/accuracy/mean"), .85);
    ck_assert_double_lt(number_at(r, "/result/metrics/accuracy/std"), .15);
    double rows = 0, sum = 0;
    for (int f = 0; f < 5; f++) {
        rows += number_at(r, text("/result/rows/%d", f));
        sum += number_at(r, text("/result/metrics/accuracy/folds/%d", f));
        ck_assert_double_gt(number_at(r, text("/result/epochs/%d", f)), 0);
    }
    ck_assert_double_eq_tol(sum / 5, number_at(r, "/result/metrics/accuracy/mean"), 1e-12);
    expect_status(http(scene(), "GET", "/models/never", NULL), 404);
    r = http(scene(), "GET", text("/jobs/%d/rows?limit=100000", job), NULL);
    expect_status(r, 200);
    ck_assert_double_eq(items(r, "columns", "row"), rows);
    const cJSON *p = cJSON_GetObjectItem(cJSON_GetObjectItem(r->json, "columns"), "predictions");
    ck_assert_int_eq(cJSON_GetArraySize(p), 3);
    ck_assert_double_eq(cJSON_GetArraySize(p->child), rows);
    r = http(scene(), "GET", text("/jobs/%d/rows?after=%d&limit=7", job, 10), NULL);
    ck_assert_int_eq(items(r, "columns", "fold"), 7);
    ck_assert_double_eq(number_at(r, "/columns/row/0"), 10);
    ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(r->json, "has_more")));
}

TEST(houses_are_priced_by_numbers_with_their_spread)
{
    upload_file(scene(), "houses", "tests/data/california_housing_test.csv");
    int job =
        submit(scene(), "{\"kind\":\"cross_validation\",\"cross_validation\":{\"folds\":3},"
                        "\"dataset\":\"houses\",\"target\":\"median_house_value\","
                        "\"model\":{\"layers\":[16]},\"training\":{\"epochs\":30,\"threads\":2}}");
    const struct reply *r = wait_status(scene(), job, "succeeded");
    ck_assert_double_gt(number_at(r, "/result/metrics/r2/mean"), .4);
    ck_assert_double_lt(number_at(r, "/result/metrics/r2/std"), .1);
    r = http(scene(), "GET", text("/jobs/%d/metrics", job), NULL);
    ck_assert_int_eq(items(r, "columns", "fold"), items(r, "columns", "epoch"));
    ck_assert_double_eq(number_at(r, "/columns/fold/0"), 1);
}

static const char *few_rows(int folds)
{
    return text("{\"kind\":\"cross_validation\",\"cross_validation\":{\"folds\":%d},"
                "\"data\":{\"x\":[[0],[1],[2],[3],[4],[5]],\"y\":[0.5,1,2,3,4,7]},"
                "\"model\":{\"layers\":[{\"units\":4,\"norm\":null}]},\"training\":{\"epochs\":2}}",
                folds);
}

TEST(too_few_rows_for_the_folds_are_refused_before_anything_is_queued)
{
    const struct reply *r = http(scene(), "POST", "/jobs", few_rows(7));
    expect_status(r, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/cross_validation/folds");
    ck_assert_ptr_nonnull(strstr(string_at(r, "/errors/0/detail"), "there are 6"));
    int job = submit(scene(), few_rows(6));
    wait_status(scene(), job, "succeeded");
    r = http(scene(), "POST", "/jobs", few_rows(21));
    expect_status(r, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/code"), "out_of_range");
}
