// SPDX-License-Identifier: MIT
// Looking inside trained models: the graph, a trace that agrees with predictions, gradients that
// agree with differences.

#include "tests/e2e/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void train_inspected(const char *name, const char *more)
{
    train(scene(), text("{\"name\":\"%s\",\"dataset\":\"iris\",%s,\"training\":{\"epochs\":3}}",
                        name, more));
}

static const char rows[] = "\"instances\":[[5.9,3.0,5.1,1.8],[5.0,3.4,1.5,0.2],[6.1,2.8,4.0,1.3]]";

static const struct reply *post(const char *model, const char *verb, const char *body, int status)
{
    const struct reply *r = http(scene(), "POST", text("/models/%s/%s", model, verb), body);
    expect_status(r, status);
    return r;
}

TEST(a_trace_gives_what_a_prediction_gives)
{
    const struct reply *p = post("iris", "predict", text("{%s}", rows), 200);
    const struct reply *t = post("iris", "trace", text("{%s}", rows), 200);
    const cJSON *last = NULL, *node;
    cJSON_ArrayForEach(node, cJSON_GetObjectItem(t->json, "nodes")) last = node;
    ck_assert_str_eq(cJSON_GetObjectItem(last, "name")->valuestring, "prediction");
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(last, "gradients")));
    for (int i = 0; i < 3; i++) {
        const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(last, "values"), i);
        double got = cJSON_GetArrayItem(row, 2)->valuedouble;
        double want = number_at(p, text("/predictions/%d/probabilities/Iris-virginica", i));
        ck_assert_double_eq_tol(got, want, 1e-6);
    }
}

#define CLASSES "\"targets\":[\"Iris-virginica\",\"Iris-setosa\",\"Iris-versicolor\"]"

static const struct {
    const char *name, *job, *targets;
} glass[] = {
    {"glass-batch",
     "\"target\":\"species\",\"model\":{\"layers\":[8,{\"units\":8,\"activation\":"
     "\"gelu\",\"residual\":1}]}",
     CLASSES},
    {"glass-norms",
     "\"target\":\"species\",\"model\":{\"layers\":[{\"units\":8,\"norm\":\"layer\",\"activation\":"
     "\"prelu\"},{\"units\":8,\"norm\":\"weight\",\"activation\":\"swiglu\"},{\"units\":6,"
     "\"norm\":\"rms\",\"activation\":\"maxout\"},{\"units\":8,\"norm\":{\"type\":\"group\","
     "\"groups\":2},\"activation\":\"rrelu\"}]}",
     CLASSES},
    {"glass-value",
     "\"target\":\"petal_width\",\"loss\":\"huber\",\"model\":{\"layers\":["
     "{\"units\":6,\"activation\":\"mish\"}]}",
     "\"targets\":[1.8,0.2,1.3]"},
    {"glass-poisson",
     "\"target\":\"petal_width\",\"loss\":\"poisson\",\"model\":{\"layers\":["
     "{\"units\":6,\"activation\":\"softplus\",\"norm\":null}]}",
     "\"targets\":[1.8,0.2,1.3]"},
    {"glass-two",
     "\"target\":[\"petal_width\",\"petal_length\"],\"loss\":\"gaussian_nll\","
     "\"model\":{\"layers\":[6]}",
     "\"targets\":[[1.8,5.1],[0.2,1.5],[1.3,4]]"},
};
enum { GLASS = sizeof glass / sizeof *glass };

static const char *rows_for(int i)
{
    return i < 2 ? "\"instances\":[[5.9,3.0,5.1,1.8],[5.0,3.4,1.5,0.2],[6.1,2.8,4.0,1.3]]"
           : i < 4
               ? "\"instances\":[[5.9,3.0,5.1,\"Iris-virginica\"],[5.0,3.4,1.5,\"Iris-setosa\"],"
                 "[6.1,2.8,4.0,\"Iris-versicolor\"]]"
               : "\"instances\":[[5.9,3.0,\"Iris-virginica\"],[5.0,3.4,\"Iris-setosa\"],"
                 "[6.1,2.8,\"Iris-versicolor\"]]";
}

LOOP_TEST(autograd_agrees_with_differences_for_any_model, GLASS)
{
    train_inspected(glass[_i].name, glass[_i].job);
    const char *body = text("{%s,%s}", rows_for(_i), glass[_i].targets);
    const struct reply *r = post(glass[_i].name, "gradcheck", body, 200);
    ck_assert_msg(cJSON_IsTrue(cJSON_GetObjectItem(r->json, "passed")), "%.1500s", r->body);
    ck_assert_double_le(number_at(r, "/worst_error"), 1e-6);
    ck_assert_double_gt(number_at(r, "/parameters/0/checked"), 0);
    r = post(glass[_i].name, "trace", body, 200);
    ck_assert(isfinite(number_at(r, "/loss")));
}

static const struct {
    const char *body, *pointer;
} refused[] = {
    {"{\"instances\":[[1,2,3,4]],\"targets\":[\"Iris-setosa\",\"Iris-setosa\"]}", "#/targets"},
    {"{\"instances\":[[1,2,3,4]],\"targets\":[\"rose\"]}", "#/targets/0"},
    {"{\"instances\":[[1,2,3,4]],\"targets\":[null]}", "#/targets/0"},
    {"{\"instances\":[[1,2,3]],\"targets\":[\"Iris-setosa\"]}", "#/instances/0"},
};

LOOP_TEST(a_target_that_does_not_fit_is_refused, sizeof refused / sizeof *refused)
{
    const struct reply *r = post("iris", _i % 2 ? "trace" : "gradcheck", refused[_i].body, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), refused[_i].pointer);
}

// What a job would refuse in its table, of models of the kinds that are particular about targets.
#define XS "\"data\":{\"x\":[[0],[1],[2],[3],[4],[5],[6],[7],[8],[9]],\"y\":"
#define SHORT "},\"training\":{\"epochs\":1}"
static const struct {
    const char *job, *target;
} particular[] = {
    {XS "[[0,1],[1,0],[0,1],[1,0],[0,1],[1,0],[0,1],[1,0],[0,1],[1,0]]" SHORT
        ",\"task\":\"multilabel\"",
     "[0,2]"},
    {XS "[[0,1],[1,0],[0,1],[1,0],[0,1],[1,0],[0,1],[1,0],[0,1],[1,0]]" SHORT
        ",\"task\":\"distribution\"",
     "[0.5,0.6]"},
    {XS "[[0,1],[1,0],[0,1],[1,0],[0,1],[1,0],[0,1],[1,0],[0,1],[1,0]]" SHORT
        ",\"task\":\"distribution\"",
     "[-0.5,1.5]"},
    {XS "[3,1,2,3,1,2,3,1,2,3]" SHORT ",\"loss\":\"poisson\"", "-1"},
    {XS "[3,1,2,3,1,2,3,1,2,3]" SHORT ",\"loss\":\"gamma\"", "0"},
};

LOOP_TEST(a_target_that_a_job_would_refuse_is_refused, sizeof particular / sizeof *particular)
{
    train(scene(), text("{\"name\":\"particular%d\",%s}", _i, particular[_i].job));
    for (int i = 0; i < 2; i++) {
        const struct reply *r =
            post(text("particular%d", _i), i ? "trace" : "gradcheck",
                 text("{\"instances\":[[1]],\"targets\":[%s]}", particular[_i].target), 422);
        ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/targets/0");
    }
}

TEST(a_loss_that_is_not_finite_is_not_checked)
{
    expect_status(
        http(scene(), "POST", "/models", "{\"name\":\"far\",\"layers\":[{\"weight\":[[1]]}]}"),
        201);
    const char *body = "{\"instances\":[[1]],\"targets\":[1e300]}";
    const struct reply *r = post("far", "gradcheck", body, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/targets/0");
    post("far", "trace", body, 422);
    body = "{\"instances\":[[1]],\"targets\":[1e30]}"; // a float, but not its square
    r = post("far", "trace", body, 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/targets");
}

TEST(gradients_need_targets)
{
    const struct reply *r = post("iris", "gradcheck", text("{%s}", rows), 422);
    ck_assert_str_eq(string_at(r, "/errors/0/pointer"), "#/targets");
    expect_status(http(scene(), "POST", "/models/nothing/trace", text("{%s}", rows)), 404);
}

static const char *const graphs[] = {"train", "serve", "loss"};

LOOP_TEST(a_graph_is_shown_as_json_dot_and_picture, 3)
{
    const struct reply *r =
        http(scene(), "GET", text("/models/iris/graph?graph=%s", graphs[_i]), NULL);
    expect_status(r, 200);
    const cJSON *nodes = cJSON_GetObjectItem(r->json, "nodes"), *node;
    int index = 0;
    cJSON_ArrayForEach(node, nodes)
    {
        const cJSON *in;
        ck_assert_int_eq(cJSON_GetObjectItem(node, "index")->valueint, index);
        cJSON_ArrayForEach(in, cJSON_GetObjectItem(node, "inputs"))
            ck_assert_int_lt(in->valueint, index);
        index++;
    }
    const struct reply *dot =
        http(scene(), "GET", text("/models/iris/graph?graph=%s&format=dot", graphs[_i]), NULL);
    expect_status(dot, 200);
    ck_assert(strncmp(dot->body, "digraph model {", 15) == 0);
    const struct reply *svg =
        http(scene(), "GET", text("/models/iris/graph?graph=%s&format=svg", graphs[_i]), NULL);
    expect_status(svg, 200);
    ck_assert_str_eq(svg->media, "image/svg+xml");
    cJSON_ArrayForEach(node, nodes) // every name is in the picture
        ck_assert_ptr_nonnull(strstr(svg->body, cJSON_GetObjectItem(node, "name")->valuestring));
    ck_assert_ptr_nonnull(strstr(svg->body, "</svg>"));
}

static const struct {
    const char *path, *accept, *media, *begins;
} forms[] = {
    {"graph.json", NULL, "application/json", "{\"model\":\"iris\""},
    {"graph.svg?graph=serve", NULL, "image/svg+xml", "<svg "},
    {"graph.dot", "Accept: image/svg+xml", "text/vnd.graphviz", "digraph"},
    {"graph.svg?format=dot", NULL, "image/svg+xml", "<svg "},
    {"graph", "Accept: text/html, image/svg+xml;q=0.8, */*;q=0.7", "image/svg+xml", "<svg "},
    {"graph", "Accept: text/*", "text/vnd.graphviz", "digraph"},
    {"graph?format=dot", "Accept: application/json", "text/vnd.graphviz", "digraph"},
};

LOOP_TEST(a_graph_comes_in_the_form_that_is_asked_for, sizeof forms / sizeof *forms)
{
    const struct reply *r = http_bytes(scene(), "GET", text("/models/iris/%s", forms[_i].path),
                                       NULL, 0, forms[_i].accept);
    expect_status(r, 200);
    ck_assert_str_eq(r->media, forms[_i].media);
    ck_assert(strncmp(r->body, forms[_i].begins, strlen(forms[_i].begins)) == 0);
}

TEST(a_graph_that_there_is_not_is_refused)
{
    expect_status(http(scene(), "GET", "/models/iris/graph.pdf", NULL), 404);
    expect_status(http_bytes(scene(), "GET", "/models/iris/graph", NULL, 0, "Accept: audio/mp3"),
                  406);
    expect_status(http(scene(), "GET", "/models/iris/graph?format=pdf", NULL), 422);
    expect_status(http(scene(), "GET", "/models/iris/graph?graph=none", NULL), 422);
    expect_status(http(scene(), "GET", "/models/nothing/graph", NULL), 404);
}

// Values and gradients: 400 x 400 weights and 400 biases, twice, and some rows of 400.
TEST(a_trace_that_is_too_long_says_how_long_it_would_be)
{
    enum { N = 400 };
    char *body = malloc(2 * N * (N + 8)), *p = body;
    p += sprintf(p, "{\"name\":\"broad\",\"layers\":[{\"weight\":[");
    for (int i = 0; i < N; i++) {
        *p++ = '[';
        for (int k = 0; k < N; k++)
            p += sprintf(p, "0%s", k < N - 1 ? "," : "]");
        p += sprintf(p, "%s", i < N - 1 ? "," : "]}]}");
    }
    expect_status(http(scene(), "POST", "/models", body), 201);
    p = body + sprintf(body, "{\"instances\":[[");
    for (int k = 0; k < N; k++)
        p += sprintf(p, "0%s", k < N - 1 ? "," : "]],\"targets\":[[");
    for (int k = 0; k < N; k++)
        p += sprintf(p, "1%s", k < N - 1 ? "," : "]]}");
    const struct reply *r = post("broad", "trace", body, 422);
    int told = 0;
    ck_assert_int_eq(
        sscanf(string_at(r, "/errors/0/detail"), "the trace would have %d numbers", &told), 1);
    ck_assert(told > 2 * N * (N + 1) && told < 2 * N * (N + 1) + 8 * N);
    free(body);
}
