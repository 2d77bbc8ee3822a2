// SPDX-License-Identifier: MIT
// Classes that have an order: learnt by cumulative logits, answered with an expected class.

#include "tests/e2e/scene.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 300, GRADES = 5 };

static const char *const size_of[GRADES] = {"tiny", "small", "medium", "large", "huge"};

// One input in [-1, 1] and the fifth of the range that it lies in, as a number and as a word.
static void make_grades(void)
{
    char *csv = malloc((size_t)(ROWS + 1) * 64), *at = csv;
    at += sprintf(at, "x,stars,size\n");
    for (int i = 0; i < ROWS; i++) {
        double x = 2. * (i * 37 % ROWS) / ROWS - 1;
        int grade = (int)((x + 1) / 2 * GRADES);
        at += sprintf(at, "%.6f,%d,%s\n", x, grade + 1, size_of[grade]);
    }
    upload_text(scene(), "grades", csv);
    free(csv);
}

#define QUICK                                                                                      \
    "\"training\":{\"epochs\":80},\"optimizer\":{\"type\":\"adamw\",\"lr\":0.01},"                 \
    "\"model\":{\"layers\":[{\"units\":32,\"dropout\":0}]}"
#define STARS                                                                                      \
    "{\"dataset\":\"grades\",\"name\":\"stars\",\"target\":\"stars\",\"task\":\"ordinal\","        \
    "\"features\":{\"exclude\":[\"size\"]}," QUICK "}"
#define SIZES(more)                                                                                \
    "{\"dataset\":\"grades\",\"name\":\"sizes\",\"target\":\"size\",\"task\":\"ordinal\","         \
    "\"features\":{\"exclude\":[\"stars\"]}," more QUICK "}"
#define IN_ORDER "\"classes\":[\"tiny\",\"small\",\"medium\",\"large\",\"huge\"],"

// One prediction: the expected class at x.
static double expected_at(const char *model, double x, const char **class)
{
    const struct reply *r =
        http(scene(), "POST", text("/models/%s/predict", model), text("{\"instances\":[[%g]]}", x));
    double sum = 0;
    expect_status(r, 200);
    const cJSON *p, *all = json_at(r->json, "/predictions/0/probabilities");
    ck_assert_int_eq(cJSON_GetArraySize(all), GRADES);
    cJSON_ArrayForEach(p, all)
    {
        ck_assert(p->valuedouble >= 0);
        sum += p->valuedouble;
    }
    ck_assert_double_eq_tol(sum, 1, 1e-5);
    *class = string_at(r, "/predictions/0/class");
    return number_at(r, "/predictions/0/expected");
}

TEST(ratings_are_learnt_in_their_order_and_answered_with_an_expected_one)
{
    const char *class;
    make_grades();
    const struct reply *r = train(scene(), STARS);
    ck_assert_str_eq(string_at(r, "/definition/loss/type"), "cumulative");
    ck_assert_str_eq(string_at(http(scene(), "GET", "/models/stars", NULL), "/task"), "ordinal");
    double last = 0;
    for (int grade = 1; grade <= GRADES; grade++) {
        double is = expected_at("stars", (grade - .5) / GRADES * 2 - 1, &class);
        ck_assert_double_eq_tol(is, grade, .4);
        ck_assert(is > last);
        ck_assert_str_eq(class, text("%d", grade));
        last = is;
    }
    r = http(scene(), "POST", "/models/stars/evaluate", "{\"dataset\":\"grades\"}");
    ck_assert(number_at(r, "/metrics/accuracy") > .85);
    ck_assert(number_at(r, "/metrics/rank_mae") < .15);
    ck_assert(number_at(r, "/metrics/quadratic_kappa") > .95);
}

TEST(the_order_of_texts_must_be_told_and_counts_from_0)
{
    const char *class;
    make_grades();
    const struct reply *r = http(scene(), "POST", "/jobs", SIZES(""));
    expect_status(r, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/classes");
    r = http(scene(), "POST", "/jobs", SIZES("\"classes\":[\"tiny\",\"small\"],"));
    expect_status(r, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/classes");
    train(scene(), SIZES(IN_ORDER));
    ck_assert_str_eq(string_at(http(scene(), "GET", "/models/sizes", NULL), "/classes/4"), "huge");
    ck_assert_double_eq_tol(expected_at("sizes", -.9, &class), 0, .4);
    ck_assert_str_eq(class, "tiny");
    ck_assert_double_eq_tol(expected_at("sizes", .9, &class), 4, .4);
    ck_assert_str_eq(class, "huge");
}

// What is exported and imported again answers alike, and its gradients are right.
TEST(an_ordinal_model_moves_and_is_looked_into_like_any_other)
{
    const char *class;
    make_grades();
    train(scene(), STARS);
    double is = expected_at("stars", .3, &class);
    const struct reply *r = http(scene(), "GET", "/models/stars/export", NULL);
    expect_status(r, 200);
    r = http_bytes(scene(), "POST", "/models?name=moved", r->body, r->len,
                   "Content-Type: application/octet-stream");
    expect_status(r, 201);
    ck_assert_double_eq(expected_at("moved", .3, &class), is);
    r = http(scene(), "POST", "/models/moved/gradcheck",
             "{\"instances\":[[0.1],[0.7],[-0.9]],\"targets\":[\"3\",\"5\",\"1\"]}");
    expect_status(r, 200);
    ck_assert(cJSON_IsTrue(json_at(r->json, "/passed")));
}

// Outputs of a network from elsewhere: one less than classes, if the task or the loss says so.
TEST(a_foreign_network_with_one_output_less_than_classes_is_ordinal)
{
    const struct reply *r =
        http(scene(), "POST", "/models",
             "{\"name\":\"foreign\",\"task\":\"ordinal\",\"loss\":\"cumulative\",\"layers\":[{"
             "\"weight\":[[2],[0],[0],[0]]}],\"classes\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}");
    const char *class;
    expect_status(r, 201);
    ck_assert_str_eq(string_at(r, "/task"), "ordinal");
    ck_assert(expected_at("foreign", 3, &class) > expected_at("foreign", -3, &class) + 1);
}
