// SPDX-License-Identifier: MIT
// Weights that come from elsewhere: imported, exported, trained on.

#include "tests/e2e/scene.h"

#include <string.h>

TEST(an_imported_model_answers_at_once)
{
    const struct reply *r =
        http(scene(), "POST", "/models",
             "{\"name\":\"given\",\"inputs\":[\"a\",\"b\"],\"layers\":[{\"weight\":[[2,3]],"
             "\"bias\":[1]}]}");
    expect_status(r, 201);
    ck_assert_str_eq(r->location, "/models/given");
    r = http(scene(), "POST", "/predict",
             "{\"model\":\"given\",\"instances\":[{\"a\":10,\"b\":100}]}");
    expect_status(r, 200);
    ck_assert_double_eq(number_at(r, "/predictions/0/value"), 321);
    expect_status(http(scene(), "GET", "/models/given", NULL), 200);
}

TEST(an_imported_model_that_does_not_fit_leaves_nothing)
{
    const struct reply *r = http(scene(), "POST", "/models",
                                 "{\"name\":\"broken\",\"layers\":[{\"weight\":[[1],[2]]},"
                                 "{\"weight\":[[1]],\"bias\":[1e39]}]}");
    expect_status(r, 422);
    expect_status(http(scene(), "GET", "/models/broken", NULL), 404);
}

TEST(what_is_exported_can_be_imported_and_is_the_same)
{
    static const char name[] = "Content-Type: application/octet-stream";
    const struct reply *was = http(scene(), "GET", "/models/iris", NULL);
    const struct reply *file = http(scene(), "GET", "/models/iris/export", NULL);
    expect_status(file, 200);
    const struct reply *r =
        http_bytes(scene(), "POST", "/models?name=iris-copy", file->body, file->len, name);
    expect_status(r, 201);
    ck_assert_str_eq(string_at(r, "/weights_sha256"), string_at(was, "/weights_sha256"));
    r = http_bytes(scene(), "POST", "/models?name=iris-torn", file->body, file->len - 1, name);
    expect_status(r, 422);
}

TEST(training_goes_on_from_a_model)
{
    train(scene(), "{\"name\":\"first\",\"dataset\":\"iris\",\"target\":\"species\","
                   "\"training\":{\"epochs\":20},\"model\":{\"layers\":[16]}}");
    const struct reply *r =
        train(scene(), "{\"name\":\"second\",\"dataset\":\"iris\",\"target\":\"species\","
                       "\"init\":{\"from\":\"first\"},\"optimizer\":{\"type\":\"sgd\",\"lr\":0},"
                       "\"training\":{\"epochs\":1}}");
    ck_assert_double_eq(number_at(r, "/definition/model/layers/0/units"), 16);
    ck_assert_double_eq(number_at(r, "/definition/init/version"), 1);
    // Nothing was learnt at rate 0, so both answer alike.
    const char *row = "{\"instances\":[[5.9,3.0,5.1,1.8]]}";
    const struct reply *a = http(scene(), "POST", "/models/first/predict", row);
    const struct reply *b = http(scene(), "POST", "/models/second/predict", row);
    const char *p = "/predictions/0/probabilities/Iris-virginica";
    ck_assert_double_eq_tol(number_at(a, p), number_at(b, p), 0.02); // running statistics move on
}

TEST(a_changed_head_starts_anew_on_the_same_layers)
{
    train(scene(), "{\"name\":\"body\",\"dataset\":\"iris\",\"target\":\"species\",\"features\":"
                   "{\"exclude\":[\"petal_width\"]},\"training\":{\"epochs\":3},"
                   "\"model\":{\"layers\":[8]}}");
    const struct reply *r =
        train(scene(), "{\"name\":\"head\",\"dataset\":\"iris\",\"target\":\"petal_width\","
                       "\"init\":{\"from\":\"body\"},\"training\":{\"epochs\":3}}");
    ck_assert_str_eq(string_at(r, "/definition/task"), "regression");
}

TEST(what_is_said_beside_the_start_counts)
{
    const struct reply *r =
        train(scene(), "{\"name\":\"noisy\",\"dataset\":\"iris\",\"target\":\"species\",\"init\":"
                       "{\"from\":\"iris\"},\"training\":{\"epochs\":1},\"regularization\":"
                       "{\"input_dropout\":0.25,\"input_noise\":0.5}}");
    ck_assert_double_eq(number_at(r, "/definition/regularization/input_dropout"), .25);
    ck_assert_double_eq(number_at(r, "/definition/regularization/input_noise"), .5);
}

static const struct {
    const char *job, *pointer;
} misfits[] = {
    {"{\"dataset\":\"iris\",\"target\":\"species\",\"init\":{\"from\":\"irris\"}}", "#/init/from"},
    {"{\"dataset\":\"iris\",\"target\":\"species\",\"init\":{\"from\":\"iris\",\"version\":999}}",
     "#/init/version"},
    {"{\"dataset\":\"iris\",\"target\":\"species\",\"init\":{\"from\":\"iris\"},\"model\":"
     "{\"layers\":[3]}}",
     "#/model/layers"},
    {"{\"dataset\":\"iris\",\"target\":\"species\",\"init\":{\"from\":\"iris-body\"},"
     "\"activation\":\"tanh\"}",
     "#/model/layers"},
    {"{\"dataset\":\"iris\",\"target\":\"species\",\"init\":{\"from\":\"iris-body\"},\"model\":"
     "{\"layers\":[3,3]}}",
     "#/model/layers"},
    {"{\"dataset\":\"iris\",\"target\":\"species\",\"init\":{\"from\":\"iris-body\"},\"model\":"
     "{\"layers\":[]}}",
     "#/model/layers"},
    {"{\"dataset\":\"iris\",\"target\":\"petal_width\",\"init\":{\"from\":\"iris\"}}", "#/target"},
    {"{\"dataset\":\"shop\",\"target\":\"price\",\"init\":{\"from\":\"iris\"}}", "#/dataset"},
};

LOOP_TEST(a_start_that_does_not_fit_is_refused, sizeof misfits / sizeof *misfits)
{
    train(scene(), "{\"name\":\"iris-body\",\"dataset\":\"iris\",\"target\":\"species\","
                   "\"model\":{\"layers\":[3]},\"training\":{\"epochs\":1}}");
    const struct reply *r = http(scene(), "POST", "/jobs", misfits[_i].job);
    expect_status(r, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), misfits[_i].pointer);
}
