// SPDX-License-Identifier: MIT
// See scene.h.

#include "tests/e2e/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct daemon shared;

const char endless_job[] = "{\"name\":\"endless\",\"dataset\":\"iris\",\"target\":\"species\","
                           "\"training\":{\"epochs\":100000,\"early_stopping\":null}}";

const char slow_job[] =
    "{\"dataset\":\"slow\",\"target\":\"y\",\"priority\":5,\"model\":{\"layers\":"
    "[{\"units\":256,\"norm\":null},{\"units\":256,\"norm\":null}]},"
    "\"training\":{\"batch_size\":1,\"epochs\":100}}";

void upload_slow(const struct daemon *d)
{
    enum { ROWS = 100000, ROW = 10 };
    char *csv = malloc(ROWS * ROW), *at = csv;
    at += sprintf(at, "x,y\n");
    for (int i = 0; i < ROWS; i++)
        at += sprintf(at, "%d,%d\n", i % 97, i % 89);
    upload_text(d, "slow", csv);
    free(csv);
}

const struct daemon *scene(void)
{
    return &shared;
}

static void make_shop(void)
{
    static const char *const town[] = {"Bern", "Oslo", "Rome", ""};
    char csv[4096] = "area,town,price\n";
    for (int i = 0; i < 80; i++)
        sprintf(csv + strlen(csv), "%d,%s,%d\n", 20 + i, town[i % 4], 1000 * (20 + i) + i % 4);
    upload_text(&shared, "shop", csv);
    train(&shared, "{\"dataset\":\"shop\",\"target\":\"price\",\"training\":{\"epochs\":20},"
                   "\"model\":{\"layers\":[8]}}");
}

static void set_scene(void)
{
    daemon_start(&shared);
    upload_file(&shared, "iris", "tests/data/iris_train.csv");
    train(&shared, "{\"dataset\":\"iris\",\"target\":\"species\"}");
    int job = submit(&shared, endless_job);
    expect_status(http(&shared, "POST", text("/jobs/%d/cancel", job), ""), 202);
    wait_status(&shared, job, "cancelled");
    make_shop();
}

static void strike_scene(void)
{
    const char *wrong = daemon_try_stop(&shared);
    daemon_remove(&shared);
    if (!wrong)
        return;
    fprintf(stderr, "the daemon of all tests ended badly: %s\n", wrong);
    exit(EXIT_FAILURE);
}

__attribute__((constructor)) static void add(void)
{
    harness_around(set_scene, strike_scene);
}
