// SPDX-License-Identifier: MIT
// Models from outside: what is taken in, and what is refused, with its place.

#include "api/files/import.h"
#include "tests/harness.h"
#include "api/json/jsonw.h"
#include "engine/model/predict.h"
#include "api/files/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct faults faults;
static struct err err;
static struct model_file file;

static bool import_bytes(const char *body, size_t len, const struct import_query *q)
{
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    faults_init(&faults, &arena);
    err = (struct err){0};
    return import_read(body, len, q, &file, &arena, &faults, &err);
}

static bool import_text(const char *body)
{
    return import_bytes(body, strlen(body), &(struct import_query){0});
}

// The model's answer to one row, [answer_width].
static const double *answer(const real *x)
{
    struct predictor p;
    double *out = arena_need(&arena, answer_width(&file.model.answer), sizeof *out);
    ck_assert(predictor_init(&p, &file.model, PREDICT_ROWS, &arena, &err));
    predictor_run(&p, x, NULL, 1, out, NULL);
    return out;
}

static void near_to(double got, double want)
{
    ck_assert_msg(fabs(got - want) <= 1e-6 * fmax(1, fabs(want)), "%.9g in place of %.9g", got,
                  want);
}

TEST(a_model_in_json_answers_as_its_weights_say)
{
    ck_assert_msg(import_text("{\"name\":\"m\",\"classes\":[\"a\",\"b\"],\"layers\":["
                              "{\"weight\":[[0.1,0.2],[0.3,0.4],[0.5,0.6]],\"bias\":[0.1,0.2,0.3],"
                              "\"activation\":\"relu\"},"
                              "{\"weight\":[[0.1,0.2,0.3],[0.4,0.5,0.6]],\"bias\":[0.1,0.2],"
                              "\"activation\":\"softmax\"}]}"),
                  "%s", err.text);
    ck_assert_uint_eq(file.model.spec.n_layer, 1);
    const double *p = answer((real[]){1, 2});
    near_to(p[0], .219257);
    near_to(p[1], .780743);
}

TEST(after_an_activation_that_no_loss_brings_along_follows_an_identity_layer)
{
    ck_assert(import_text("{\"name\":\"m\",\"layers\":[{\"weight\":[[2]],\"bias\":[1],"
                          "\"activation\":\"tanh\"}]}"));
    ck_assert_uint_eq(file.model.spec.n_layer, 1);
    near_to(answer((real[]){.25})[0], tanh(1.5));
}

TEST(one_sigmoid_output_tells_two_classes_apart)
{
    ck_assert(import_text("{\"name\":\"m\",\"task\":\"classification\",\"layers\":[{\"weight\":"
                          "[[1]],\"activation\":\"sigmoid\"}]}"));
    ck_assert_uint_eq(file.model.spec.n_layer, 0);
    near_to(answer((real[]){2})[1], .880797);
}

TEST(norms_take_their_parameters_by_name)
{
    ck_assert_msg(import_text("{\"name\":\"m\",\"layers\":[{\"weight\":[[1]],\"norm\":\"batch\","
                              "\"parameters\":{\"norm.running_mean\":[3],\"norm.running_var\":[4],"
                              "\"norm.weight\":[10],\"norm.bias\":[1]}},{\"weight\":[[1]]}]}"),
                  "%s", err.text);
    near_to(answer((real[]){7})[0], 10 * 4 / sqrt(4 + 1e-5) + 1);
}

TEST(every_layer_takes_its_own_parameters)
{
    ck_assert_msg(
        import_text("{\"name\":\"m\",\"layers\":[{\"weight\":[[1]],\"norm\":\"batch\","
                    "\"parameters\":{\"norm.running_mean\":[3],\"norm.running_var\":[4]}},"
                    "{\"weight\":[[1]]},{\"weight\":[[1]],\"norm\":\"batch\","
                    "\"parameters\":{\"norm.weight\":[5],\"norm.bias\":[7]}},"
                    "{\"weight\":[[1]]}]}"),
        "%s", err.text);
    near_to(answer((real[]){7})[0], 5 * 4 / sqrt(4 + 1e-5) / sqrt(1 + 1e-5) + 7);
}

static const struct {
    const char *body, *pointer, *code;
} refused[] = {
    {"{\"name\":\"m\"}", "/layers", "missing_field"},
    {"{\"name\":\"m\",\"layers\":[]}", "/layers", "too_short"},
    {"{\"name\":\"m\",\"inputs\":[\"\\u001b[2J\"],\"layers\":[{\"weight\":[[1]]}]}", "/inputs/0",
     "bad_name"},
    {"{\"name\":\"m\",\"targets\":[\"y\\u202e\"],\"layers\":[{\"weight\":[[1]]}]}", "/targets/0",
     "bad_name"},
    {"{\"name\":\"m\",\"layers\":[{}]}", "/layers/0/weight", "missing_field"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[]}]}", "/layers/0/weight", "wrong_type"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[]]}]}", "/layers/0/weight", "wrong_type"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1,2],[3]]}]}", "/layers/0/weight/1", "ragged_row"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1,\"2\"]]}]}", "/layers/0/weight/0/1",
     "wrong_type"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1,1e39]]}]}", "/layers/0/weight/0/1", "not_finite"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1]],\"bias\":[1,2]}]}", "/layers/0/bias",
     "wrong_shape"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1],[2]]},{\"weight\":[[1]]}]}", "/layers/1/weight",
     "wrong_shape"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1]],\"activation\":\"relo\"}]}",
     "/layers/0/activation", "unknown_value"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1]],\"norm\":\"batch\",\"parameters\":"
     "{\"norm.running_men\":[1]}}]}",
     "/layers/0/parameters/norm.running_men", "unknown_field"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1]],\"norm\":\"batch\",\"parameters\":"
     "{\"norm.running_mean\":[1,2]}}]}",
     "/layers/0/parameters/norm.running_mean", "wrong_shape"},
    {"{\"name\":\"m\",\"inputs\":[\"a\"],\"layers\":[{\"weight\":[[1,2]]}]}", "/inputs",
     "conflicting_fields"},
    {"{\"name\":\"m\",\"classes\":[\"a\",\"b\",\"c\"],\"layers\":[{\"weight\":[[1],[2]]}]}",
     "/classes", "conflicting_fields"},
    {"{\"name\":\"m\",\"task\":\"regression\",\"classes\":[\"a\",\"b\"],\"layers\":"
     "[{\"weight\":[[1],[2]]}]}",
     "/classes", "conflicting_fields"},
    {"{\"name\":\"m\",\"targets\":[\"a\"],\"layers\":[{\"weight\":[[1],[2]]}]}", "/targets",
     "conflicting_fields"},
    {"{\"name\":\"m\",\"loss\":\"mse\",\"classes\":[\"a\",\"b\"],\"layers\":[{\"weight\":[[1]]}]}",
     "/loss", NULL},
};

// Found by a review: each was taken in, and some read past what was given.
static const struct {
    const char *body, *pointer;
} taken_once[] = {
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1,2],[3,4]],\"parameters\":{\"weight\":[7,8]}},"
     "{\"weight\":[[1,1]]}]}",
     "/layers/0/parameters/weight"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1,2]],\"parameters\":{\"bias\":[7]}}]}",
     "/layers/0/parameters/bias"},
    {"{\"name\":\"m\",\"loss\":\"cross_entropy\",\"classes\":[\"a\",\"b\"],\"layers\":"
     "[{\"weight\":[[1,2]],\"bias\":[3]}]}",
     "/layers/0/weight"},
    {"{\"name\":\"m\",\"loss\":\"binary_cross_entropy\",\"classes\":[\"a\",\"b\"],\"layers\":"
     "[{\"weight\":[[1],[2]]}]}",
     "/layers/0/weight"},
    {"{\"name\":\"m\",\"loss\":\"gaussian_nll\",\"layers\":[{\"weight\":[[1],[2],[3]]}]}",
     "/layers/0/weight"},
    {"{\"name\":\"m\",\"loss\":\"gaussian_nll\",\"layers\":[{\"weight\":[[1]]}]}",
     "/layers/0/weight"},
    {"{\"name\":\"m\",\"inputs\":[\"a\",\"a\"],\"layers\":[{\"weight\":[[1,2]]}]}", "/inputs/1"},
    {"{\"name\":\"m\",\"targets\":[\"a\",\"a\"],\"layers\":[{\"weight\":[[1],[2]]}]}",
     "/targets/1"},
    {"{\"name\":\"m\",\"classes\":[\"a\",\"a\"],\"layers\":[{\"weight\":[[1],[2]]}]}",
     "/classes/1"},
    {"{\"name\":\"m\",\"inputs\":[\"a\",\"y\"],\"layers\":[{\"weight\":[[1,2]]}]}", "/targets/0"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1],[2],[3]],\"activation\":\"glu\"},"
     "{\"weight\":[[1]]}]}",
     "/layers/0/activation"},
    {"{\"name\":\"m\",\"layers\":[{\"weight\":[[1]],\"norm\":\"batch\",\"parameters\":"
     "{\"norm.running_var\":[-1]}},{\"weight\":[[1]]}]}",
     "/layers/0/parameters/norm.running_var"},
};

LOOP_TEST(nothing_is_taken_in_that_the_network_has_no_place_for,
          sizeof taken_once / sizeof *taken_once)
{
    ck_assert(!import_text(taken_once[_i].body));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_str_eq(faults.n ? faults.item[0].pointer : err.at, taken_once[_i].pointer);
}

// n layers of one unit, the last with or without an activation.
static bool import_deep(int n, const char *last)
{
    static char body[1 << 14];
    char *p = body + sprintf(body, "{\"name\":\"m\",\"layers\":[");
    for (int i = 0; i < n; i++)
        p += sprintf(p, "%s{\"weight\":[[1]],\"activation\":\"%s\"}", i ? "," : "",
                     i + 1 < n ? "tanh" : last);
    strcpy(p, "]}");
    return import_text(body);
}

TEST(the_layer_that_is_added_for_an_activation_counts_too)
{
    ck_assert_msg(import_deep(LAYERS_MAX + 1, "identity"), "%s", err.text);
    ck_assert_msg(import_deep(LAYERS_MAX, "tanh"), "%s", err.text);
    ck_assert(!import_deep(LAYERS_MAX + 1, "tanh"));
    ck_assert_str_eq(faults.item[0].pointer, "/layers");
}

// {"weight": rows x cols of ones}
static bool import_wide(size_t rows, size_t cols, const char *more)
{
    static char body[1 << 20];
    char *p = body + sprintf(body, "{\"name\":\"m\",\"layers\":[{\"weight\":[");
    for (size_t r = 0; r < rows; r++) {
        p += sprintf(p, "%s[1", r ? "," : "");
        for (size_t c = 1; c < cols; c++)
            p += sprintf(p, ",1");
        p += sprintf(p, "]");
    }
    sprintf(p, "]%s}]}", more);
    return import_text(body);
}

TEST(a_model_that_could_not_be_read_again_is_not_taken_in)
{
    ck_assert(!import_wide(70000, 1, ",\"activation\":\"tanh\""));
    ck_assert_str_eq(faults.n ? faults.item[0].pointer : err.at, "/layers/0/weight");
    ck_assert(!import_wide(2000, 1, ""));
    ck_assert(!import_wide(1, 17000, ""));
    ck_assert_str_eq(faults.n ? faults.item[0].pointer : err.at, "/layers/0/weight");
}

// Without g given, a norm of the weights changes nothing: g is their own length.
TEST(a_norm_of_weights_keeps_the_weights_that_are_given)
{
    ck_assert_msg(import_text("{\"name\":\"m\",\"layers\":[{\"weight\":[[3,4],[1,1]],\"norm\":"
                              "\"weight\"},{\"weight\":[[1,1]]}]}"),
                  "%s", err.text);
    near_to(answer((real[]){1, 1})[0], 9);
}

LOOP_TEST(what_does_not_fit_is_refused_with_its_place, sizeof refused / sizeof *refused)
{
    ck_assert(!import_text(refused[_i].body));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    const char *place = faults.n ? faults.item[0].pointer : err.at;
    ck_assert_msg(strcmp(place, refused[_i].pointer) == 0, "%s in place of %s: %s", place,
                  refused[_i].pointer, err.text);
    if (refused[_i].code)
        ck_assert_str_eq(faults.item[0].code, refused[_i].code);
}

// A file of two linear layers as another program writes it: tensors in the order of their names.
struct strange {
    const char *name;
    uint32_t rows, cols;
    bool vector;
};

static size_t write_strange(const struct strange *t, size_t n, float value, char *out, size_t max)
{
    struct tensor_entry entry[8];
    size_t at = 0, len;
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    for (size_t i = 0; i < n; i++) {
        entry[i] = (struct tensor_entry){t[i].name, t[i].rows, t[i].cols, t[i].vector, at};
        at += (size_t)t[i].rows * t[i].cols;
    }
    const char *header = safetensors_header(NULL, 0, entry, n, &len, &arena, &err);
    ck_assert_uint_le(len + at * sizeof value, max);
    memcpy(out, header, len);
    for (size_t i = 0; i < at; i++)
        memcpy(out + len + i * sizeof value, &value, sizeof value);
    return len + at * sizeof value;
}

TEST(linear_layers_of_a_strange_file_are_taken_in_natural_order)
{
    static const struct strange t[] = {
        {"net.10.bias", 1, 1, true}, {"net.10.weight", 1, 2, false}, {"net.2.weight", 2, 3, false}};
    char body[4096];
    size_t len = write_strange(t, 3, .5f, body, sizeof body);
    ck_assert_msg(import_bytes(body, len, &(struct import_query){"m", "identity"}), "%s", err.text);
    near_to(answer((real[]){1, 2, 3})[0], 2 * .5 * 3 + .5);
}

// In whichever order they lie in the file.
LOOP_TEST(layers_without_numbers_are_taken_in_the_order_of_letters, 2)
{
    static const struct strange t[] = {
        {"head.weight", 1, 2, false}, {"body.weight", 2, 3, false}, {"head.weight", 1, 2, false}};
    char body[4096];
    size_t len = write_strange(t + _i, 2, .5f, body, sizeof body);
    ck_assert_msg(import_bytes(body, len, &(struct import_query){"m", "identity"}), "%s", err.text);
    near_to(answer((real[]){1, 2, 3})[0], 2 * .5 * 3);
}

static const struct {
    struct strange t[3];
    size_t n;
    float value;
    struct import_query query;
    const char *says;
} strange_refused[] = {
    {{{"0.weight", 2, 3, false}, {"1.weight", 1, 3, false}}, 2, 1, {"m", NULL}, "1.weight"},
    {{{"0.weight", 2, 3, false}, {"0.bias", 1, 3, true}}, 2, 1, {"m", NULL}, "0.bias"},
    {{{"0.weight", 1, 3, false}, {"1.bias", 1, 1, true}}, 2, 1, {"m", NULL}, "bias without"},
    {{{"0.scale", 2, 3, false}}, 1, 1, {"m", NULL}, "0.scale"},
    {{{"0.bias", 1, 3, true}}, 1, 1, {"m", NULL}, "no linear layer"},
    {{{"0.weight", 2, 3, false}}, 1, NAN, {"m", NULL}, "not finite"},
    {{{"0.weight", 2, 3, false}}, 1, 1, {NULL, NULL}, "\"name\""},
    {{{"0.weight", 2, 3, false}}, 1, 1, {"m", "relo"}, "relo"},
};

LOOP_TEST(a_strange_file_that_is_no_stack_is_refused,
          sizeof strange_refused / sizeof *strange_refused)
{
    char body[4096];
    size_t len = write_strange(strange_refused[_i].t, strange_refused[_i].n,
                               strange_refused[_i].value, body, sizeof body);
    ck_assert(!import_bytes(body, len, &strange_refused[_i].query));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_msg(strstr(err.text, strange_refused[_i].says), "%s", err.text);
}

// Every prefix of a good body fails, and says so.
TEST(no_piece_of_a_body_is_taken_for_the_whole)
{
    static const char whole[] = "{\"name\":\"m\",\"layers\":[{\"weight\":[[1]]}]}";
    for (size_t n = 0; n + 1 < sizeof whole; n++) {
        char part[sizeof whole] = "";
        memcpy(part, whole, n);
        ck_assert(!import_text(part));
        ck_assert_int_ne(err.kind, ERR_NONE);
    }
}
