// SPDX-License-Identifier: MIT
// A job for every symptom that trains as badly as a job can, and the job that mends it; and jobs
// with nothing wrong.

#include "tests/e2e/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The same numbers on every machine: a small linear congruential generator.
static double dice(unsigned *state)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) / 16777216.;
}

static double bell(unsigned *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += dice(state);
    return sum;
}

static void upload_tables(void)
{
    static char csv[1 << 16];
    unsigned state = 7;
    char *end = csv + sprintf(csv, "a,y\n");
    for (int i = 0; i < 200; i++) {
        double a = bell(&state);
        end += sprintf(end, "%.3f,%.3f\n", a, 2 * a + bell(&state) / 2);
    }
    upload_text(scene(), "line", csv);
    end = csv + sprintf(csv, "a,b,y\n");
    for (int i = 0; i < 200; i++)
        end += sprintf(end, "%d,%d,%s\n", i & 1, i >> 1 & 1, ((i ^ i >> 1) & 1) ? "yes" : "no");
    upload_text(scene(), "xor", csv);
    end = csv + sprintf(csv, "a,b,c,d,e,y\n");
    for (int i = 0; i < 120; i++)
        for (int k = 0; k < 6; k++)
            end += sprintf(end, "%.3f%s", bell(&state), k < 5 ? "," : "\n");
    upload_text(scene(), "noise", csv);
}

#define IRIS "\"dataset\":\"iris\",\"target\":\"species\",\"schedule\":\"constant\","
#define LINE "\"dataset\":\"line\",\"target\":\"y\",\"schedule\":\"constant\","
#define PLAIN(units, act)                                                                          \
    "{\"units\":" #units ",\"activation\":\"" act "\",\"norm\":null,\"dropout\":0}"
#define EPOCHS(n) "\"training\":{\"epochs\":" #n ",\"early_stopping\":null}"
#define FREE "\"regularization\":{\"gradient_clip_norm\":null},"

static const struct {
    const char *code, *job, *ends;
} ill[] = {
    {"vanishing_gradients",
     "{" IRIS "\"model\":{\"layers\":[" PLAIN(16, "sigmoid") "," PLAIN(16, "sigmoid") "," PLAIN(
         16,
         "sigmoid") "," PLAIN(16,
                              "sigmoid") "," PLAIN(16,
                                                   "sigmoid") "," PLAIN(16,
                                                                        "sigmoid") "]}," EPOCHS(20) "}",
     "succeeded"},
    {"exploding_gradients",
     "{" LINE FREE "\"optimizer\":{\"type\":\"sgd\",\"lr\":1e6},\"model\":{\"layers\":[" PLAIN(
         16, "relu") "," PLAIN(16, "relu") "]}," EPOCHS(20) "}",
     "failed"},
    {"dead_relus",
     "{" IRIS "\"optimizer\":{\"type\":\"adam\",\"lr\":3},\"model\":{\"layers\":[" PLAIN(
         32, "relu") "," PLAIN(32, "relu") "]}," EPOCHS(20) "}",
     "succeeded"},
    {"saturated_activations",
     "{" IRIS "\"preprocessing\":{\"numeric\":\"none\"},\"optimizer\":{\"type\":\"adam\",\"lr\":5},"
     "\"model\":{\"layers\":[" PLAIN(32, "sigmoid") "]}," EPOCHS(20) "}",
     "succeeded"},
    {"rate_too_high",
     "{" IRIS FREE "\"optimizer\":{\"type\":\"sgd\",\"lr\":30},\"model\":{\"layers\":[" PLAIN(
         16, "tanh") "]}," EPOCHS(30) "}",
     "succeeded"},
    {"rate_too_low",
     "{" IRIS "\"optimizer\":{\"type\":\"adam\",\"lr\":1e-7},\"model\":{\"layers\":[" PLAIN(
         16, "relu") "]}," EPOCHS(20) "}",
     "succeeded"},
    {"overfitting",
     "{\"dataset\":\"noise\",\"target\":\"y\",\"schedule\":\"constant\",\"optimizer\":"
     "{\"type\":\"adam\",\"lr\":0.001},\"model\":{\"layers\":[" PLAIN(128, "relu") "," PLAIN(
         128, "relu") "]}," EPOCHS(300) "}",
     "succeeded"},
    {"underfitting",
     "{\"dataset\":\"xor\",\"target\":\"y\",\"model\":{\"layers\":[]}," EPOCHS(30) "}",
     "succeeded"},
    {"plateau",
     "{" LINE "\"optimizer\":{\"type\":\"adam\",\"lr\":0.01},\"model\":{\"layers\":[" PLAIN(
         8, "tanh") "]}," EPOCHS(200) "}",
     "succeeded"},
};
enum { ILL = sizeof ill / sizeof *ill };

static const cJSON *find(const struct reply *r, const char *code)
{
    const cJSON *f;
    cJSON_ArrayForEach(f, cJSON_GetObjectItem(r->json, "findings"))
    {
        if (strcmp(cJSON_GetObjectItem(f, "code")->valuestring, code) == 0)
            return f;
    }
    return NULL;
}

static const struct reply *diagnose(int job)
{
    const struct reply *r = http(scene(), "GET", text("/jobs/%d/diagnosis", job), NULL);
    expect_status(r, 200);
    return r;
}

LOOP_TEST(every_symptom_is_named_and_the_job_that_comes_with_it_mends_it, ILL)
{
    upload_tables();
    int job = submit(scene(), ill[_i].job);
    wait_status(scene(), job, ill[_i].ends);
    const struct reply *r = diagnose(job);
    const cJSON *f = find(r, ill[_i].code);
    ck_assert_msg(f, "\"%s\" is not found: %.800s", ill[_i].code, r->body);
    char *body = cJSON_PrintUnformatted(cJSON_GetObjectItem(f, "job"));
    int mended = submit(scene(), body);
    free(body);
    wait_status(scene(), mended, "succeeded");
    r = diagnose(mended);
    ck_assert_msg(!find(r, ill[_i].code), "\"%s\" is not mended: %.800s", ill[_i].code, r->body);
}

// The data went with the job.
TEST(a_definition_that_lacks_its_data_says_so)
{
    int with = submit(scene(), "{\"data\":{\"x\":[[0],[1],[2],[3]],\"y\":[0,1,2,3]},"
                               "\"training\":{\"epochs\":1}}");
    wait_status(scene(), with, "succeeded");
    const struct reply *r = diagnose(with);
    ck_assert_str_eq(string_at(r, "/job_lacks/0"), "data");
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(diagnose(1)->json, "job_lacks")), 0);
}

TEST(nothing_is_found_where_nothing_is_wrong)
{
    const struct reply *r = diagnose(1); // iris with all defaults
    ck_assert_msg(cJSON_IsTrue(cJSON_GetObjectItem(r->json, "healthy")), "%s", r->body);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(r->json, "findings")), 0);
}

// A rate so low that the loss mostly trembles must not be lowered.
TEST(a_slow_job_is_not_told_to_go_slower)
{
    int job =
        submit(scene(), "{\"dataset\":\"iris\",\"target\":\"species\",\"optimizer\":\"lion\","
                        "\"model\":{\"layers\":[{\"units\":16,\"activation\":\"mish\",\"norm\":"
                        "\"layer\"}]}}");
    wait_status(scene(), job, "succeeded");
    const struct reply *r = diagnose(job);
    ck_assert_msg(!find(r, "rate_too_high"), "%.400s", r->body);
}

TEST(every_layer_has_a_curve_for_every_epoch)
{
    const struct reply *r = http(scene(), "GET", "/jobs/1/layers", NULL);
    expect_status(r, 200);
    int epochs = cJSON_GetArraySize(cJSON_GetObjectItem(r->json, "epoch"));
    const struct reply *m = http(scene(), "GET", "/jobs/1/metrics", NULL);
    ck_assert_int_eq(epochs, cJSON_GetArraySize(cJSON_GetObjectItem(
                                 cJSON_GetObjectItem(m->json, "columns"), "epoch")));
    ck_assert_str_eq(string_at(r, "/layers/0/name"), "layers.0");
    ck_assert_str_eq(string_at(r, "/layers/2/name"), "output");
    ck_assert_double_gt(number_at(r, "/layers/0/grad_norm/0"), 0);
    ck_assert_double_gt(number_at(r, "/layers/2/weight_norm/0"), 0);
    double dead = number_at(r, "/layers/1/dead/0");
    ck_assert(dead >= 0 && dead <= 1);
    ck_assert_int_eq(epochs, cJSON_GetArraySize(cJSON_GetObjectItem(
                                 cJSON_GetArrayItem(cJSON_GetObjectItem(r->json, "layers"), 2),
                                 "update_ratio")));
}

// A job without an epoch has nothing to be told of, and says so. The last waits while the others
// have the daemon's two workers.
TEST(a_job_that_has_not_begun_is_neither_healthy_nor_ill)
{
    int job[3];
    for (int i = 0; i < 3; i++)
        job[i] = submit(scene(), endless_job);
    const struct reply *r = diagnose(job[2]);
    ck_assert_double_eq(number_at(r, "/epochs"), 0);
    ck_assert_msg(cJSON_IsNull(cJSON_GetObjectItem(r->json, "healthy")), "%s", r->body);
    for (int i = 2; i >= 0; i--)
        expect_status(http(scene(), "POST", text("/jobs/%d/cancel", job[i]), ""), 202);
    expect_status(http(scene(), "GET", "/jobs/999999/diagnosis", NULL), 404);
    expect_status(http(scene(), "GET", "/jobs/999999/layers", NULL), 404);
}
