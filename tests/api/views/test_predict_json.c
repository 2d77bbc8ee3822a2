// SPDX-License-Identifier: MIT
// The rows of a prediction in, the answers out.

#include "api/views/predict_json.h"
#include "tests/harness.h"
#include "engine/table/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// age: one feature and an indicator; city: two levels and the rest; the third has a name that JSON
// Pointer and JSON escape.
static const char *const cities[] = {"Bern", "R\"o\\me", "7"};
static struct prep_column column[] = {
    {.name = "age", .at = 0, .width = 2, .mean = 10, .std = 2, .fill = 10, .indicator = true},
    {.name = "city",
     .type = COLUMN_CATEGORICAL,
     .at = 2,
     .width = 4,
     .level = cities,
     .n_level = 3},
    {.name = "a/b~c\"", .at = 6, .width = 1, .mean = 0, .std = 1, .fill = .5},
};
enum { FEATURES = 7 };
static const char *const price = "price";

static struct arena arena;
static struct faults faults;
static struct err err;
static struct prep prep;
static real *x;
static size_t n;

static bool read_max(const char *instances, size_t max)
{
    size_t len = strlen(instances);
    arena_release(&arena);
    arena_init(&arena, max);
    faults_init(&faults, &arena);
    err = (struct err){0};
    prep = (struct prep){.column = column,
                         .n_column = 3,
                         .n_feature = FEATURES,
                         .answer = {.target = &price, .n_target = 1}};
    ck_assert(prep_index(&prep, NULL, &arena, &err));
    ck_assert_msg(json_scan(instances, len, NULL, 0, &arena, &faults, &err), "%s", err.text);
    return instances_read((struct json_span){instances, len}, &prep, &x, &n, &arena, &faults, &err);
}

static bool read_rows(const char *instances)
{
    return read_max(instances, 1 << 24);
}

static const struct {
    const char *instances;
    size_t n;
    double x[2 * FEATURES];
} good[] = {
    {"[[12,\"Bern\",3]]", 1, {1, 0, 1, 0, 0, 0, 3}},
    {"[{\"age\":12,\"city\":\"Bern\",\"a/b~c\\\"\":3}]", 1, {1, 0, 1, 0, 0, 0, 3}},
    {"[ { \"a\\u002fb~c\\\"\" : -1.5e0 , \"city\" : \"R\\u0022o\\\\me\" , \"age\" : 8 } ]",
     1,
     {-1, 0, 0, 1, 0, 0, -1.5}},
    {"[[null,null,null]]", 1, {0, 1, 0, 0, 0, 1, .5}},
    {"[[\"14\",\"Paris\",\" 2.5 \"]]", 1, {2, 0, 0, 0, 0, 1, 2.5}}, // numbers as text
    {"[[\"\",7,\"NA\"]]", 1, {0, 1, 0, 0, 1, 0, .5}},               // a number for a category
    {"[[12,true,0]]", 1, {1, 0, 0, 0, 0, 1, 0}},
    {"[[10,\"7\",1],{\"city\":\"Bern\",\"age\":null,\"a/b~c\\\"\":2}]",
     2,
     {0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 2}},
};

LOOP_TEST(rows_are_encoded_as_training_did, sizeof good / sizeof *good)
{
    ck_assert_msg(read_rows(good[_i].instances), "%s: %s", err.at, err.text);
    ck_assert_uint_eq(n, good[_i].n);
    for (size_t i = 0; i < n * FEATURES; i++)
        ck_assert_msg(fabs((double)x[i] - good[_i].x[i]) < 1e-6, "%s: feature %zu is %g, not %g",
                      good[_i].instances, i, (double)x[i], good[_i].x[i]);
}

static const struct {
    const char *instances, *pointer, *code, *detail;
} bad[] = {
    {"[]", "/instances", "too_short", "must have at least one row"},
    {"[5]", "/instances/0", "wrong_type", "must be an object or an array, got a number"},
    {"[[1,null,2],null]", "/instances/1", "wrong_type", "must be an object or an array, got null"},
    {"[[1,2]]", "/instances/0", "ragged_row", "must have 3 cells, got 2"},
    {"[[1,2,3,4]]", "/instances/0", "ragged_row", "must have 3 cells, got 4"},
    {"[[]]", "/instances/0", "ragged_row", "must have 3 cells, got 0"},
    {"[[1,2,[3]]]", "/instances/0/2", "wrong_type",
     "must be a number, a text or null, got an array"},
    {"[[1,{},3]]", "/instances/0/1", "wrong_type",
     "must be a number, a text or null, got an object"},
    {"[{\"age\":[1],\"city\":1,\"a/b~c\\\"\":1}]", "/instances/0/age", "wrong_type",
     "must be a number, a text or null, got an array"},
    {"[[\"old\",\"Bern\",1]]", "/instances/0/0", "bad_number", NULL},
    {"[{\"age\":\"old\",\"city\":1,\"a/b~c\\\"\":1}]", "/instances/0/age", "bad_number", NULL},
    {"[{\"age\":true,\"city\":1,\"a/b~c\\\"\":1}]", "/instances/0/age", "bad_number", NULL},
    {"[{\"age\":1,\"city\":1,\"a/b~c\\\"\":\"x\"}]", "/instances/0/a~1b~0c\"", "bad_number", NULL},
    {"[{\"age\":1,\"city\":1}]", "/instances/0", "missing_field",
     "\"a/b~c\"\" is missing; give null for a missing value"},
    {"[{\"agee\":1,\"age\":1,\"city\":1,\"a/b~c\\\"\":1}]", "/instances/0/agee", "unknown_field",
     "unknown field; did you mean \"age\"?"},
    {"[{\"zebra/~\":1,\"age\":1,\"city\":1,\"a/b~c\\\"\":1}]", "/instances/0/zebra~1~0",
     "unknown_field", "unknown field; the model has no such input"},
    {"[{\"price\":1,\"age\":1,\"city\":1,\"a/b~c\\\"\":1}]", "/instances/0/price", "unknown_field",
     "is the target, which the model predicts; leave it out"},
    {"[{\"pricey\":1,\"age\":1,\"city\":1,\"a/b~c\\\"\":1}]", "/instances/0/pricey",
     "unknown_field", "unknown field; the model has no such input"},
};

LOOP_TEST(a_bad_row_is_refused_by_place, sizeof bad / sizeof *bad)
{
    ck_assert(!read_rows(bad[_i].instances));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_uint_eq(faults.total, 1);
    ck_assert_str_eq(faults.item[0].pointer, bad[_i].pointer);
    ck_assert_str_eq(faults.item[0].code, bad[_i].code);
    if (bad[_i].detail)
        ck_assert_str_eq(faults.item[0].detail, bad[_i].detail);
}

TEST(all_faults_of_all_rows_come_together)
{
    ck_assert(!read_rows("[{\"age\":\"x\",\"city\":[],\"agee\":1},[1,2,3],[1],{}]"));
    static const struct {
        const char *code, *pointer;
    } want[] = {{"bad_number", "/instances/0/age"},     {"wrong_type", "/instances/0/city"},
                {"unknown_field", "/instances/0/agee"}, {"missing_field", "/instances/0"},
                {"ragged_row", "/instances/2"},         {"missing_field", "/instances/3"},
                {"missing_field", "/instances/3"},      {"missing_field", "/instances/3"}};
    ck_assert_uint_eq(faults.n, sizeof want / sizeof *want);
    for (size_t i = 0; i < faults.n; i++) {
        ck_assert_str_eq(faults.item[i].code, want[i].code);
        ck_assert_str_eq(faults.item[i].pointer, want[i].pointer);
    }
    ck_assert_str_eq(err.text, "8 fields need attention");
}

// Faults beyond those that are kept must cost no memory.
TEST(a_row_of_countless_unknown_fields_fits_into_a_small_arena)
{
    enum { KEYS = 30000 };
    char *body = malloc(KEYS * 16), *p = body;
    p += sprintf(p, "[{");
    for (int i = 0; i < KEYS; i++)
        p += sprintf(p, "%s\"k%06d\":0", i ? "," : "", i);
    sprintf(p, "}]");
    struct arena keys;
    struct faults many;
    arena_init(&keys, 64 << 20);
    faults_init(&many, &keys);
    size_t len = strlen(body);
    ck_assert(json_scan(body, len, NULL, 0, &keys, &many, &err));
    ck_assert(read_rows("[[1,2,3]]"));
    arena.max = arena.used + (256 << 10);
    ck_assert(!instances_read((struct json_span){body, len}, &prep, &x, &n, &arena, &faults, &err));
    ck_assert_uint_eq(faults.total, KEYS + 3);
    ck_assert_uint_eq(faults.n, FAULTS_MAX);
    arena_release(&keys);
    free(body);
}

TEST(a_text_that_finds_no_room_is_not_taken_for_a_missing_value)
{
    char body[5000];
    size_t at = (size_t)sprintf(body, "[[1,\"\\u0041");
    memset(body + at, 'x', 4000);
    strcpy(body + at + 4000, "\",1]]");
    ck_assert(read_rows("[[1,2,3]]"));
    arena.max = arena.used + 3000;
    ck_assert(!instances_read((struct json_span){body, strlen(body)}, &prep, &x, &n, &arena,
                              &faults, &err));
    ck_assert_int_eq(err.kind, ERR_INVALID);
}

TEST(rows_that_do_not_fit_are_too_large)
{
    ck_assert(read_rows("[[1,2,3]]"));
    char body[9000] = "[";
    for (int i = 0; i < 1000; i++)
        strcat(body, i ? ",[1,2,3]" : "[1,2,3]");
    strcat(body, "]");
    arena.max = arena.used + 2000;
    ck_assert(!instances_read((struct json_span){body, strlen(body)}, &prep, &x, &n, &arena,
                              &faults, &err));
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_str_eq(err.at, "/instances");
}

static const char *const colours[] = {"red", "green\"", "blue"};
static double scale[] = {1, 1e5, 1};

static double shift[] = {1, 1, 1, 1};

static struct answer aims(const struct task *task, size_t n_target)
{
    return (struct answer){
        .task = task, .target = colours, .n_target = n_target, .mean = shift, .std = scale};
}

static const char *answers(struct answer p, const double *answer, size_t rows)
{
    struct jsonw w;
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    jsonw_init(&w, &arena);
    jsonw_object(&w, NULL);
    jsonw_array(&w, "predictions");
    predictions_write(&w, &p, answer, rows);
    jsonw_end(&w);
    jsonw_end(&w);
    const char *text = jsonw_text(&w, NULL, &err);
    ck_assert_ptr_nonnull(text);
    return text;
}

TEST(a_value_is_answered_with_the_digits_that_mean_something)
{
    const double answer[] = {(real).1, -3, 1.7e9 + 1234.5678};
    ck_assert_str_eq(
        answers(aims(&task_regression, 1), answer, 3),
        "{\"predictions\":[{\"value\":0.1},{\"value\":-3},{\"value\":1700001234.5678}]}");
}

TEST(a_value_that_is_not_scaled_is_answered_as_the_float_it_is)
{
    static double one = 1, zero;
    struct answer p = aims(&task_regression, 1);
    p.mean = &zero;
    p.std = &one;
    ck_assert_str_eq(answers(p, (double[]){(double)4.539787e-05f, (double)39.1f}, 2),
                     "{\"predictions\":[{\"value\":4.539787e-05},{\"value\":39.1}]}");
}

TEST(a_class_is_answered_with_all_probabilities)
{
    static const char *const class[] = {"a\"b", "c", "d"};
    const double answer[] = {.25, .5, .25, .5, .5, 0};
    struct answer p = aims(&task_classification, 1);
    p.class_name = class;
    p.n_class = 3;
    ck_assert_str_eq(
        answers(p, answer, 2),
        "{\"predictions\":[{\"class\":\"c\",\"probabilities\":{\"a\\\"b\":0.25,\"c\":0.5,\"d\":"
        "0.25}},{\"class\":\"a\\\"b\",\"probabilities\":{\"a\\\"b\":0.5,\"c\":0.5,\"d\":0}}]}");
}

TEST(several_values_are_answered_by_name_each_with_its_own_digits)
{
    const double answer[] = {(real).1, 1234.56789, -3, 1, 2, 3};
    ck_assert_str_eq(
        answers(aims(&task_regression, 3), answer, 2),
        "{\"predictions\":[{\"values\":{\"red\":0.1,\"green\\\"\":1234.568,\"blue\":-3}}"
        ",{\"values\":{\"red\":1,\"green\\\"\":2,\"blue\":3}}]}");
}

TEST(labels_are_answered_with_those_that_are_likely)
{
    const double answer[] = {.5, .25, .75, 0, .25, .125};
    ck_assert_str_eq(
        answers(aims(&task_multilabel, 3), answer, 2),
        "{\"predictions\":[{\"labels\":[\"red\",\"blue\"],\"probabilities\":{\"red\":0.5,"
        "\"green\\\"\":0.25,\"blue\":0.75}},{\"labels\":[],\"probabilities\":{\"red\":0,"
        "\"green\\\"\":0.25,\"blue\":0.125}}]}");
}

TEST(shares_are_answered_by_name)
{
    const double answer[] = {.25, .75};
    ck_assert_str_eq(answers(aims(&task_distribution, 2), answer, 1),
                     "{\"predictions\":[{\"probabilities\":{\"red\":0.25,\"green\\\"\":0.75}}]}");
}

TEST(any_of_several_targets_in_a_row_is_told_to_be_one)
{
    ck_assert(read_rows("[[1,2,3]]"));
    prep.answer.target = colours;
    prep.answer.n_target = 3;
    static const char body[] = "[{\"age\":1,\"city\":1,\"a/b~c\\\"\":1,\"blue\":0}]";
    ck_assert(!instances_read((struct json_span){body, strlen(body)}, &prep, &x, &n, &arena,
                              &faults, &err));
    ck_assert_str_eq(faults.item[0].pointer, "/instances/0/blue");
    ck_assert_str_eq(faults.item[0].detail, "is a target, which the model predicts; leave it out");
}
