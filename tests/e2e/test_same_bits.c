// SPDX-License-Identifier: MIT
// The same job gives the same model: again, on a restarted daemon, with any number of threads. A
// model's file holds its definition, threads included, so models of different numbers of threads
// are compared by their answers, which are printed so that every bit shows.

#include "client.h"

#include <stdlib.h>
#include <string.h>

static const char rows[] =
    "{\"instances\":[[-122.2,37.8,52,3503,752,1504,734,3.27,\"NEAR BAY\"],"
    "[-118.1,34.1,20,100,null,300,90,8.5,\"INLAND\"],[-120,36,30,2000,400,1000,380,2.5,null]]}";

static const char *train_digest(const struct daemon *d, const char *name, int threads)
{
    train(d, text("{\"name\":\"%s\",\"dataset\":\"homes\",\"target\":\"median_house_value\","
                  "\"model\":{\"layers\":[96,48]},\"training\":{\"epochs\":2,\"threads\":%d},"
                  "\"seed\":11}",
                  name, threads));
    return string_at(http(d, "GET", text("/models/%s", name), NULL), "/digest");
}

static const char *answers(const struct daemon *d, const char *name)
{
    const struct reply *r = http(d, "POST", text("/models/%s/predict", name), rows);
    expect_status(r, 200);
    return strstr(r->body, "\"predictions\"");
}

TEST(the_same_job_gives_the_same_model)
{
    struct daemon d;
    daemon_start(&d);
    upload_file(&d, "homes", "tests/data/california_housing_test.csv");
    const char *digest = train_digest(&d, "homes", 1), *values = answers(&d, "homes");
    ck_assert_str_eq(train_digest(&d, "homes", 1), digest);
    for (int threads = 2; threads <= 3; threads++) {
        const char *name = text("homes-%d", threads);
        train_digest(&d, name, threads);
        ck_assert_str_eq(answers(&d, name), values);
    }
    daemon_kill(&d);
    daemon_restart(&d);
    ck_assert_str_eq(answers(&d, "homes"), values);
    ck_assert_str_eq(train_digest(&d, "homes", 1), digest);
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
    const char *one = string_at(http(&d, "GET", "/models/iris?version=1", NULL), "/digest");
    const char *two = string_at(http(&d, "GET", "/models/iris?version=2", NULL), "/digest");
    ck_assert_str_ne(one, two);
    daemon_end(&d);
}
