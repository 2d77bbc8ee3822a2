// SPDX-License-Identifier: MIT
// The worked examples of a first course in deep learning, with their exact values: weights are
// imported, values predicted, derivatives traced and compared with differences.

#include "tests/e2e/scene.h"

#include <math.h>
#include <string.h>

static void import(const char *body)
{
    expect_status(http(scene(), "POST", "/models", body), 201);
}

static void near_to(double got, double want)
{
    ck_assert_msg(fabs(got - want) <= 2e-6 * fabs(want), "%.9g in place of %.9g", got, want);
}

// The same to six digits behind the point, as the examples print them.
static void prints_as(double got, double want)
{
    ck_assert_msg(fabs(got - want) <= 6e-7, "%.9g in place of %.6f", got, want);
}

static const struct reply *post(const char *model, const char *verb, const char *body)
{
    const struct reply *r = http(scene(), "POST", text("/models/%s/%s", model, verb), body);
    expect_status(r, 200);
    return r;
}

static const cJSON *node(const struct reply *r, const char *name)
{
    const cJSON *n;
    cJSON_ArrayForEach(n, cJSON_GetObjectItem(r->json, "nodes"))
    {
        if (strcmp(cJSON_GetObjectItem(n, "name")->valuestring, name) == 0)
            return n;
    }
    ck_abort_msg("no node %s: %.400s", name, r->body);
    return NULL;
}

// A number of a node's "values" or "gradients".
static double traced(const struct reply *r, const char *name, const char *what, int row, int col)
{
    const cJSON *rows = cJSON_GetObjectItem(node(r, name), what);
    const cJSON *v = cJSON_GetArrayItem(cJSON_GetArrayItem(rows, row), col);
    ck_assert_msg(cJSON_IsNumber(v), "%s has no %s at %d, %d", name, what, row, col);
    return v->valuedouble;
}

TEST(a_linear_layer_is_a_product_and_a_sum)
{
    import("{\"name\":\"linear\",\"layers\":[{\"weight\":[[0.1,0.2,0.3],[0.4,0.5,0.6]],"
           "\"bias\":[0.1,0.2]}]}");
    const struct reply *r = post("linear", "predict", "{\"instances\":[[175,70,25]]}");
    near_to(number_at(r, "/predictions/0/values/y0"), 39.1);
    near_to(number_at(r, "/predictions/0/values/y1"), 120.2);
}

// With the weight as x and target 0 the squared error is x².
TEST(the_derivative_of_a_square_is_twice_its_root)
{
    import("{\"name\":\"root\",\"layers\":[{\"weight\":[[1]]}]}");
    const struct reply *r = post("root", "trace", "{\"instances\":[[3]],\"targets\":[0]}");
    near_to(number_at(r, "/loss"), 9);
    near_to(traced(r, "input", "gradients", 0, 0), 6);
    r = post("root", "gradcheck", "{\"instances\":[[3]],\"targets\":[0]}");
    ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(r->json, "passed")));
    near_to(number_at(r, "/parameters/2/difference"), 6);
}

// (x²)³ at 2, its error against a target of 0 being itself.
TEST(the_chain_rule_multiplies_derivatives)
{
    import("{\"name\":\"chain\",\"loss\":\"mae\",\"layers\":[{\"weight\":[[1]],\"activation\":"
           "\"square\"},{\"weight\":[[1]],\"activation\":\"cube\"},{\"weight\":[[1]]}]}");
    const struct reply *r = post("chain", "trace", "{\"instances\":[[2]],\"targets\":[0]}");
    near_to(traced(r, "layers.0.square", "values", 0, 0), 4);
    near_to(traced(r, "layers.1.cube", "values", 0, 0), 64);
    near_to(traced(r, "layers.0.square", "gradients", 0, 0), 48); // 3 · 4²
    near_to(traced(r, "input", "gradients", 0, 0), 192);
    r = post("chain", "gradcheck", "{\"instances\":[[2]],\"targets\":[0]}");
    near_to(number_at(r, "/parameters/6/difference"), 192);
}

TEST(softmax_makes_probabilities)
{
    import("{\"name\":\"shares\",\"classes\":[\"a\",\"b\",\"c\"],\"layers\":[{\"weight\":"
           "[[1,0,0],[0,1,0],[0,0,1]],\"activation\":\"softmax\"}]}");
    const struct reply *r = post("shares", "predict", "{\"instances\":[[2,1,0.5]]}");
    prints_as(number_at(r, "/predictions/0/probabilities/a"), .628532);
    prints_as(number_at(r, "/predictions/0/probabilities/b"), .231224);
    prints_as(number_at(r, "/predictions/0/probabilities/c"), .140244);
}

TEST(forward_propagation_shows_every_step)
{
    import("{\"name\":\"forward\",\"classes\":[\"a\",\"b\"],\"layers\":["
           "{\"weight\":[[0.1,0.2],[0.3,0.4],[0.5,0.6]],\"bias\":[0.1,0.2,0.3],\"activation\":"
           "\"relu\"},{\"weight\":[[0.1,0.2,0.3],[0.4,0.5,0.6]],\"bias\":[0.1,0.2],"
           "\"activation\":\"softmax\"}]}");
    const struct reply *r = post("forward", "trace", "{\"instances\":[[1,2]]}");
    static const double z1[] = {.6, 1.3, 2.0}, z2[] = {1.02, 2.29}, p[] = {.219257, .780743};
    for (int i = 0; i < 3; i++)
        near_to(traced(r, "layers.0.linear", "values", 0, i), z1[i]);
    for (int i = 0; i < 2; i++) {
        near_to(traced(r, "output.linear", "values", 0, i), z2[i]);
        prints_as(traced(r, "prediction", "values", 0, i), p[i]);
    }
    r = post("forward", "predict", "{\"instances\":[[1,2]]}");
    prints_as(number_at(r, "/predictions/0/probabilities/b"), .780743);
}

TEST(without_an_activation_two_layers_are_one)
{
    import("{\"name\":\"two\",\"layers\":[{\"weight\":[[0.1,0.2],[0.3,0.4]],\"bias\":[0.1,0.2]},"
           "{\"weight\":[[0.5,0.6],[0.7,0.8]],\"bias\":[0.3,0.4]}]}");
    // W2 W1 = [[.23, .34], [.31, .46]], W2 b1 + b2 = [.47, .63]
    import("{\"name\":\"one\",\"layers\":[{\"weight\":[[0.23,0.34],[0.31,0.46]],"
           "\"bias\":[0.47,0.63]}]}");
    static const char *const model[] = {"two", "one"};
    for (int i = 0; i < 2; i++) {
        const struct reply *r = post(model[i], "predict", "{\"instances\":[[1,2]]}");
        near_to(number_at(r, "/predictions/0/values/y0"), 1.38);
        near_to(number_at(r, "/predictions/0/values/y1"), 1.86);
    }
}

static const struct {
    double x, value, slope;
} sigmoid[] = {
    {-10, 4.539787e-05, 4.539581e-05},
    {-5, 6.692851e-03, 6.648057e-03},
    {-2, .119203, .104994},
    {0, .5, .25},
    {2, .880797, .104994},
    {5, .993307, 6.648057e-03},
    {10, .9999546, 4.539581e-05},
};

// The squared error's derivative is 1 half a unit above the target, so the input's gradient is the
// sigmoid's slope.
LOOP_TEST(the_gradient_of_a_sigmoid_vanishes, sizeof sigmoid / sizeof *sigmoid)
{
    import("{\"name\":\"sigmoid\",\"layers\":[{\"weight\":[[1]],\"activation\":\"sigmoid\"}]}");
    double x = sigmoid[_i].x, y = 1 / (1 + exp(-x));
    const struct reply *r = post("sigmoid", "predict", text("{\"instances\":[[%g]]}", x));
    ck_assert_double_eq_tol(number_at(r, "/predictions/0/value"), sigmoid[_i].value,
                            fmax(1e-6 * sigmoid[_i].value, 5e-13));
    r = post("sigmoid", "trace", text("{\"instances\":[[%g]],\"targets\":[%.17g]}", x, y - .5));
    ck_assert_double_eq_tol(traced(r, "input", "gradients", 0, 0), sigmoid[_i].slope,
                            5e-6 * sigmoid[_i].slope);
}
