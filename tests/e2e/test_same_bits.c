// SPDX-License-Identifier: MIT
// The same job gives the same model: again, on a restarted daemon, with any number of threads: the
// same digest of the weights, and the same answers, which are printed so that every bit shows.

#include "tests/e2e/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rows[] =
    "{\"instances\":[[-122.2,37.8,52,3503,752,1504,734,3.27,\"NEAR BAY\"],"
    "[-118.1,34.1,20,100,null,300,90,8.5,\"INLAND\"],[-120,36,30,2000,400,1000,380,2.5,null]]}";

enum { DIGEST = 65, ANSWERS = 4096 };

// Replies are reused while a job is waited for, so both are copied.
static void train_digest(const struct daemon *d, const char *name, int threads, char digest[DIGEST])
{
    train(d, text("{\"name\":\"%s\",\"dataset\":\"homes\",\"target\":\"median_house_value\","
                  "\"model\":{\"layers\":[96,48]},\"training\":{\"epochs\":2,\"threads\":%d},"
                  "\"seed\":11}",
                  name, threads));
    const struct reply *r = http(d, "GET", text("/models/%s", name), NULL);
    snprintf(digest, DIGEST, "%s", string_at(r, "/weights_sha256"));
}

static void answers(const struct daemon *d, const char *name, char out[ANSWERS])
{
    const struct reply *r = http(d, "POST", text("/models/%s/predict", name), rows);
    expect_status(r, 200);
    snprintf(out, ANSWERS, "%s", strstr(r->body, "\"predictions\""));
}

TEST(the_same_job_gives_the_same_model)
{
    struct daemon d;
    char first[DIGEST], digest[DIGEST], first_values[ANSWERS], values[ANSWERS];
    daemon_start(&d);
    upload_file(&d, "homes", "tests/data/california_housing_test.csv");
    train_digest(&d, "homes", 1, first);
    answers(&d, "homes", first_values);
    for (int threads = 1; threads <= 3; threads++) {
        train_digest(&d, "again", threads, digest);
        ck_assert_str_eq(digest, first);
        answers(&d, "again", values);
        ck_assert_str_eq(values, first_values);
    }
    daemon_kill(&d);
    daemon_restart(&d);
    answers(&d, "homes", values);
    ck_assert_str_eq(values, first_values);
    train_digest(&d, "homes", 1, digest);
    ck_assert_str_eq(digest, first);
    daemon_end(&d);
}

TEST(another_seed_gives_another_model)
{
    struct daemon d;
    daemon_start(&d);
    upload_file(&d, "iris", "tests/data/iris_train.csv");
    for (int seed = 1; seed <= 2; seed++)
        train(&d, text("{\"dataset\":\"iris\",\"target\":\"species\",\"seed\":%d,"
                       "\"training\":{\"epochs\":2}}",
                       seed));
    const char *one = string_at(http(&d, "GET", "/models/iris?version=1", NULL), "/weights_sha256");
    const char *two = string_at(http(&d, "GET", "/models/iris?version=2", NULL), "/weights_sha256");
    ck_assert_str_ne(one, two);
    daemon_end(&d);
}
