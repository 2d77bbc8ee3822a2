// SPDX-License-Identifier: MIT
// The curves of a job in every form: the same numbers, whichever way the form is chosen.

#include "tests/e2e/scene.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *media, *begins, *has;
} forms[] = {
    {"json", "application/json", "{\"columns\":{\"epoch\":[1,2,", "\"gaps\":[]"},
    {"svg", "image/svg+xml", "<svg xmlns=", "<title id=\"title\">job 1: iris</title>"},
    {"csv", "text/csv; charset=utf-8", "epoch,step,train_loss,", "\r\n2,4,"},
    {"ndjson", "application/x-ndjson",
     "{\"epoch\":1,\"step\":2,\"train_loss\":", "\n{\"epoch\":2,"},
    {"txt", "text/plain; charset=utf-8", "job 1: iris\nEpochs 1 to ", "⠤⠤⠤ val_loss "},
};
enum { FORMS = sizeof forms / sizeof *forms };

static const struct reply *get(const char *path, const char *header)
{
    const struct reply *r = http_bytes(scene(), "GET", path, NULL, 0, header);
    expect_status(r, 200);
    return r;
}

LOOP_TEST(curves_come_in_a_form_by_suffix_and_by_accept, FORMS)
{
    const struct reply *r = get(text("/jobs/1/metrics.%s", forms[_i].name), NULL);
    ck_assert_str_eq(r->media, forms[_i].media);
    ck_assert(strncmp(r->body, forms[_i].begins, strlen(forms[_i].begins)) == 0);
    ck_assert_ptr_nonnull(strstr(r->body, forms[_i].has));
    const struct reply *again =
        get("/jobs/1/metrics", text("Accept: text/html, %s;q=0.9, */*;q=0.1", forms[_i].media));
    ck_assert_str_eq(again->media, forms[_i].media);
    ck_assert_uint_eq(again->len, r->len);
    ck_assert(memcmp(again->body, r->body, r->len) == 0);
}

// Job 2 was cancelled, perhaps before its first epoch.
LOOP_TEST(every_form_takes_the_parameters_of_the_curve, FORMS)
{
    get(text("/jobs/2/metrics.%s?limit=1", forms[_i].name), NULL);
    const struct reply *r =
        get(text("/jobs/1/metrics.%s?after_epoch=2&limit=1", forms[_i].name), NULL);
    ck_assert_ptr_nonnull(strstr(r->body, "3"));
    expect_status(http(scene(), "GET", text("/jobs/1/metrics.%s?limit=0", forms[_i].name), NULL),
                  422);
    expect_status(http(scene(), "GET", text("/jobs/999/metrics.%s", forms[_i].name), NULL), 404);
}

TEST(table_and_lines_have_the_numbers_of_the_columns)
{
    const struct reply *r = get("/jobs/1/metrics", NULL);
    const cJSON *columns = json_at(r->json, "/columns");
    char *csv = get("/jobs/1/metrics.csv", NULL)->body,
         *line = get("/jobs/1/metrics.ndjson", NULL)->body;
    int n = cJSON_GetArraySize(json_at(columns, "/epoch"));
    for (int i = 0; i < n; i++, line = strchr(line, '\n') + 1) {
        cJSON *row = cJSON_ParseWithLength(line, strcspn(line, "\n"));
        const cJSON *column;
        csv = strchr(csv, '\n') + 1;
        char *cell = csv;
        ck_assert_int_eq(cJSON_GetArraySize(row), cJSON_GetArraySize(columns));
        cJSON_ArrayForEach(column, columns)
        {
            double v = cJSON_GetArrayItem(column, i)->valuedouble;
            ck_assert_double_eq(cJSON_GetObjectItem(row, column->string)->valuedouble, v);
            ck_assert_double_eq(strtod(cell, &cell), v);
            ck_assert(*cell == (column->next ? ',' : '\r'));
            cell++;
        }
        cJSON_Delete(row);
    }
    ck_assert(!*line && !*(strchr(csv, '\n') + 1));
}

TEST(a_form_that_there_is_not_is_told_with_those_there_are)
{
    const struct reply *r = http(scene(), "GET", "/jobs/1/metrics.pdf", NULL);
    expect_status(r, 404);
    for (int i = 0; i < FORMS; i++)
        ck_assert_ptr_nonnull(strstr(string_at(r, "/detail"), forms[i].name));
    r = http_bytes(scene(), "GET", "/jobs/1/metrics", NULL, 0, "Accept: text/html");
    expect_status(r, 406);
    ck_assert_str_eq(string_at(r, "/code"), "not_acceptable");
    for (int i = 0; i < FORMS; i++)
        ck_assert_ptr_nonnull(
            strstr(string_at(r, "/detail"),
                   text("%.*s", (int)strcspn(forms[i].media, ";"), forms[i].media)));
    expect_status(http(scene(), "GET", "/jobs/1/metrics?format=svg", NULL), 422);
    expect_status(http(scene(), "GET", "/jobs/1.json", NULL), 404);
}
