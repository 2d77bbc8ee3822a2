// SPDX-License-Identifier: MIT
// A job that takes the daemon with it, played by a kill whenever it runs: others go on, and it does
// not get to run for ever.

#include "tests/e2e/scene.h"

#include <sqlite3.h>
#include <string.h>

static const char small[] =
    "{\"dataset\":\"iris\",\"target\":\"species\",\"training\":{\"epochs\":3}}";

static void die(struct daemon *d)
{
    daemon_kill(d);
    daemon_restart(d);
}

// As if the time had passed: while no daemon runs, the pauses are what the database says.
static void skip_pause(struct daemon *d)
{
    sqlite3 *db;
    daemon_kill(d);
    ck_assert_int_eq(sqlite3_open(text("%s/mlpd.db", d->data), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "UPDATE jobs SET run_at = 0", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    daemon_restart(d);
}

static void expect_event(const struct daemon *d, int job, const char *words)
{
    const struct reply *r = http(d, "GET", text("/jobs/%d/events?limit=100", job), NULL);
    ck_assert_msg(strstr(r->body, words), "no \"%s\" in %s", words, r->body);
}

TEST(a_job_under_which_the_daemon_dies_is_set_apart_and_failed_at_the_third)
{
    struct daemon d;
    daemon_start(&d);
    upload_slow(&d);
    upload_file(&d, "iris", "tests/data/iris_train.csv");
    int bad = submit(&d, slow_job);
    wait_status(&d, bad, "running");
    die(&d);
    const struct reply *r = http(&d, "GET", text("/jobs/%d", bad), NULL);
    ck_assert_str_eq(string_at(r, "/status"), "queued");
    ck_assert(cJSON_IsTrue(json_at(r->json, "/runs_alone")));
    ck_assert_double_gt(number_at(r, "/run_at"), number_at(r, "/queued_at"));
    expect_event(&d, bad, "it runs again after 10 s, alone");
    train(&d, small); // though of less priority
    skip_pause(&d);
    wait_status(&d, bad, "running");
    int other = submit(&d, small);
    ck_assert_str_eq(string_at(http(&d, "GET", text("/jobs/%d", other), NULL), "/status"),
                     "queued");
    die(&d);
    expect_event(&d, bad, "it runs again after 60 s, alone");
    ck_assert_double_eq(number_at(wait_status(&d, other, "succeeded"), "/deaths"), 0);
    skip_pause(&d);
    wait_status(&d, bad, "running");
    die(&d);
    r = wait_status(&d, bad, "failed");
    ck_assert_ptr_nonnull(strstr(string_at(r, "/error/message"), "the daemon died 3 times"));
    ck_assert_double_eq(number_at(r, "/deaths"), 3);
    train(&d, small);
    daemon_end(&d);
}

TEST(deaths_of_a_job_that_gets_further_each_time_do_not_set_it_apart)
{
    struct daemon d;
    daemon_start(&d);
    upload_file(&d, "iris", "tests/data/iris_train.csv");
    int id = submit(&d, "{\"dataset\":\"iris\",\"target\":\"species\",\"training\":"
                        "{\"epochs\":100000,\"early_stopping\":null}}");
    double furthest = 0;
    for (int i = 0; i < 4; i++) {
        const struct reply *r;
        do
            r = wait_status(&d, id, "running");
        while (number_at(r, "/progress/epoch") <= furthest);
        furthest = number_at(r, "/progress/epoch") + 1000; // more may be stored before it dies
        die(&d);
        r = http(&d, "GET", text("/jobs/%d", id), NULL);
        ck_assert(cJSON_IsFalse(json_at(r->json, "/runs_alone")));
        ck_assert_double_eq(number_at(r, "/deaths"), i + 1);
    }
    expect_status(http(&d, "POST", text("/jobs/%d/cancel", id), ""), 202);
    wait_status(&d, id, "cancelled");
    daemon_end(&d);
}
