// SPDX-License-Identifier: MIT
// What was acknowledged is done, whatever happens to the daemon in between. Every job of a round is
// the same one, so that nothing is lost and nothing done twice means: as many versions of the model
// as jobs, all of the same bits.

#include "tests/e2e/client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef MLPD_SANITIZED // everything takes some twenty times as long
#define EPOCHS "20"
enum { ROUNDS = 2 };
#else
#define EPOCHS "250"
enum { ROUNDS = 4 };
#endif

enum { JOBS = 6, LONGEST_MS = 250 };

static const char job[] =
    "{\"dataset\":\"iris\",\"target\":\"species\",\"training\":{\"epochs\":" EPOCHS
    ",\"early_stopping\":null}}";

static void start_with_iris(struct daemon *d)
{
    daemon_start(d);
    upload_file(d, "iris", "tests/data/iris_train.csv");
}

static int random_ms(void)
{
    static bool seeded;
    if (!seeded)
        srand((unsigned)(time(NULL) ^ getpid()));
    seeded = true;
    return rand() % LONGEST_MS;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

// Wait for all jobs; the number of runs they took.
static int finish_all(const struct daemon *d, const int *id, int n)
{
    int runs = 0;
    for (int i = 0; i < n; i++)
        runs += (int)number_at(wait_status(d, id[i], "succeeded"), "/attempt");
    return runs;
}

static void check_versions(const struct daemon *d, int n)
{
    const struct reply *first = http(d, "GET", "/models/iris?version=1", NULL);
    ck_assert_double_eq(number_at(http(d, "GET", "/models/iris", NULL), "/version"), n);
    for (int v = 2; v <= n; v++) {
        const struct reply *r = http(d, "GET", text("/models/iris?version=%d", v), NULL);
        ck_assert_str_eq(string_at(r, "/digest"), string_at(first, "/digest"));
    }
    ck_assert_uint_eq(daemon_files(d, "models"), 1);
    ck_assert_uint_eq(daemon_files(d, "tmp"), 0);
}

TEST(acknowledged_jobs_survive_a_killed_daemon)
{
    struct daemon d;
    int id[ROUNDS * JOBS], runs = 0;
    start_with_iris(&d);
    for (int round = 0; round < ROUNDS; round++) {
        int *mine = id + round * JOBS;
        for (int i = 0; i < JOBS; i++)
            mine[i] = submit(&d, job);
        pause_ms(random_ms());
        daemon_kill(&d);
        daemon_restart(&d);
        runs += finish_all(&d, mine, JOBS);
    }
    ck_assert_int_gt(runs, ROUNDS * JOBS); // some did run when it was killed
    check_versions(&d, ROUNDS * JOBS);
    daemon_end(&d);
}

TEST(a_daemon_killed_again_and_again_gets_done)
{
    struct daemon d;
    int id[JOBS];
    start_with_iris(&d);
    for (int i = 0; i < JOBS; i++)
        id[i] = submit(&d, job);
    for (int death = 0; death < 5; death++) {
        pause_ms(random_ms() / 5);
        daemon_kill(&d);
        daemon_restart(&d);
    }
    finish_all(&d, id, JOBS);
    check_versions(&d, JOBS);
    daemon_end(&d);
}

TEST(a_stopped_daemon_puts_its_jobs_back_and_ends_well)
{
    struct daemon d;
    int id[JOBS];
    start_with_iris(&d);
    for (int i = 0; i < JOBS; i++)
        id[i] = submit(&d, job);
    wait_status(&d, id[0], "running");
    daemon_stop(&d); // checks the exit status and the time it takes
    char *log = file_text(d.log, NULL);
    ck_assert_msg(strstr(log, "job released"), "no job was running: %s", log);
    free(log);
    daemon_restart(&d);
    ck_assert_int_eq(finish_all(&d, id, JOBS), JOBS); // an orderly end is no attempt lost
    check_versions(&d, JOBS);
    daemon_end(&d);
}

TEST(a_job_cancelled_before_the_daemon_dies_stays_cancelled)
{
    struct daemon d;
    int id[JOBS];
    start_with_iris(&d);
    for (int i = 0; i < JOBS; i++)
        id[i] = submit(&d, job);
    expect_status(http(&d, "POST", text("/jobs/%d/cancel", id[JOBS - 1]), ""), 202);
    daemon_kill(&d);
    daemon_restart(&d);
    finish_all(&d, id, JOBS - 1);
    wait_status(&d, id[JOBS - 1], "cancelled");
    daemon_end(&d);
}

TEST(a_repeated_key_finds_its_job_after_a_death)
{
    struct daemon d;
    const char *key = "Idempotency-Key: k1";
    start_with_iris(&d);
    const struct reply *r = http_bytes(&d, "POST", "/jobs", job, strlen(job), key);
    expect_status(r, 201);
    daemon_kill(&d);
    daemon_restart(&d);
    const struct reply *again = http_bytes(&d, "POST", "/jobs", job, strlen(job), key);
    expect_status(again, 200);
    ck_assert_double_eq(number_at(again, "/id"), number_at(r, "/id"));
    wait_status(&d, (int)number_at(r, "/id"), "succeeded");
    daemon_end(&d);
}
