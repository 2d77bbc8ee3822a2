// SPDX-License-Identifier: MIT
// Several targets at once, labels, shares, and rows that count more than others.

#include "tests/e2e/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 240 };

// A table by formula: `line` prints row i, with x and z spread over [-1, 1].
static void make_table(const char *name, const char *header, int rows,
                       void (*line)(char *to, int i, double x, double z))
{
    char *csv = malloc((size_t)(rows + 1) * 128), *at = csv;
    at += sprintf(at, "%s\n", header);
    for (int i = 0; i < rows; i++) {
        line(at, i, i % 16 / 7.5 - 1, i / 16 % 15 / 7. - 1);
        at += strlen(at);
    }
    upload_text(scene(), name, csv);
    free(csv);
}

#define QUICK                                                                                      \
    "\"training\":{\"epochs\":60},\"optimizer\":{\"type\":\"adamw\",\"lr\":0.01},"                 \
    "\"model\":{\"layers\":[{\"units\":32,\"dropout\":0}]}"

static double evaluated(const char *model, const char *metric)
{
    const struct reply *r = http(scene(), "POST", text("/models/%s/evaluate", model),
                                 text("{\"dataset\":\"%s\"}", model));
    expect_status(r, 200);
    return number_at(r, text("/metrics/%s", metric));
}

static void two_values(char *to, int i, double x, double z)
{
    const char *low = i % 40 == 7 ? "" : text("%.6f", 1000 - 500 * x);
    sprintf(to, "%.6f,%.6f,%.6f,%s\n", x, z, 3 * x + z, low);
}

TEST(two_values_are_learnt_at_once_each_in_its_own_units)
{
    make_table("pair", "x,z,a,b c", ROWS, two_values);
    const struct reply *r =
        train(scene(), "{\"dataset\":\"pair\",\"target\":[\"a\",\"b c\"]," QUICK "}");
    ck_assert_str_eq(string_at(r, "/definition/task"), "regression");
    ck_assert_str_eq(string_at(r, "/definition/target/1"), "b c");
    r = http(scene(), "GET", "/models/pair", NULL);
    ck_assert_str_eq(string_at(r, "/targets/0"), "a");
    ck_assert_str_eq(string_at(r, "/targets/1"), "b c");
    ck_assert_ptr_null(json_at(r->json, "/target"));
    r = http(scene(), "POST", "/predict",
             "{\"model\":\"pair\",\"instances\":[{\"x\":0.5,\"z\":-0.5},[-1,1]]}");
    expect_status(r, 200);
    ck_assert_double_eq_tol(number_at(r, "/predictions/0/values/a"), 1, .3);
    ck_assert_double_eq_tol(number_at(r, "/predictions/0/values/b c"), 750, 50);
    ck_assert_double_eq_tol(number_at(r, "/predictions/1/values/b c"), 1500, 50);
    ck_assert_ptr_null(json_at(r->json, "/predictions/0/value"));
    ck_assert_double_gt(evaluated("pair", "r2"), .97);
    r = http(scene(), "POST", "/models/pair/evaluate", "{\"dataset\":\"pair\"}");
    ck_assert_double_eq(number_at(r, "/rows_skipped"), 6); // those that lack one of the two
}

static void two_labels(char *to, int i, double x, double z)
{
    (void)i;
    sprintf(to, "%.6f,%.6f,%d,%s\n", x, z, x > .1, z > 0 ? "Yes" : "no");
}

TEST(labels_are_told_one_by_one)
{
    make_table("signs", "x,z,hot,wet", ROWS, two_labels);
    const struct reply *r =
        train(scene(), "{\"dataset\":\"signs\",\"target\":[\"hot\",\"wet\"]," QUICK "}");
    ck_assert_str_eq(string_at(r, "/definition/task"), "multilabel");
    ck_assert_str_eq(string_at(http(scene(), "GET", "/models/signs", NULL), "/task"), "multilabel");
    r = http(scene(), "POST", "/predict",
             "{\"model\":\"signs\",\"instances\":[[0.9,-0.9],[0.9,0.9],[-0.9,-0.9]]}");
    expect_status(r, 200);
    ck_assert_int_eq(cJSON_GetArraySize(json_at(r->json, "/predictions/0/labels")), 1);
    ck_assert_str_eq(string_at(r, "/predictions/0/labels/0"), "hot");
    ck_assert_str_eq(string_at(r, "/predictions/1/labels/1"), "wet");
    ck_assert_int_eq(cJSON_GetArraySize(json_at(r->json, "/predictions/2/labels")), 0);
    ck_assert_double_gt(number_at(r, "/predictions/1/probabilities/hot"), .5);
    ck_assert_double_lt(number_at(r, "/predictions/2/probabilities/wet"), .5);
    ck_assert_double_gt(evaluated("signs", "accuracy"), .93);
    ck_assert_double_gt(evaluated("signs", "f1"), .93);
    ck_assert_double_lt(evaluated("signs", "log_loss"), .3);
}

static void three_shares(char *to, int i, double x, double z)
{
    double a = exp(x), b = exp(z), sum = a + b + 1;
    (void)i;
    sprintf(to, "%.6f,%.6f,%.9f,%.9f,%.9f\n", x, z, a / sum, b / sum, 1 / sum);
}

TEST(shares_are_learnt_and_sum_to_one)
{
    make_table("shares", "x,z,a,b,c", ROWS, three_shares);
    train(scene(), "{\"dataset\":\"shares\",\"target\":[\"a\",\"b\",\"c\"],\"task\":"
                   "\"distribution\"," QUICK "}");
    const struct reply *r =
        http(scene(), "POST", "/predict", "{\"model\":\"shares\",\"instances\":[[1,0],[-1,-1]]}");
    expect_status(r, 200);
    double a = number_at(r, "/predictions/0/probabilities/a"),
           b = number_at(r, "/predictions/0/probabilities/b"),
           c = number_at(r, "/predictions/0/probabilities/c");
    ck_assert_double_eq_tol(a + b + c, 1, 1e-5);
    ck_assert_double_eq_tol(a, M_E / (M_E + 2), .05);
    ck_assert_double_eq_tol(b, 1 / (M_E + 2), .05);
    ck_assert_double_lt(evaluated("shares", "kl_divergence"), .01);
    ck_assert_double_lt(evaluated("shares", "mae"), .05);
}

TEST(targets_that_come_with_the_job_are_named_by_number)
{
    const struct reply *r =
        train(scene(), "{\"name\":\"in-two\",\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8]],"
                       "\"y\":[[1,8],[2,7],[3,6],[4,5],[5,4],[6,3],[7,2],[8,1]]},"
                       "\"model\":{\"layers\":[4]},\"training\":{\"epochs\":2}}");
    ck_assert_str_eq(string_at(r, "/definition/target/1"), "y1");
    r = http(scene(), "POST", "/models/in-two/predict", "{\"instances\":[[3]]}");
    expect_status(r, 200);
    ck_assert(isfinite(number_at(r, "/predictions/0/values/y0")));
}

// Every third row weighs nothing and is nonsense.
static bool counts(int i)
{
    return i % 3 != 1;
}

static void weighed(char *to, int i, double x, double z)
{
    sprintf(to, "%.6f,%.6f,%d,%.6f\n", x, z, counts(i) ? 1 + i % 2 : 0, counts(i) ? x - z : 1e6);
}

static void only_weighed(char *to, int i, double x, double z)
{
    *to = '\0';
    if (counts(i))
        weighed(to, i, x, z);
}

static char *summary_of(const char *dataset)
{
    train(scene(),
          text("{\"dataset\":\"%s\",\"target\":\"y\",\"weights\":\"w\"," QUICK "}", dataset));
    const struct reply *r = http(scene(), "GET", text("/models/%s", dataset), NULL);
    char *scores = cJSON_PrintUnformatted(json_at(r->json, "/scores"));
    ck_assert_int_eq(cJSON_GetArraySize(json_at(r->json, "/inputs")), 2);
    const char *both = text("%s %s", scores, string_at(r, "/weights_sha256"));
    free(scores);
    return strdup(both);
}

TEST(rows_that_weigh_nothing_are_as_if_they_were_not_there)
{
    make_table("weighed", "x,z,w,y", ROWS, weighed);
    make_table("kept", "x,z,w,y", ROWS, only_weighed);
    char *with = summary_of("weighed"), *without = summary_of("kept");
    ck_assert_str_eq(with, without);
    free(with);
    free(without);
    ck_assert_double_gt(number_at(http(scene(), "GET", "/models/kept", NULL), "/scores/test/r2"),
                        .9);
}

// x says nothing: the answer is the classes' shares, as weighed. 180 rows "common", 60 "rare".
static void lopsided(char *to, int i, double x, double z)
{
    (void)x, (void)z;
    sprintf(to, "%d,%s\n", i % 2, i / 2 % 4 ? "common" : "rare");
}

static double rare(const char *class_weight)
{
    train(scene(), text("{\"dataset\":\"lopsided\",\"target\":\"y\",\"class_weight\":%s," QUICK "}",
                        class_weight));
    const struct reply *r =
        http(scene(), "POST", "/models/lopsided/predict", "{\"instances\":[[1]]}");
    expect_status(r, 200);
    return number_at(r, "/predictions/0/probabilities/rare");
}

TEST(classes_count_as_much_as_they_are_told_to)
{
    make_table("lopsided", "x,y", ROWS, lopsided);
    ck_assert_double_eq_tol(rare("null"), .25, .08);
    ck_assert_double_eq_tol(rare("\"balanced\""), .5, .08);
    ck_assert_double_eq_tol(rare("{\"rare\":9}"), .75, .08);
}

#define GOOD "[1,1,0,1],[2,0,1,1],[3,1,1,0],[4,0,0,1],[5,1,0,2],[6,1,1,1],[7,0,1,1],[8,0,0,1]"

static const struct {
    const char *rows, *more, *pointer, *words;
} bad[] = {
    {GOOD, "\"target\":[\"a\",\"bb\"]", "/target/1", "no column \\\"bb\\\""},
    {GOOD, "\"target\":[\"a\",\"a\"]", "/target/1", "named twice"},
    {GOOD, "\"target\":[]", "/target", "between 1 and 1024"},
    {GOOD, "\"target\":[\"a\",\"b\"],\"task\":\"classification\"", "/task", "multilabel"},
    {GOOD, "\"target\":\"a\",\"task\":\"distribution\"", "/task", "at least two"},
    {GOOD, "\"target\":[\"a\",\"b\"],\"task\":\"distribution\"", "/target",
     "row 3 of the table sum"},
    {GOOD, "\"target\":[\"a\",\"b\"],\"loss\":\"mse\"", "/loss", "several labels"},
    {GOOD, "\"target\":[\"a\",\"b\"],\"class_weight\":\"balanced\"", "/class_weight",
     "only a classification"},
    {GOOD, "\"target\":\"a\",\"class_weight\":{\"2\":1}", "/class_weight/2", "no class"},
    {GOOD, "\"target\":\"a\",\"class_weight\":\"balancd\"", "/class_weight", "balanced"},
    {GOOD, "\"target\":\"a\",\"weights\":\"ww\"", "/weights", "no column"},
    {GOOD, "\"target\":\"a\",\"weights\":\"a\"", "/weights", "predicted"},
    {"[1,1,0,-1],[2,0,1,1],[3,1,1,0],[4,0,0,1]", "\"target\":\"a\",\"weights\":\"w\"", "/weights",
     "row 1 of the table weighs -1"},
    {"[1,1,0,0],[2,0,1,0],[3,1,1,0],[4,0,0,0]", "\"target\":\"a\",\"weights\":\"w\"", "/weights",
     "every weight"},
    {"[1,1,0,1],[2,0,1,null],[3,1,1,1],[4,0,0,1]", "\"target\":\"a\",\"weights\":\"w\"", "/weights",
     "row 2 of the table has no weight"},
    {"[1,1,0,\"much\"],[2,0,1,1],[3,1,1,1],[4,0,0,1]", "\"target\":\"a\",\"weights\":\"w\"",
     "/weights", "holds text"},
    {"[1,1,0,1],[2,0,2,1],[3,1,1,1],[4,0,0,1]", "\"target\":[\"a\",\"b\"],\"task\":\"multilabel\"",
     "/target/1", "holds \\\"2\\\""},
    {"[1,1,\"p\",1],[2,0,\"q\",1],[3,1,\"r\",1],[4,0,\"q\",1]", "\"target\":[\"a\",\"b\"]",
     "/target/1", "holds text"},
    {"[1,2,-1,1],[2,0,1,1],[3,0.5,0.5,1],[4,1,0,1]",
     "\"target\":[\"a\",\"b\"],\"task\":\"distribution\"", "/target",
     "negative share in \\\"b\\\""},
    {"[1,2,-1,1],[2,0,1,1],[3,0.5,0.5,1],[4,1,0,1]",
     "\"target\":\"b\",\"task\":\"regression\",\"loss\":\"poisson\"", "/target", "is -1"},
    {"[1,2,-1,1],[2,0,1,1],[3,0.5,0.5,1],[4,1,0,1]", "\"target\":[\"x\",\"a\"],\"loss\":\"gamma\"",
     "/target/1", "above 0"},
};

LOOP_TEST(what_does_not_fit_its_task_is_refused_by_place, sizeof bad / sizeof *bad)
{
    const struct reply *r =
        http(scene(), "POST", "/jobs",
             text("{\"data\":{\"columns\":[\"x\",\"a\",\"b\",\"w\"],\"rows\":[%s]},%s}",
                  bad[_i].rows, bad[_i].more));
    expect_status(r, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), text("#%s", bad[_i].pointer));
    ck_assert_msg(strstr(r->body, bad[_i].words), "row %d: no \"%s\" in %.900s", _i, bad[_i].words,
                  r->body);
}
