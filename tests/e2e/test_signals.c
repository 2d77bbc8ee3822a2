// SPDX-License-Identifier: MIT
// Hangups, rotated logs and streams that are not there: none of them ends a daemon.

#include "tests/e2e/scene.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static int make_folder(const char *path)
{
    return mkdir(path, 0700);
}

static int make_pipe(const char *path)
{
    return mkfifo(path, 0600);
}

// What has the log's name, and cannot be written to or would be waited for.
static int (*const no_log[])(const char *path) = {make_folder, make_pipe};

LOOP_TEST(a_log_that_cannot_be_opened_anew_goes_on_where_it_was, sizeof no_log / sizeof *no_log)
{
    struct daemon d;
    char log[100], old[104];
    daemon_init(&d);
    snprintf(log, sizeof log, "%s/own.log", d.dir);
    snprintf(old, sizeof old, "%s.1", log);
    d.flag = "--log-file";
    d.value = log;
    daemon_restart(&d);
    ck_assert(rename(log, old) == 0 && no_log[_i](log) == 0);
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
    if (!daemon_has_terminals())
        return;
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

// Its log would stop it at the first line.
TEST(a_daemon_behind_another_program_on_its_terminal_goes_on)
{
    struct daemon d;
    if (!daemon_has_terminals())
        return;
    daemon_init(&d);
    d.streams = BACKGROUND;
    daemon_restart(&d);
    expect_status(http(&d, "GET", "/healthz", NULL), 200);
    daemon_end(&d);
    close(d.terminal);
}

TEST(a_daemon_outlives_a_limit_on_its_files)
{
    enum { LIMIT = 1 << 20, TABLE = LIMIT + 4096 };
    struct daemon d;
    daemon_init(&d);
    d.file_limit = LIMIT;
    daemon_restart(&d);
    char *csv = malloc(TABLE + 1);
    for (size_t i = 0; i < TABLE; i += 8)
        memcpy(csv + i, i ? "1234,12\n" : "aaaa,bb\n", 8);
    csv[TABLE] = '\0';
    expect_status(http(&d, "POST", "/datasets?name=big", csv), 507);
    free(csv);
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

// Whether the process is the daemon yet: before, it has this program's own handlers.
static bool is_daemon(const struct daemon *d)
{
    char exe[512];
    ssize_t n = readlink(text("/proc/%d/exe", d->pid), exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    const char *name = strrchr(exe, '/');
    return name && strcmp(name, "/mlpd") == 0;
}

static void wait_until_caught(const struct daemon *d, int number)
{
    unsigned long long caught = 0;
    for (int i = 0; i < 10000 && !(caught >> (number - 1) & 1); i++) {
        bool begun = is_daemon(d);
        char *status = file_text(text("/proc/%d/status", d->pid), NULL), *at;
        if (begun && status && (at = strstr(status, "SigCgt:")))
            sscanf(at, "SigCgt: %llx", &caught);
        free(status);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert(caught >> (number - 1) & 1);
}

// With so many variables it cannot start itself anew, so it has a thread that main() has not made.
static void crowd_environment(bool on)
{
    enum { MANY = 4200 };
    for (int i = 0; i < MANY; i++)
        if (on)
            setenv(text("CROWD_%d", i), "", 1);
        else
            unsetenv(text("CROWD_%d", i));
}

// The start stands still where it queues again what the last daemon left running. Whoever stops it
// there must not have that death excused.
LOOP_TEST(a_signal_that_comes_during_the_start_ends_it, 2)
{
    struct daemon d;
    sqlite3 *db;
    daemon_start(&d);
    upload_slow(&d);
    int id = submit(&d, slow_job);
    wait_status(&d, id, "running");
    daemon_kill(&d);
    ck_assert_int_eq(sqlite3_open(text("%s/mlpd.db", d.data), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    crowd_environment(_i == 1);
    daemon_launch(&d);
    crowd_environment(false);
    wait_until_caught(&d, SIGTERM);
    kill(d.pid, SIGTERM);
    ck_assert_int_eq(daemon_wait_end(&d), 0);
    ck_assert_uint_eq(count(d.log, "told to stop during the start"), 1);
    ck_assert_int_ne(access(text("%s/mlpd.stopped", d.data), F_OK), 0);
    sqlite3_close(db);
    daemon_restart(&d);
    const struct reply *r = http(&d, "GET", text("/jobs/%d", id), NULL);
    ck_assert_double_eq(number_at(r, "/deaths"), 1);
    daemon_end(&d);
}
