// SPDX-License-Identifier: MIT
// Whatever address space there is: the daemon serves and trains, or says what is missing and ends.
// It never waits for memory that nobody gives. The limits of the harness are the only clock.

#include "tests/e2e/client.h"

#include <string.h>

// Sanitizers need terabytes.
#ifndef MLPD_SANITIZED

static const size_t space[] = {100, 150, 250, 400, 650, 900, 1100, 1300, 1700, 2500}; // MiB
enum { SPACES = sizeof space / sizeof *space };

static void use(struct daemon *d)
{
    upload_file(d, "iris", "tests/data/iris_train.csv");
    int job = submit(d, "{\"dataset\":\"iris\",\"target\":\"species\","
                        "\"training\":{\"epochs\":3,\"threads\":8}}");
    wait_status(d, job, "succeeded");
    expect_status(http(d, "POST", "/models/iris/predict", "{\"instances\":[[5,3,1.5,0.2]]}"), 200);
    daemon_stop(d);
}

LOOP_TEST(a_daemon_with_little_address_space_works_or_says_what_it_lacks, SPACES)
{
    struct daemon d;
    const char *why = "";
    if (daemon_start_within(&d, space[_i], &why))
        use(&d);
    else
        ck_assert_msg(strstr(why, "address space"), "%zu MiB: it says \"%s\"", space[_i], why);
    daemon_end(&d);
}

TEST(enough_address_space_is_enough)
{
    struct daemon d;
    const char *why = "";
    ck_assert_msg(daemon_start_within(&d, space[SPACES - 1], &why), "%s", why);
    use(&d);
    daemon_end(&d);
}

#endif
