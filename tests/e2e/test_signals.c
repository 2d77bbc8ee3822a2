// SPDX-License-Identifier: MIT
// Hangups, rotated logs and streams that are not there: none of them ends a daemon.

#include "client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static size_t count(const char *path, const char *words)
{
    size_t n = 0;
    char *log = file_text(path, NULL);
    for (const char *at = log; at && (at = strstr(at, words)); at++)
        n++;
    free(log);
    return n;
}

static void wait_words(const char *path, const char *words, size_t n)
{
    for (int i = 0; i < 10000 && count(path, words) < n; i++)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    ck_assert_uint_eq(count(path, words), n);
}

TEST(a_hangup_ends_nothing)
{
    struct daemon d;
    daemon_start(&d);
    for (size_t i = 1; i <= 3; i++) {
        kill(d.pid, SIGHUP);
        wait_words(d.log, "hangup ignored", i);
        expect_status(http(&d, "GET", "/healthz", NULL), 200);
    }
    daemon_end(&d);
}

TEST(a_log_that_was_moved_away_goes_on_in_a_new_file)
{
    struct daemon d;
    struct stat st;
    char log[100], old[104];
    daemon_init(&d);
    snprintf(log, sizeof log, "%s/own.log", d.dir);
    snprintf(old, sizeof old, "%s.1", log);
    d.flag = "--log-file";
    d.value = log;
    daemon_restart(&d);
    ck_assert_int_eq(rename(log, old), 0);
    kill(d.pid, SIGHUP);
    wait_words(log, "log opened anew", 1);
    ck_assert(stat(log, &st) == 0 && (st.st_mode & 0777) == 0600);
    daemon_stop(&d);
    ck_assert_uint_eq(count(log, "event=stopped"), 1);
    ck_assert_uint_eq(count(old, "event=listening"), 1);
    ck_assert_uint_eq(count(old, "event=stop"), 0);
    ck_assert_uint_eq(count(d.log, "event="), 0);
    daemon_end(&d);
}

TEST(a_log_that_cannot_be_opened_anew_goes_on_where_it_was)
{
    struct daemon d;
    char log[100], old[104];
    daemon_init(&d);
    snprintf(log, sizeof log, "%s/own.log", d.dir);
    snprintf(old, sizeof old, "%s.1", log);
    d.flag = "--log-file";
    d.value = log;
    daemon_restart(&d);
    ck_assert(rename(log, old) == 0 && mkdir(log, 0700) == 0);
    kill(d.pid, SIGHUP);
    wait_words(old, "log not opened anew", 1);
    daemon_end(&d);
}

TEST(a_daemon_without_standard_streams_keeps_its_log_out_of_its_files)
{
    struct daemon d;
    char log[100], target[100];
    daemon_init(&d);
    snprintf(log, sizeof log, "%s/own.log", d.dir);
    d.flag = "--log-file";
    d.value = log;
    d.streams = CLOSED;
    setenv("MLPD_CORE_DUMPS", "true", 1); // else its descriptors are for root to see
    daemon_restart(&d);
    unsetenv("MLPD_CORE_DUMPS");
    for (int fd = 0; fd < 3; fd++) {
        ssize_t n = readlink(text("/proc/%d/fd/%d", d.pid, fd), target, sizeof target - 1);
        ck_assert_int_gt(n, 0);
        target[n] = '\0';
        ck_assert_str_eq(target, "/dev/null");
    }
    upload_file(&d, "iris", "tests/data/iris_train.csv");
    train(&d, "{\"dataset\":\"iris\",\"target\":\"species\",\"training\":{\"epochs\":3}}");
    daemon_end(&d);
}

TEST(a_daemon_outlives_its_terminal)
{
    struct daemon d;
    daemon_init(&d);
    d.streams = TERMINAL;
    daemon_restart(&d);
    close(d.terminal);
    upload_file(&d, "iris", "tests/data/iris_train.csv");
    train(&d, "{\"dataset\":\"iris\",\"target\":\"species\",\"training\":{\"epochs\":3}}");
    kill(d.pid, SIGHUP);
    expect_status(http(&d, "GET", "/healthz", NULL), 200);
    daemon_end(&d);
}

TEST(a_log_that_cannot_be_opened_is_refused)
{
    static char out[4096];
    const char *const args[] = {"--log-file", "/nonexistent/log", "--listen", "127.0.0.1:0", NULL};
    ck_assert_int_eq(mlpd(args, out, sizeof out), 2);
    ck_assert_msg(strstr(out, "/nonexistent/log"), "%s", out);
}
