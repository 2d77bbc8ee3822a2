// SPDX-License-Identifier: MIT
// What is refused, how it is said, and that nothing of it stays behind. A row of the table is a
// request; whatever has to be made rather than written has a row with a maker.

#include "tests/e2e/scene.h"

#include <stdlib.h>
#include <string.h>

struct bad {
    const char *method, *path, *body;
    int status;
    const char *pointer; // JSON Pointer that one of the errors names, after a #; NULL: none
    const char *words;   // somewhere in the reply
    char *(*make)(void); // the body, in place of a written one; freed by the test
};

// Makers

static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
    size_t len = strlen(unit);
    char *out = malloc(strlen(head) + n * len + strlen(tail) + 1), *at = stpcpy(out, head);
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, unit);
    strcpy(at, tail);
    return out;
}

static char *depth_bomb(void)
{
    return repeat("", "[", 100000, "");
}

static char *deep_member(void)
{
    return repeat("{\"metadata\":", "{\"a\":", 5000, "1");
}

static char *many_columns(void)
{
    return repeat("c", ",c", 19999, "\n");
}

static char *long_table(void)
{
    return repeat("a,b\n", "1,2\n", 600000, "");
}

static char *long_definition(void)
{
    return repeat("{\"dataset\":\"iris\",\"target\":\"", "x", 2000000, "\"}");
}

static char *long_body(void)
{
    return repeat("{\"data\":{\"x\":[[1]],\"y\":[\"", "xxxxxxxxxxxxxxxx", (65 << 20) / 16, "\"]}}");
}

static char *many_instances(void)
{
    return repeat("{\"model\":\"iris\",\"instances\":[[1,1,1,1]", ",[1,1,1,1]", 1000000, "]}");
}

// A definition that is in order but for what is added to it.
#define IRIS(more) "{\"dataset\":\"iris\",\"target\":\"species\"" more "}"
#define ROWS(rows) "{\"model\":\"iris\",\"instances\":[" rows "]}"
#define CSV "/datasets?name=bad"

static const struct bad rows[] = {
    // Not readable
    {"POST", "/jobs", "{\"dataset\":", 400, "/dataset", .words = "line 1, column 12"},
    {"POST", "/jobs", "", 400, "", .words = "expected a value"},
    {"POST", "/jobs", "dataset=iris", 400, "", .words = "line 1, column 1"},
    {"POST", "/jobs", IRIS("") "{}", 400, "", .words = "expected the end"},
    {"POST", "/jobs", "{\"dataset\":\"\xff\"}", 400, "/dataset", .words = "UTF-8"},
    {"POST", "/jobs", IRIS(",\"optimizer\":{\"lr\":NaN}"), 400, "/optimizer/lr", .words = "'N'"},
    {"POST", "/jobs", IRIS(",\"optimizer\":{\"lr\":-Infinity}"), 400, "/optimizer/lr",
     .words = "line 1"},
    {"POST", "/jobs", IRIS(",\"optimizer\":{\"lr\":1e999}"), 400, "/optimizer/lr",
     .words = "1e999"},
    {"POST", "/jobs", IRIS(",\"seed\":1,\"seed\":2"), 400, "/seed", .words = "duplicate_key"},
    {"POST", "/jobs", NULL, 400, "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0", .words = "too_deep",
     .make = depth_bomb},
    {"POST", "/jobs", NULL, 400, NULL, .words = "too_deep", .make = deep_member},
    // Readable, but wrong
    {"POST", "/jobs", "[]", 422, "", .words = "must be an object"},
    {"POST", "/jobs", IRIS(",\"optimiser\":\"adam\""), 422, "/optimiser",
     .words = "\\\"optimizer\\\""},
    {"POST", "/jobs", IRIS(",\"training\":{\"epocs\":3}"), 422, "/training/epocs",
     .words = "epochs"},
    {"POST", "/jobs", IRIS(",\"zzzzzzzzz\":1"), 422, "/zzzzzzzzz", .words = "unknown_field"},
    {"POST", "/jobs", IRIS(",\"training\":{\"epochs\":\"ten\"}"), 422, "/training/epochs",
     .words = "string"},
    {"POST", "/jobs", IRIS(",\"training\":{\"epochs\":1.5}"), 422, "/training/epochs",
     .words = "1.5"},
    {"POST", "/jobs", IRIS(",\"training\":{\"epochs\":0}"), 422, "/training/epochs",
     .words = "out_of_range"},
    {"POST", "/jobs", IRIS(",\"optimizer\":{\"lr\":-1}"), 422, "/optimizer/lr", .words = "got -1"},
    {"POST", "/jobs", IRIS(",\"optimizer\":\"adma\""), 422, "/optimizer",
     .words = "mean \\\"adam\\\""},
    {"POST", "/jobs", IRIS(",\"loss\":\"mse\""), 422, "/loss", .words = "3 classes"},
    {"POST", "/jobs", IRIS(",\"task\":\"regression\""), 422, "/task", .words = "text"},
    // Choices that do not go together
    {"POST", "/jobs", IRIS(",\"training\":{\"epochs\":2,\"steps\":9}"), 422, "/training/epochs",
     .words = "\\\"steps\\\""},
    {"POST", "/jobs",
     IRIS(",\"model\":{\"layers\":[{\"units\":4,\"dropout\":0.5,\"alpha_dropout\":0.5}]}"), 422,
     "/model/layers/0/dropout", .words = "alpha_dropout"},
    {"POST", "/jobs", IRIS(",\"model\":{\"layers\":[{\"units\":4,\"residual\":2}]}"), 422,
     "/model/layers/0/residual", .words = "residual"},
    {"POST", "/jobs", IRIS(",\"model\":{\"layers\":[4,{\"units\":5,\"residual\":1}]}"), 422,
     "/model/layers/1/residual", .words = "4"},
    {"POST", "/jobs", IRIS(",\"regularization\":{\"l2\":-1}"), 422, "/regularization/l2",
     .words = "got -1"},
    {"POST", "/jobs", IRIS(",\"param_groups\":[{\"lr\":2}]"), 422, "/param_groups/0/match",
     .words = "missing_field"},
    // Options of other libraries
    {"POST", "/jobs", IRIS(",\"hidden_layer_sizes\":[8,0]"), 422, "/hidden_layer_sizes/1",
     .words = "got 0"},
    {"POST", "/jobs", IRIS(",\"hidden\":[8],\"loss\":\"Quadratic\""), 422, "/loss",
     .words = "3 classes"},
    {"POST", "/jobs", IRIS(",\"nfolds\":5"), 422, "/nfolds", .words = "cross_validation"},
    {"POST", "/jobs", IRIS(",\"max_iter\":5,\"training\":{\"epochs\":5}"), 422, "/max_iter",
     .words = "training.epochs"},
    {"POST", "/jobs", NULL, 413, NULL, .words = "bytes", .make = long_definition},
    {"POST", "/jobs", NULL, 413, NULL, .words = "67108864 bytes", .make = long_body},
    // Data that are not there
    {"POST", "/jobs", "{}", 422, "/target", .words = "column to predict"},
    {"POST", "/jobs", "{\"target\":\"species\"}", 422, "/dataset", .words = "missing_field"},
    {"POST", "/jobs", "{\"dataset\":\"irs\",\"target\":\"y\"}", 422, "/dataset", .words = "iris"},
    {"POST", "/jobs", "{\"dataset\":\"iris\",\"target\":\"specis\"}", 422, "/target",
     .words = "species"},
    {"POST", "/jobs", IRIS(",\"features\":{\"exclude\":[\"nose\"]}"), 422, "/features/exclude/0",
     .words = "nose"},
    // Data that nothing can be learnt from, given with the job
    {"POST", "/jobs", IRIS(",\"data\":{\"x\":[[1]],\"y\":[1]}"), 422, "/data", .words = "together"},
    {"POST", "/jobs", "{\"data\":{\"x\":[[1],[2],[3],[4]],\"y\":[\"a\",\"a\",\"a\",\"a\"]}}", 422,
     "/target", .words = "same value"},
    {"POST", "/jobs", "{\"data\":{\"x\":[[1],[2],[3],[4]],\"y\":[null,null,null,null]}}", 422,
     "/target", .words = "missing"},
    {"POST", "/jobs", "{\"data\":{\"x\":[[1,2],[3]],\"y\":[1,2]}}", 422, "/data/x/1",
     .words = "2 cells"},
    {"POST", "/jobs", "{\"data\":{\"x\":[[1,2]],\"y\":[1,2]}}", 422, "/data/y", .words = "as many"},
    {"POST", "/jobs", "{\"data\":{\"x\":[],\"y\":[]}}", 422, "/data/x",
     .words = "at least one row"},
    {"POST", "/jobs", "{\"data\":{\"x\":[[1e999]],\"y\":[1]}}", 400, "/data/x/0/0",
     .words = "1e999"},
    // Tables
    {"POST", CSV, "", 422, NULL, .words = "empty"},
    {"POST", CSV, "\n\n", 422, NULL, .words = "empty"},
    {"POST", CSV, "a,b\n", 422, NULL, .words = "header and no rows"},
    {"POST", CSV, "a,b\n1,2\n3\n", 422, NULL, .words = "line 3"},
    {"POST", CSV, "a,b\n1,2,3\n", 422, NULL, .words = "line 2"},
    {"POST", CSV, "a,b\n\"1\n\",2\n3\n", 422, NULL, .words = "line 4"},
    {"POST", CSV, "a,a\n1,2\n", 422, NULL, .words = "\\\"a\\\" twice"},
    {"POST", CSV, "a,b\n1,\"2\n", 422, NULL, .words = "never closed"},
    {"POST", CSV, "a,b\n1,\xff\n", 422, NULL, .words = "UTF-8"},
    {"POST", CSV, NULL, 413, NULL, .words = "16384 columns", .make = many_columns},
    {"POST", CSV, NULL, 413, NULL, .words = "2097152 bytes", .make = long_table},
    {"POST", "/datasets", "a,b\n1,2\n", 422, NULL, .words = "name"},
    {"POST", "/datasets?name=..", "a,b\n1,2\n", 422, NULL, .words = "name"},
    {"POST", "/datasets?nam=bad", "a,b\n1,2\n", 422, NULL, .words = "did you mean"},
    // Things that are not there
    {"GET", "/jobs/999999", NULL, 404, NULL, .words = "999999"},
    {"GET", "/jobs/0", NULL, 404, NULL, .words = "whole number"},
    {"GET", "/jobs/one", NULL, 404, NULL, .words = "whole number"},
    {"GET", "/jobs/99999999999999999999", NULL, 404, NULL, .words = "no such job"},
    {"GET", "/jobs/999999/metrics", NULL, 404, NULL, .words = "no such job"},
    {"POST", "/jobs/999999/cancel", "", 404, NULL, .words = "no such job"},
    {"POST", "/jobs/999999/predict", "{\"instances\":[[1]]}", 404, NULL, .words = "no such job"},
    {"GET", "/models/none", NULL, 404, NULL, .words = "no such model"},
    {"GET", "/models/iris?version=0", NULL, 422, NULL, .words = "version"},
    {"GET", "/models/iris?version=99", NULL, 404, NULL, .words = "version 99"},
    {"POST", "/models/none/predict", "{\"instances\":[[1]]}", 404, NULL, .words = "no such model"},
    {"GET", "/datasets/none", NULL, 404, NULL, .words = "no such dataset"},
    {"DELETE", "/datasets/none", NULL, 404, NULL, .words = "no such dataset"},
    {"GET", "/nowhere", NULL, 404, NULL, .words = "/openapi.json"},
    {"GET", "/jobs?limit=0", NULL, 422, NULL, .words = "\\\"limit\\\" must be between 1 and 1000"},
    {"GET", "/jobs?limit=ten", NULL, 422, NULL, .words = "must be a whole number, got \\\"ten"},
    {"GET", "/jobs?limit=", NULL, 422, NULL, .words = "must be a whole number, got \\\"\\\""},
    {"GET", "/jobs?limit=1&limit=2", NULL, 422, NULL, .words = "is given twice"},
    {"GET", "/jobs?limit=0&after=-1", NULL, 422, NULL, .words = "2 query parameters"},
    {"GET", "/jobs?limit=0&after=-1", NULL, 422, NULL, .words = "{\"parameter\":\"after\""},
    {"GET", "/models/iris/graph?format=pdf", NULL, 422, NULL, .words = "json, svg or dot, got"},
    {"GET", "/healthz?a=1", NULL, 422, NULL, .words = "\\\"a\\\" is unknown"},
    {"GET", "/jobs?limti=3", NULL, 422, NULL, .words = "did you mean"},
    {"GET", "/jobs?status=done", NULL, 422, NULL, .words = "status"},
    // Wrong methods; what Allow must say is checked with every exchange
    {"PUT", "/jobs", "{}", 405, NULL, .words = "method"},
    {"DELETE", "/jobs/1", NULL, 405, NULL, .words = "method"},
    {"GET", "/predict", NULL, 405, NULL, .words = "method"},
    {"PATCH", "/datasets/iris", "{}", 405, NULL, .words = "method"},
    {"POST", "/healthz", "", 405, NULL, .words = "method"},
    // Predictions
    {"POST", "/predict", ROWS("{\"sepal_length\":1}"), 422, "/instances/0", .words = "petal_width"},
    {"POST", "/predict", ROWS("[1,1,1,1],[1,1,1]"), 422, "/instances/1", .words = "4 cells"},
    {"POST", "/predict",
     ROWS("{\"sepal_length\":1,\"sepal_width\":1,\"petal_length\":1,\"petal_width\":1,\"hue\":1}"),
     422, "/instances/0/hue", .words = "unknown_field"},
    {"POST", "/predict",
     ROWS("{\"sepal_lenght\":1,\"sepal_width\":1,\"petal_length\":1,\"petal_width\":1}"), 422,
     "/instances/0/sepal_lenght", .words = "mean \\\"sepal_length\\\""},
    {"POST", "/predict", ROWS("[1,2,3,\"x\"]"), 422, "/instances/0/3", .words = "petal_width"},
    {"POST", "/predict", ROWS("[1,2,3,1e999]"), 400, "/instances/0/3", .words = "1e999"},
    {"POST", "/predict", ROWS("[1,2,3,NaN]"), 400, "/instances/0/3", .words = "'N'"},
    {"POST", "/predict", ROWS(""), 422, "/instances", .words = "at least one"},
    {"POST", "/predict", "{\"model\":\"iris\"}", 422, "/instances", .words = "missing_field"},
    {"POST", "/predict", "{\"instances\":[[1,2,3,4]]}", 422, "/model", .words = "job"},
    {"POST", "/predict", "{\"model\":\"irs\",\"instances\":[[1]]}", 404, NULL,
     .words = "no such model"},
    {"POST", "/predict", "{\"job\":2,\"instances\":[[1,2,3,4]]}", 409, NULL, .words = "no model"},
    {"POST", "/jobs/2/predict", "{\"instances\":[[1,2,3,4]]}", 409, NULL, .words = "cancelled"},
    {"POST", "/predict", NULL, 413, NULL, .words = "8388608 bytes", .make = many_instances},
    {"POST", "/models/iris/evaluate", "{\"dataset\":\"shop\"}", 422, "/dataset",
     .words = "sepal_length"},
    {"POST", "/models/iris/evaluate", "{\"dataset\":\"none\"}", 404, NULL,
     .words = "no such dataset"},
};

// What the daemon holds: equal before and after when nothing stayed behind.
struct held {
    int jobs, datasets, models;
    size_t tmp, data_files, model_files;
};

static int listed(const char *path)
{
    return cJSON_GetArraySize(json_at(http(scene(), "GET", path, NULL)->json, "/data"));
}

static struct held held(void)
{
    return (struct held){.jobs = listed("/jobs?limit=1000"),
                         .datasets = listed("/datasets?limit=1000"),
                         .models = listed("/models?limit=1000"),
                         .tmp = daemon_files(scene(), "tmp"),
                         .data_files = daemon_files(scene(), "datasets"),
                         .model_files = daemon_files(scene(), "models")};
}

// An upload is undone once its connection is done with, which may be after the reply.
static void check_held(const struct held *before)
{
    daemon_wait_files(scene(), "tmp", before->tmp);
    const struct held now = held();
    ck_assert_int_eq(now.jobs, before->jobs);
    ck_assert_int_eq(now.datasets, before->datasets);
    ck_assert_int_eq(now.models, before->models);
    ck_assert_uint_eq(now.data_files, before->data_files);
    ck_assert_uint_eq(now.model_files, before->model_files);
}

static bool names(const struct reply *r, const char *pointer)
{
    const cJSON *fault;
    cJSON_ArrayForEach(fault, json_at(r->json, "/errors"))
    {
        if (strcmp(cJSON_GetObjectItem(fault, "pointer")->valuestring, text("#%s", pointer)) == 0)
            return true;
    }
    return false;
}

LOOP_TEST(a_bad_request_is_told_where_it_is_wrong_and_leaves_nothing, sizeof rows / sizeof *rows)
{
    const struct bad *row = &rows[_i];
    char *made = row->make ? row->make() : NULL;
    const struct held before = held();
    const struct reply *r = http(scene(), row->method, row->path, made ? made : row->body);
    free(made);
    expect_status(r, row->status);
    ck_assert_msg(strstr(r->body, row->words), "row %d: no \"%s\" in %.900s", _i, row->words,
                  r->body);
    ck_assert_msg(!row->pointer || names(r, row->pointer), "row %d: #%s is not named: %.900s", _i,
                  row->pointer, r->body);
    check_held(&before);
}

TEST(everything_that_is_wrong_is_told_at_once)
{
    const struct reply *r =
        http(scene(), "POST", "/jobs",
             IRIS(",\"nme\":1,\"training\":{\"epochs\":-1},\"model\":{\"layers\":[{\"units\":0},"
                  "{\"units\":4,\"activation\":\"rleu\"}]}"));
    static const char *const wrong[] = {"/nme", "/training/epochs", "/model/layers/0/units",
                                        "/model/layers/1/activation"};
    expect_status(r, 422);
    ck_assert_int_eq(cJSON_GetArraySize(json_at(r->json, "/errors")), 4);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(names(r, wrong[i]), "%s is not named: %s", wrong[i], r->body);
}

// The same faults of a table show at submission when it was stored before.
TEST(a_stored_table_without_anything_to_learn_is_refused_at_submission)
{
    static const struct {
        const char *csv, *words;
    } table[] = {{"a,y\n1,x\n2,x\n3,x\n4,x\n", "same value"}, {"a,y\n1,\n2,NA\n3,?\n", "missing"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        upload_text(scene(), "dull", table[i].csv);
        const struct held before = held();
        const struct reply *r =
            http(scene(), "POST", "/jobs", "{\"dataset\":\"dull\",\"target\":\"y\"}");
        expect_status(r, 422);
        ck_assert_msg(names(r, "/target") && strstr(r->body, table[i].words), "%s", r->body);
        check_held(&before);
        expect_status(http(scene(), "DELETE", "/datasets/dull", NULL), 204);
    }
}

TEST(a_media_type_that_nobody_reads_is_refused)
{
    const char *body = IRIS("");
    const struct reply *r =
        http_bytes(scene(), "POST", "/jobs", body, strlen(body), "Content-Type: application/xml");
    expect_status(r, 415);
}
