// SPDX-License-Identifier: MIT
// What people come for: a table in, a prediction endpoint out, on real data.

#include "tests/e2e/scene.h"

#include <stdlib.h>
#include <string.h>

static const char iris_job[] = "{\"dataset\":\"iris\",\"target\":\"species\"}";
static const char named[] =
    "{\"sepal_length\":5.1,\"sepal_width\":3.5,\"petal_length\":1.4,\"petal_width\":0.2}";

static const struct reply *predict(const char *path, const char *body)
{
    const struct reply *r = http(scene(), "POST", path, body);
    expect_status(r, 200);
    return r;
}

static void check_same_predictions(const struct reply *a, const struct reply *b)
{
    ck_assert(cJSON_Compare(json_at(a->json, "/predictions"), json_at(b->json, "/predictions"), 1));
}

TEST(a_job_says_where_to_go_on)
{
    static const char below[] = "/jobs/{id}/";
    struct reply job = *http(scene(), "GET", "/jobs/1", NULL);
    const cJSON *path, *urls = cJSON_Duplicate(cJSON_GetObjectItem(job.json, "urls"), true);
    const struct reply *r = http(scene(), "GET", "/openapi.json", NULL);
    int n = 1; // itself
    cJSON_ArrayForEach(path, cJSON_GetObjectItem(r->json, "paths"))
    {
        const char *what = path->string + sizeof below - 1;
        if (strncmp(path->string, below, sizeof below - 1) != 0 || strchr(what, '.')) // in a form
            continue;
        const cJSON *url = cJSON_GetObjectItem(urls, what);
        ck_assert_msg(cJSON_IsString(url), "no url for %s", what);
        ck_assert_str_eq(url->valuestring, text("/jobs/1/%s", what));
        n++;
    }
    ck_assert_int_eq(cJSON_GetArraySize(urls), n);
    ck_assert_int_gt(n, 5);
    cJSON_Delete((cJSON *)urls);
}

TEST(a_finished_job_says_what_it_did)
{
    const struct reply *r = http(scene(), "GET", "/jobs/1", NULL);
    ck_assert_str_eq(string_at(r, "/status"), "succeeded");
    ck_assert_str_eq(string_at(r, "/model/name"), "iris");
    ck_assert_double_eq(number_at(r, "/model/version"), 1);
    ck_assert_double_eq(number_at(r, "/progress/fraction"), 1);
    ck_assert_double_eq(number_at(r, "/attempt"), 1);
    ck_assert_double_ge(number_at(r, "/started_at"), number_at(r, "/created_at"));
    ck_assert_double_ge(number_at(r, "/finished_at"), number_at(r, "/started_at"));
    ck_assert_str_eq(string_at(r, "/definition/optimizer/type"), "adamw");
}

TEST(options_of_another_library_are_accepted_with_a_note)
{
    const struct reply *r =
        http(scene(), "POST", "/jobs",
             "{\"dataset\":\"iris\",\"target\":\"species\",\"hidden_layer_sizes\":[6],"
             "\"activation\":\"logistic\",\"solver\":\"adam\",\"max_iter\":1,\"verbose\":false}");
    expect_status(r, 201);
    ck_assert_int_eq(cJSON_GetArraySize(json_at(r->json, "/notes")), 5);
    ck_assert_str_eq(string_at(r, "/notes/0"), "hidden_layer_sizes became model.layers");
    ck_assert_int_eq((int)number_at(r, "/definition/model/layers/0/units"), 6);
    ck_assert_str_eq(string_at(r, "/definition/model/layers/0/activation/type"), "sigmoid");
    wait_status(scene(), (int)number_at(r, "/id"), "succeeded");
}

TEST(a_printed_definition_can_be_submitted_again)
{
    const struct reply *r = http(scene(), "GET", "/jobs/1", NULL);
    char *job = cJSON_PrintUnformatted(json_at(r->json, "/definition"));
    const struct reply *again = train(scene(), job); // by now the first reply is gone
    cJSON *printed = cJSON_Parse(job);
    ck_assert(cJSON_Compare(printed, json_at(again->json, "/definition"), 1));
    cJSON_Delete(printed);
    cJSON_free(job);
}

TEST(curves_are_columns_of_equal_length)
{
    const struct reply *r = http(scene(), "GET", "/jobs/1/metrics", NULL);
    const cJSON *columns = json_at(r->json, "/columns"), *column;
    int n = cJSON_GetArraySize(json_at(columns, "/epoch"));
    ck_assert_int_gt(n, 1);
    cJSON_ArrayForEach(column, columns) ck_assert_int_eq(cJSON_GetArraySize(column), n);
    static const char *const wanted[] = {"train_loss", "val_loss", "val_accuracy", "lr"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_ptr_nonnull(cJSON_GetObjectItem(columns, wanted[i]));
    double first = number_at(r, "/columns/train_loss/0");
    ck_assert_double_lt(number_at(r, text("/columns/train_loss/%d", n - 1)), first);
}

TEST(curves_can_be_read_on_from_an_epoch)
{
    const struct reply *r = http(scene(), "GET", "/jobs/1/metrics?after_epoch=2&limit=3", NULL);
    ck_assert_int_eq(cJSON_GetArraySize(json_at(r->json, "/columns/epoch")), 3);
    ck_assert_double_eq(number_at(r, "/columns/epoch/0"), 3);
    r = http(scene(), "GET", "/jobs/1/metrics?after_epoch=1&limit=1", NULL);
    ck_assert_int_eq(cJSON_GetArraySize(json_at(r->json, "/columns/epoch")), 1);
    ck_assert_double_eq(number_at(r, "/columns/epoch/0"), 2);
}

TEST(rows_are_predicted_by_name_and_by_position_alike)
{
    const struct reply *r = predict(
        "/predict", text("{\"model\":\"iris\",\"instances\":[%s,[5.1,3.5,1.4,0.2]]}", named));
    ck_assert_str_eq(string_at(r, "/predictions/0/class"), "Iris-setosa");
    ck_assert(
        cJSON_Compare(json_at(r->json, "/predictions/0"), json_at(r->json, "/predictions/1"), 1));
}

TEST(probabilities_cover_every_class_and_sum_to_one)
{
    const struct reply *r = predict("/models/iris/predict", text("{\"instances\":[%s]}", named));
    const cJSON *all = json_at(r->json, "/predictions/0/probabilities"), *one;
    double sum = 0;
    cJSON_ArrayForEach(one, all) sum += one->valuedouble;
    ck_assert_int_eq(cJSON_GetArraySize(all), 3);
    ck_assert_double_eq_tol(sum, 1, 1e-5);
}

TEST(a_model_answers_by_name_by_job_and_by_body)
{
    const char *rows = text("\"instances\":[%s]", named);
    const struct reply *r = predict("/jobs/1/predict", text("{%s}", rows));
    ck_assert_str_eq(string_at(r, "/model"), "iris");
    ck_assert_double_eq(number_at(r, "/version"), 1);
    check_same_predictions(r, predict("/predict", text("{\"job\":1,%s}", rows)));
    const char *versioned = text("{\"version\":1,%s}", rows);
    check_same_predictions(r, predict("/models/iris/predict", versioned));
    check_same_predictions(
        r, predict("/predict", text("{\"model\":\"iris\",\"version\":1,%s}", rows)));
}

TEST(gaps_and_unseen_categories_are_predicted)
{
    const struct reply *r =
        predict("/predict", "{\"model\":\"shop\",\"instances\":[{\"area\":50,\"town\":\"Oslo\"},"
                            "{\"area\":null,\"town\":\"Oslo\"},{\"area\":50,\"town\":null},"
                            "{\"area\":50,\"town\":\"never seen\"},[null,null]]}");
    for (int i = 0; i < 5; i++)
        number_at(r, text("/predictions/%d/value", i));
}

TEST(a_model_is_scored_on_rows_it_has_not_seen)
{
    upload_file(scene(), "iris-test", "tests/data/iris_test.csv");
    const struct reply *r =
        http(scene(), "POST", "/models/iris/evaluate", "{\"dataset\":\"iris-test\"}");
    expect_status(r, 200);
    ck_assert_double_eq(number_at(r, "/rows"), 30);
    ck_assert_double_gt(number_at(r, "/metrics/accuracy"), .9);
}

TEST(models_are_listed_and_shown)
{
    const struct reply *r = http(scene(), "GET", "/models/iris?version=1", NULL);
    ck_assert_double_eq(number_at(r, "/job_id"), 1);
    ck_assert_str_eq(string_at(r, "/target"), "species");
    ck_assert_str_eq(string_at(r, "/inputs/0/name"), "sepal_length");
    ck_assert_str_eq(string_at(r, "/classes/2"), "Iris-virginica");
    ck_assert_double_gt(number_at(r, "/scores/test/accuracy"), .7);
    r = http(scene(), "GET", "/models?limit=1000", NULL);
    ck_assert_int_ge(cJSON_GetArraySize(json_at(r->json, "/data")), 2);
}

TEST(a_model_tells_what_it_cost)
{
    const struct reply *r = http(scene(), "GET", "/models/iris?version=1", NULL);
    ck_assert_double_gt(number_at(r, "/training_seconds"), 0);
    ck_assert_double_gt(number_at(r, "/parameters"), 0);
    ck_assert_double_ge(number_at(r, "/best_epoch"), 1);
    ck_assert_double_ge(number_at(r, "/epochs"), number_at(r, "/best_epoch"));
    ck_assert_double_gt(number_at(r, "/bytes"), 4 * number_at(r, "/parameters"));
    ck_assert_uint_eq(strlen(string_at(r, "/weights_sha256")), 64);
}

TEST(a_table_tells_what_its_columns_hold)
{
    const struct reply *r = http(scene(), "GET", "/datasets/shop", NULL);
    static const struct {
        const char *at;
        double value;
    } number[] = {{"/rows", 80},
                  {"/columns/0/missing", 0},
                  {"/columns/0/min", 20},
                  {"/columns/0/max", 99},
                  {"/columns/0/mean", 59.5},
                  {"/columns/1/missing", 20},
                  {"/columns/1/distinct", 3}};
    static const struct {
        const char *at, *value;
    } word[] = {{"/name", "shop"},
                {"/columns/0/name", "area"},
                {"/columns/0/type", "numeric"},
                {"/columns/1/type", "categorical"},
                {"/columns/1/levels/0", "Bern"},
                {"/columns/1/levels/1", "Oslo"},
                {"/columns/1/levels/2", "Rome"}};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        ck_assert_double_eq(number_at(r, number[i].at), number[i].value);
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        ck_assert_str_eq(string_at(r, word[i].at), word[i].value);
    ck_assert_double_eq_tol(number_at(r, "/columns/0/std"), 23.0922, 1e-4);
}

static const char *const lists[] = {"/jobs", "/datasets", "/models"};

LOOP_TEST(a_list_is_read_page_by_page_from_the_newest_on, sizeof lists / sizeof *lists)
{
    double after = INT32_MAX;
    bool more = true;
    for (int page = 0; more && page < 3; page++) {
        const struct reply *r =
            http(scene(), "GET", text("%s?limit=2&after=%.0f", lists[_i], after), NULL);
        int n = cJSON_GetArraySize(json_at(r->json, "/data"));
        ck_assert_int_ge(n, 1);
        ck_assert_double_eq(number_at(r, "/data/0/id"), number_at(r, "/first_id"));
        ck_assert_double_eq(number_at(r, text("/data/%d/id", n - 1)), number_at(r, "/last_id"));
        ck_assert_double_lt(number_at(r, "/first_id"), after);
        ck_assert(n == 1 || number_at(r, "/last_id") < number_at(r, "/first_id"));
        after = number_at(r, "/last_id");
        more = cJSON_IsTrue(json_at(r->json, "/has_more"));
    }
}

TEST(training_again_makes_the_next_version)
{
    train(scene(), "{\"name\":\"twice\",\"dataset\":\"iris\",\"target\":\"species\","
                   "\"training\":{\"epochs\":2}}");
    const struct reply *r =
        train(scene(), "{\"name\":\"twice\",\"dataset\":\"iris\",\"target\":\"species\","
                       "\"training\":{\"epochs\":3}}");
    ck_assert_double_eq(number_at(r, "/model/version"), 2);
    const char *rows = "{\"instances\":[[5,3,4,1]]}";
    ck_assert_double_eq(number_at(predict("/models/twice/predict", rows), "/version"), 2);
    const char *first = "{\"version\":1,\"instances\":[[5,3,4,1]]}";
    ck_assert_double_eq(number_at(predict("/models/twice/predict", first), "/version"), 1);
}

TEST(uploading_again_makes_the_next_version)
{
    upload_text(scene(), "grows", "a,b\n1,2\n3,4\n");
    upload_text(scene(), "grows", "a,b\n1,2\n3,4\n5,6\n");
    ck_assert_double_eq(number_at(http(scene(), "GET", "/datasets/grows", NULL), "/rows"), 3);
    const struct reply *r = http(scene(), "GET", "/datasets/grows?version=1", NULL);
    ck_assert_double_eq(number_at(r, "/rows"), 2);
    expect_status(http(scene(), "DELETE", "/datasets/grows", NULL), 204);
}

TEST(columns_are_typed_and_counted)
{
    const struct reply *r = http(scene(), "GET", "/datasets/shop", NULL);
    ck_assert_double_eq(number_at(r, "/rows"), 80);
    ck_assert_str_eq(string_at(r, "/columns/0/type"), "numeric");
    ck_assert_double_eq(number_at(r, "/columns/0/min"), 20);
    ck_assert_double_eq(number_at(r, "/columns/0/max"), 99);
    ck_assert_str_eq(string_at(r, "/columns/1/type"), "categorical");
    ck_assert_double_eq(number_at(r, "/columns/1/missing"), 20);
    ck_assert_double_eq(number_at(r, "/columns/1/distinct"), 3);
}

TEST(a_dataset_stays_while_a_job_needs_it_and_goes_afterwards)
{
    upload_text(scene(), "pinned", "x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n9,a\n10,b\n");
    int job = submit(scene(), "{\"dataset\":\"pinned\",\"target\":\"y\","
                              "\"training\":{\"epochs\":100000,\"early_stopping\":null}}");
    expect_status(http(scene(), "DELETE", "/datasets/pinned", NULL), 409);
    expect_status(http(scene(), "GET", "/datasets/pinned", NULL), 200);
    expect_status(http(scene(), "POST", text("/jobs/%d/cancel", job), ""), 202);
    wait_status(scene(), job, "cancelled");
    expect_status(http(scene(), "DELETE", "/datasets/pinned", NULL), 204);
    expect_status(http(scene(), "GET", "/datasets/pinned", NULL), 404);
    expect_status(http(scene(), "DELETE", "/datasets/pinned", NULL), 404);
}

TEST(a_job_is_cancelled_while_it_runs_and_while_it_waits)
{
    int job[4];
    for (int i = 0; i < 4; i++)
        job[i] = submit(scene(), endless_job);
    wait_status(scene(), job[0], "running");
    ck_assert_str_eq(string_at(http(scene(), "GET", text("/jobs/%d", job[3]), NULL), "/status"),
                     "queued");
    for (int i = 3; i >= 0; i--)
        expect_status(http(scene(), "POST", text("/jobs/%d/cancel", job[i]), ""), 202);
    for (int i = 0; i < 4; i++)
        wait_status(scene(), job[i], "cancelled");
    expect_status(http(scene(), "POST", text("/jobs/%d/cancel", job[0]), ""), 409);
}

TEST(every_job_is_on_one_page_of_the_list)
{
    double last = 1e9;
    int n = 0;
    const struct reply *r = http(scene(), "GET", "/jobs?limit=1000", NULL);
    int all = cJSON_GetArraySize(json_at(r->json, "/data"));
    do {
        const cJSON *job;
        r = http(scene(), "GET", text("/jobs?limit=2&after=%.0f", last), NULL);
        cJSON_ArrayForEach(job, json_at(r->json, "/data"))
        {
            double id = cJSON_GetObjectItem(job, "id")->valuedouble;
            ck_assert_double_lt(id, last);
            last = id;
            n++;
        }
    } while (cJSON_IsTrue(json_at(r->json, "/has_more")));
    ck_assert_int_ge(n, 3);
    ck_assert_int_eq(n, all);
}

TEST(jobs_are_listed_by_status)
{
    const struct reply *r = http(scene(), "GET", "/jobs?status=cancelled&limit=1000", NULL);
    const cJSON *job;
    ck_assert_int_ge(cJSON_GetArraySize(json_at(r->json, "/data")), 1);
    cJSON_ArrayForEach(job, json_at(r->json, "/data"))
        ck_assert_str_eq(cJSON_GetObjectItem(job, "status")->valuestring, "cancelled");
}

TEST(a_repeated_key_answers_with_the_first_job)
{
    const char *key = "Idempotency-Key: \"once\"";
    const struct reply *first =
        http_bytes(scene(), "POST", "/jobs", iris_job, strlen(iris_job), key);
    expect_status(first, 201);
    const struct reply *again =
        http_bytes(scene(), "POST", "/jobs", iris_job, strlen(iris_job), key);
    expect_status(again, 200);
    ck_assert_str_eq(again->replayed, "true");
    ck_assert_double_eq(number_at(again, "/id"), number_at(first, "/id"));
    const char *other = "{\"dataset\":\"iris\",\"target\":\"species\",\"seed\":5}";
    expect_status(http_bytes(scene(), "POST", "/jobs", other, strlen(other), key), 422);
    wait_status(scene(), (int)number_at(first, "/id"), "succeeded");
}

// Empty, more than one, too long.
LOOP_TEST(a_key_that_is_none_is_refused, 3)
{
    char many[400] = "Idempotency-Key: ";
    memset(many + strlen(many), 'k', 256);
    const char *const key[] = {"Idempotency-Key;", "Idempotency-Key: a\nIdempotency-Key: b", many};
    const struct reply *r =
        http_bytes(scene(), "POST", "/jobs", iris_job, strlen(iris_job), key[_i]);
    expect_status(r, 422);
    ck_assert_ptr_nonnull(strstr(string_at(r, "/detail"), "Idempotency-Key"));
}

TEST(a_repeated_key_answers_with_the_first_job_after_its_data_is_gone)
{
    const char *key = "Idempotency-Key: fleeting",
               *job = "{\"dataset\":\"fleeting\","
                      "\"target\":\"b\"}",
               *other = "{\"dataset\":\"fleeting\",\"target\":\"a\"}";
    upload_text(scene(), "fleeting", "a,b\n1,2\n2,3\n3,5\n4,4\n5,6\n6,7\n7,9\n8,8\n");
    const struct reply *first = http_bytes(scene(), "POST", "/jobs", job, strlen(job), key);
    expect_status(first, 201);
    int id = (int)number_at(first, "/id");
    wait_status(scene(), id, "succeeded");
    expect_status(http(scene(), "DELETE", "/datasets/fleeting", NULL), 204);
    const struct reply *again = http_bytes(scene(), "POST", "/jobs", job, strlen(job), key);
    expect_status(again, 200);
    ck_assert_str_eq(again->replayed, "true");
    ck_assert_str_eq(again->location, text("/jobs/%d", id));
    expect_status(http_bytes(scene(), "POST", "/jobs", other, strlen(other), key), 422);
    expect_status(http(scene(), "POST", "/jobs", job), 422);
}

TEST(every_undemanding_page_answers)
{
    static const char *const path[] = {"/",         "/healthz", "/openapi.json", "/schema/job",
                                       "/datasets", "/jobs",    "/models"};
    for (size_t i = 0; i < sizeof path / sizeof *path; i++)
        expect_status(http(scene(), "GET", path[i], NULL), 200);
}
