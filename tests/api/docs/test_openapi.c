// SPDX-License-Identifier: MIT
#include "api/docs/openapi.h"
#include "api/schema/job_schema.h"
#include "api/schema/rendering.h"
#include "api/views/query.h"
#include "api/views/views.h"
#include "engine/table/task.h"
#include "tests/harness.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rendering as_json = {"json", "application/json", "Numbers.", NULL},
                              as_csv = {"csv", "text/csv; charset=utf-8", "Rows.", NULL};
static const struct rendering *const forms[] = {&as_json, &as_csv, NULL};

static const struct route routes[] = {
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/jobs",
     .id = "create_job",
     .doc = "Queue a training job.",
     .body = &job_schema,
     .reply = &job_view,
     .status = 201,
     .replay = "The job of before.",
     .body_kind = BODY_JSON,
     .query = &version_query,
     .fails = {ERR_NO_SPACE, ERR_NOT_FOUND}},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/jobs/{id}",
     .id = "get_job",
     .doc = "Show a job.",
     .reply = &job_view,
     .status = 200,
     .fails = {ERR_NOT_FOUND}},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/jobs",
     .id = "list_jobs",
     .doc = "List jobs.",
     .reply = &job_list_view,
     .status = 200,
     .query = &jobs_query},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/jobs/{id}/metrics",
     .id = "get_metrics",
     .doc = "Curves.",
     .reply = &metrics_view,
     .rendering = forms,
     .status = 200,
     .fails = {ERR_NOT_FOUND, ERR_NOT_ACCEPTABLE}},
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/datasets",
     .id = "create_dataset",
     .doc = "Upload a table.",
     .reply = &dataset_view,
     .status = 201,
     .body_kind = BODY_STREAM,
     .query = &upload_query,
     .fails = {ERR_NO_SPACE}},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/datasets",
     .id = "list_datasets",
     .doc = "List tables.",
     .reply = &dataset_list_view,
     .status = 200},
    {.method = DELETE,
     .scope = SCOPE_WRITE,
     .path = "/datasets/{name}",
     .id = "delete_dataset",
     .doc = "Forget one.",
     .status = 204,
     .fails = {ERR_NOT_FOUND, ERR_CONFLICT, ERR_CANCELLED}},
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/models/{name}/predict",
     .id = "predict",
     .doc = "Predict.",
     .body = &predict_request_schema,
     .reply = &predict_view,
     .status = 200,
     .body_kind = BODY_JSON,
     .fails = {ERR_NOT_FOUND}},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/models",
     .id = "list_models",
     .doc = "List models.",
     .reply = &model_list_view,
     .status = 200},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/healthz",
     .id = "health",
     .doc = "Alive.",
     .reply = &health_view,
     .status = 200},
};
enum { ROUTES = sizeof routes / sizeof *routes };

static struct arena arena;

static cJSON *document(void)
{
    struct err e = {0};
    size_t len;
    arena_release(&arena);
    arena_init(&arena, 8 << 20);
    const char *text = openapi(routes, ROUTES, &arena, &len, &e);
    ck_assert_msg(text != NULL, "%s", e.text);
    const char *keep = getenv("OPENAPI_OUT");
    if (keep) {
        FILE *out = fopen(keep, "w");
        fwrite(text, 1, len, out);
        fclose(out);
    }
    cJSON *doc = cJSON_Parse(text);
    ck_assert_ptr_nonnull(doc);
    return doc;
}

static const cJSON *go(const cJSON *json, const char *const *key)
{
    for (; *key && json; key++)
        json = cJSON_GetObjectItemCaseSensitive(json, *key);
    return json;
}
#define GO(json, ...) go(json, (const char *const[]){__VA_ARGS__, NULL})

TEST(every_route_is_in_the_document_once)
{
    static const char *const method[] = {"get", "post", "put", "patch", "delete"};
    cJSON *doc = document();
    int n = 0;
    const cJSON *path;
    cJSON_ArrayForEach(path, GO(doc, "paths")) n += cJSON_GetArraySize(path);
    ck_assert_int_eq(n, ROUTES + 1); // one has a path of its own for what has a suffix
    for (int i = 0; i < ROUTES; i++) {
        const cJSON *op = GO(doc, "paths", routes[i].path, method[routes[i].method]);
        ck_assert_ptr_nonnull(op);
        ck_assert_str_eq(GO(op, "operationId")->valuestring, routes[i].id);
        ck_assert_str_eq(GO(op, "x-scope")->valuestring, scope_table[routes[i].scope].word);
        ck_assert_ptr_nonnull(GO(doc, "x-scopes", GO(op, "x-scope")->valuestring));
    }
    cJSON_Delete(doc);
}

TEST(an_operation_names_its_parameters_bodies_and_failures)
{
    cJSON *doc = document();
    const cJSON *post = GO(doc, "paths", "/jobs", "post"),
                *get = GO(doc, "paths", "/jobs/{id}", "get");
    static const char *const status[] = {"200", "201", "400", "403", "404", "413",
                                         "415", "421", "422", "500", "503", "507"};
    ck_assert_int_eq(cJSON_GetArraySize(GO(post, "responses")), 12);
    for (int i = 0; i < 12; i++)
        ck_assert_ptr_nonnull(GO(post, "responses", status[i]));
    ck_assert_str_eq(
        GO(post, "requestBody", "content", "application/json", "schema", "$ref")->valuestring,
        "#/components/schemas/JobDefinition");
    ck_assert_str_eq(GO(cJSON_GetArrayItem(GO(post, "parameters"), 0), "name")->valuestring,
                     "version");
    const cJSON *id = cJSON_GetArrayItem(GO(get, "parameters"), 0);
    ck_assert_str_eq(GO(id, "in")->valuestring, "path");
    ck_assert_str_eq(GO(id, "schema", "type")->valuestring, "integer");
    const cJSON *forget = GO(doc, "paths", "/datasets/{name}", "delete");
    ck_assert_int_eq(cJSON_GetArraySize(GO(forget, "responses")), 9); // two kinds share 409
    ck_assert_ptr_null(GO(get, "requestBody"));
    ck_assert_ptr_nonnull(GO(get, "responses", "422")); // a query parameter that it does not have
    ck_assert_ptr_null(GO(get, "responses", "413"));
    ck_assert_ptr_null(
        GO(doc, "paths", "/datasets/{name}", "delete", "responses", "204", "content"));
    cJSON_Delete(doc);
}

TEST(a_reply_of_several_forms_has_their_media_types_and_a_path_with_a_suffix)
{
    cJSON *doc = document();
    const cJSON *get = GO(doc, "paths", "/jobs/{id}/metrics", "get"),
                *as = GO(doc, "paths", "/jobs/{id}/metrics.{suffix}", "get"), *content, *suffix;
    content = GO(get, "responses", "200", "content");
    ck_assert_int_eq(cJSON_GetArraySize(content), 2);
    ck_assert_str_eq(GO(content, "application/json", "schema", "$ref")->valuestring,
                     "#/components/schemas/Metrics");
    ck_assert_ptr_null(GO(content, "text/csv; charset=utf-8", "schema", "$ref"));
    ck_assert_ptr_nonnull(GO(content, "text/csv; charset=utf-8"));
    ck_assert_ptr_nonnull(GO(get, "responses", "406"));
    ck_assert_int_eq(cJSON_GetArraySize(GO(get, "parameters")), 1);
    ck_assert(cJSON_Compare(content, GO(as, "responses", "200", "content"), true));
    ck_assert_str_eq(GO(as, "operationId")->valuestring, "get_metrics_as");
    suffix = cJSON_GetArrayItem(GO(as, "parameters"), 1);
    ck_assert_str_eq(GO(suffix, "name")->valuestring, "suffix");
    ck_assert_str_eq(GO(suffix, "description")->valuestring, "json: Numbers. csv: Rows.");
    ck_assert_int_eq(cJSON_GetArraySize(GO(suffix, "schema", "enum")), 2);
    ck_assert_str_eq(cJSON_GetArrayItem(GO(suffix, "schema", "enum"), 1)->valuestring, "csv");
    cJSON_Delete(doc);
}

TEST(a_parameter_says_default_limits_and_words)
{
    cJSON *doc = document();
    const cJSON *list = GO(doc, "paths", "/jobs", "get", "parameters");
    const cJSON *limit = cJSON_GetArrayItem(list, 0), *status = cJSON_GetArrayItem(list, 2);
    ck_assert_str_eq(GO(limit, "name")->valuestring, "limit");
    ck_assert_str_eq(GO(limit, "in")->valuestring, "query");
    ck_assert(cJSON_IsFalse(GO(limit, "required")));
    ck_assert_uint_gt(strlen(GO(limit, "description")->valuestring), 10);
    ck_assert_str_eq(GO(limit, "schema", "type")->valuestring, "integer");
    ck_assert_double_eq(GO(limit, "schema", "default")->valuedouble, 20);
    ck_assert_double_eq(GO(limit, "schema", "minimum")->valuedouble, 1);
    ck_assert_double_eq(GO(limit, "schema", "maximum")->valuedouble, PAGE_MAX);
    ck_assert_int_eq(cJSON_GetArraySize(GO(status, "schema", "enum")), 6);
    const cJSON *name = cJSON_GetArrayItem(GO(doc, "paths", "/datasets", "post", "parameters"), 0);
    ck_assert(cJSON_IsTrue(GO(name, "required")));
    ck_assert_ptr_nonnull(GO(name, "schema", "pattern"));
    cJSON_Delete(doc);
}

// Every reference leads somewhere.
static void follow(const cJSON *doc, const cJSON *json)
{
    const cJSON *child;
    cJSON_ArrayForEach(child, json)
    {
        if (child->string && strcmp(child->string, "$ref") == 0) {
            const char *name = strrchr(child->valuestring, '/') + 1;
            ck_assert_msg(GO(doc, "components", "schemas", name) != NULL, "%s", child->valuestring);
        }
        follow(doc, child);
    }
}

TEST(every_reference_of_the_document_leads_somewhere)
{
    cJSON *doc = document();
    follow(doc, doc);
    cJSON_Delete(doc);
}

TEST(a_schema_says_default_limits_and_words)
{
    cJSON *doc = document();
    const cJSON *job = GO(doc, "components", "schemas", "JobDefinition", "properties");
    const cJSON *epochs = GO(job, "training", "properties", "epochs");
    ck_assert_double_eq(GO(epochs, "default")->valuedouble, 100);
    ck_assert_double_eq(GO(epochs, "minimum")->valuedouble, 1);
    ck_assert_double_eq(GO(epochs, "maximum")->valuedouble, 100000);
    ck_assert_str_eq(GO(epochs, "type")->child->valuestring, "integer");
    ck_assert_uint_gt(strlen(GO(epochs, "description")->valuestring), 10);
    ck_assert_int_eq(cJSON_GetArraySize(GO(job, "task", "enum")), (int)task_count + 1);
    ck_assert_int_eq(cJSON_GetArraySize(GO(job, "model", "properties", "layers", "default")), 2);
    ck_assert_ptr_nonnull(GO(job, "optimizer", "anyOf"));
    ck_assert_ptr_nonnull(
        GO(job, "regularization", "properties", "gradient_clip_norm", "exclusiveMinimum"));
    cJSON_Delete(doc);
}

TEST(a_schema_prints_a_markdown_table)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    schema_markdown(&job_schema, out);
    fclose(out);
    ck_assert_ptr_nonnull(
        strstr(text, "| `training.epochs` | `100` | 1 to 100000, `null` | Largest number of passes "
                     "over the training rows; null when steps are given. |\n"));
    ck_assert_ptr_nonnull(strstr(text, "| `model.layers[].dropout` | `0.1` | 0 to 0.95 |"));
    ck_assert_ptr_nonnull(strstr(text, "| `training.batch_size` | `\"auto\"` | 1 to 1048576, "
                                       "`\"auto\"` |"));
    free(text);
}
