// SPDX-License-Identifier: MIT
// Values rather than classes, and tables that come with the job.

#include "tests/e2e/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

TEST(a_value_is_learnt_from_a_table_with_gaps_and_texts)
{
    upload_file(scene(), "homes", "tests/data/california_housing_train.csv");
    upload_file(scene(), "homes-test", "tests/data/california_housing_test.csv");
    train(scene(), "{\"dataset\":\"homes\",\"target\":\"median_house_value\","
                   "\"training\":{\"epochs\":3},\"model\":{\"layers\":[32]},\"optimizer\":"
                   "{\"type\":\"adamw\",\"lr\":0.01}}");
    const struct reply *r =
        http(scene(), "POST", "/models/homes/evaluate", "{\"dataset\":\"homes-test\"}");
    expect_status(r, 200);
    ck_assert_double_eq(number_at(r, "/rows"), 4128);
    ck_assert_double_lt(number_at(r, "/metrics/rmse"), 80000); // the mean alone is off by 115000
    r = http(scene(), "POST", "/predict",
             "{\"model\":\"homes\",\"instances\":[{\"longitude\":-122.2,\"latitude\":37.8,"
             "\"housing_median_age\":52,\"total_rooms\":3503,\"total_bedrooms\":null,"
             "\"population\":1504,\"households\":734,\"median_income\":3.27,"
             "\"ocean_proximity\":\"NEAR BAY\"}]}");
    expect_status(r, 200);
    double value = number_at(r, "/predictions/0/value");
    ck_assert(value > 20000 && value < 800000);
}

static const char *const inline_jobs[] = {
    "{\"name\":\"in-xy\",\"data\":{\"x\":[[1,2],[2,1],[3,5],[4,3],[5,8],[6,2],[7,9],[8,1]],"
    "\"y\":[1,2,3,4,5,6,7,8]},\"model\":{\"layers\":[4]},\"training\":{\"epochs\":3}}",
    "{\"name\":\"in-rows\",\"target\":\"c\",\"data\":{\"columns\":[\"a\",\"b\",\"c\"],\"rows\":["
    "[1,2.5,1],[2,null,2],[3,-1e3,3],[4,0,4.5],[5,1,5],[6,3,6],[7,2,7],[8,8,8]]},"
    "\"task\":\"regression\",\"model\":{\"layers\":[4]},\"training\":{\"epochs\":3}}",
};

LOOP_TEST(a_table_may_come_with_the_job, sizeof inline_jobs / sizeof *inline_jobs)
{
    const struct reply *r = train(scene(), inline_jobs[_i]);
    const char *path = text("/models/%s/predict", string_at(r, "/model/name"));
    r = http(scene(), "POST", path, "{\"instances\":[[1,2],[null,2]]}");
    expect_status(r, 200);
    ck_assert(isfinite(number_at(r, "/predictions/0/value")));
}

TEST(texts_that_come_with_the_job_are_categories)
{
    const struct reply *r = train(
        scene(), "{\"name\":\"in-text\",\"target\":\"kind\",\"data\":{\"columns\":[\"size\","
                 "\"colour\",\"kind\"],\"rows\":[[1,\"red\",\"a\"],[2,\"blue\",\"b\"],"
                 "[1,\"red\",\"a\"],[2,\"blue\",\"b\"],[1,null,\"a\"],[3,\"blue\",\"b\"],"
                 "[1,\"red\",\"a\"],[2,\"blue\",\"b\"],[1,\"red\",\"a\"],[2,\"blue\",\"b\"]]},"
                 "\"training\":{\"epochs\":5},\"model\":{\"layers\":[4]}}");
    ck_assert_str_eq(string_at(r, "/model/name"), "in-text");
    r = http(scene(), "POST", "/models/in-text/predict",
             "{\"instances\":[{\"size\":1,\"colour\":\"green\"}]}");
    expect_status(r, 200);
    string_at(r, "/predictions/0/class");
}

// With its data put back, what a job shows as its definition is a job again.
TEST(the_definition_of_a_job_with_data_of_its_own_can_be_posted_again)
{
    static const char data[] = "{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8]],\"y\":[1,2,3,4,5,6,7,8]}";
    const struct reply *r = train(scene(), text("{\"data\":%s,\"training\":{\"epochs\":2}}", data));
    double version = number_at(r, "/model/version");
    cJSON *definition = cJSON_Duplicate(json_at(r->json, "/definition"), true);
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(definition, "dataset")));
    cJSON_ReplaceItemInObject(definition, "data", cJSON_Parse(data));
    char *again = cJSON_PrintUnformatted(definition);
    ck_assert_double_eq(number_at(train(scene(), again), "/model/version"), version + 1);
    free(again);
    cJSON_Delete(definition);
}

TEST(a_network_that_diverges_ends_as_failed_and_names_the_place)
{
    int job = submit(scene(), "{\"name\":\"wild\",\"dataset\":\"shop\",\"target\":\"price\","
                              "\"optimizer\":{\"type\":\"sgd\",\"lr\":1e6},"
                              "\"regularization\":{\"gradient_clip_norm\":null},"
                              "\"schedule\":\"constant\",\"training\":{\"early_stopping\":null},"
                              "\"model\":{\"layers\":[{\"units\":16,\"norm\":null}]}}");
    const struct reply *r = wait_status(scene(), job, "failed");
    ck_assert_str_eq(string_at(r, "/error/code"), "diverged");
    ck_assert_msg(strstr(string_at(r, "/error/message"), "step "), "%s", r->body);
    ck_assert_msg(strstr(string_at(r, "/error/message"), "first in output.linear"), "%s", r->body);
    ck_assert(cJSON_IsNull(json_at(r->json, "/model")));
    r = http(scene(), "POST", text("/jobs/%d/predict", job), "{\"instances\":[[1,2]]}");
    expect_status(r, 409);
    expect_status(http(scene(), "GET", "/healthz", NULL), 200);
}
