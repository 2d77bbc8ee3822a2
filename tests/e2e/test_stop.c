// SPDX-License-Identifier: MIT
// Whoever asks for a stop may ask twice, and may lose patience before the stop is done: neither is
// held against a job that was running. A stop lasts for as long as the test keeps the database from
// being written.

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

static struct sqlite3 *open_database(const struct daemon *d)
{
    struct sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(text("%s/mlpd.db", d->data), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    return db;
}

static int number_in(const struct daemon *d, const char *sql)
{
    struct sqlite3 *db = open_database(d);
    struct sqlite3_stmt *st;
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
    int n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static struct sqlite3 *keep_from_writing(const struct daemon *d)
{
    struct sqlite3 *db = open_database(d);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static size_t stops_begun(const struct daemon *d)
{
    size_t n = 0;
    char *log = file_text(d->log, NULL);
    for (const char *at = log; at && (at = strstr(at, "event=stopping")); at++)
        n++;
    free(log);
    return n;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

// Tell it to stop. Returns once it has heard that.
static void tell_stop(const struct daemon *d)
{
    size_t before = stops_begun(d);
    kill(d->pid, SIGTERM);
    for (int i = 0; i < 10000 && stops_begun(d) == before; i++)
        pause_ms(1);
    ck_assert_uint_eq(stops_begun(d), before + 1);
}

// Tell a daemon that runs the job to stop, and then again by both signals. False when the machine
// was too slow for that to be at once.
static bool told_at_once(struct daemon *d, int *status)
{
    enum { AT_ONCE_MS = 500 };
    struct sqlite3 *db = keep_from_writing(d);
    double first = now_ms();
    tell_stop(d);
    kill(d->pid, SIGTERM);
    kill(d->pid, SIGINT);
    bool at_once = now_ms() < first + AT_ONCE_MS;
    sqlite3_close(db);
    *status = daemon_wait_end(d);
    return at_once;
}

TEST(a_stop_that_is_told_several_times_at_once_is_orderly)
{
    struct daemon d;
    int status;
    daemon_start(&d);
    upload_slow(&d);
    int id = submit(&d, slow_job);
    wait_status(&d, id, "running");
    for (int i = 0; !told_at_once(&d, &status); i++) {
        ck_assert_int_lt(i, 20);
        daemon_restart(&d);
        wait_status(&d, id, "running");
    }
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
    ck_assert_int_eq(number_in(&d, "SELECT count(*) FROM jobs WHERE state = 'queued' AND blame = 0 "
                                   "AND deaths = 0 AND attempt = 0"),
                     1);
    daemon_end(&d);
}

// What ends a daemon that is stopping.
static const struct impatience {
    int number, after_ms;
    int status; // as of waitpid(2)
} impatience[] = {
    {SIGKILL, 0, SIGKILL},
    {SIGTERM, 1100, SIGTERM},
    {SIGINT, 1100, SIGINT},
    {SIGALRM, 0, 3 << 8}, // its own deadline
};

LOOP_TEST(a_stop_that_is_cut_off_blames_no_job, sizeof impatience / sizeof *impatience)
{
    const struct impatience *row = &impatience[_i];
    struct daemon d;
    setenv("TSAN_OPTIONS", "report_thread_leaks=0", 1); // what is cut off joins nobody
    daemon_start(&d);
    upload_slow(&d);
    int id = submit(&d, slow_job);
    for (int i = 0; i < 3; i++) {
        wait_status(&d, id, "running"); // at once, each time
        struct sqlite3 *db = keep_from_writing(&d);
        tell_stop(&d);
        pause_ms(row->after_ms);
        kill(d.pid, row->number);
        ck_assert_int_eq(daemon_wait_end(&d), row->status);
        sqlite3_close(db);
        ck_assert_int_eq(number_in(&d, "SELECT count(*) FROM jobs WHERE state = 'running'"), 1);
        daemon_restart(&d);
    }
    const struct reply *r = wait_status(&d, id, "running");
    ck_assert(cJSON_IsFalse(json_at(r->json, "/runs_alone")));
    ck_assert_double_eq(number_at(r, "/attempt"), 1);
    ck_assert_double_eq(number_at(r, "/deaths"), 0);
    daemon_kill(&d); // nobody asked for that
    daemon_restart(&d);
    r = http(&d, "GET", text("/jobs/%d", id), NULL);
    ck_assert(cJSON_IsTrue(json_at(r->json, "/runs_alone")));
    daemon_end(&d);
    unsetenv("TSAN_OPTIONS");
}

static void fill(int fd)
{
    static const char block[4096];
    while (write(fd, block, sizeof block) > 0)
        ;
}

// Its stdout and stderr are a pipe from now on. The end that could be read.
static int make_pipe(struct daemon *d)
{
    snprintf(d->log, sizeof d->log, "%.64s/pipe", d->dir);
    ck_assert_int_eq(mkfifo(d->log, 0600), 0);
    int fd = open(d->log, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static int descriptor_flags(const struct daemon *d, int fd)
{
    unsigned flags = 0;
    char *info = file_text(text("/proc/%d/fdinfo/%d", d->pid, fd), NULL), *at;
    if (info && (at = strstr(info, "flags:")))
        sscanf(at, "flags: %o", &flags);
    free(info);
    return (int)flags;
}

static void wait_number(const struct daemon *d, const char *sql)
{
    for (int i = 0; i < 20000 && number_in(d, sql) == 0; i++)
        pause_ms(2);
    ck_assert_int_eq(number_in(d, sql), 1);
}

static const char runs[] = "SELECT count(*) FROM jobs WHERE state = 'running'",
                  blamed[] = "SELECT count(*) FROM jobs WHERE deaths = 1",
                  released[] = "SELECT count(*) FROM jobs WHERE state = 'queued' AND deaths = 0 "
                               "AND attempt = 0";

// When nobody reads any more what the daemon says on stdout and stderr, about a job that its
// predecessor left.
static const struct unread {
    bool from_start;
    void (*end_before)(struct daemon *d);
    const char *begun, *after; // what is so when it is told to stop, and when it has ended
    int number;                // of a signal that it tells of
} unread[] = {
    {true, daemon_kill, blamed, blamed, 0}, // a line about the job is its first
    {true, daemon_stop, runs, released, 0},
    {false, daemon_stop, runs, released, 0},
    {false, daemon_stop, runs, released, SIGHUP},
};

LOOP_TEST(a_daemon_whose_words_nobody_reads_goes_on_and_stops, sizeof unread / sizeof *unread)
{
    const struct unread *row = &unread[_i];
    struct daemon d;
    daemon_start(&d);
    upload_slow(&d);
    int id = submit(&d, slow_job);
    wait_status(&d, id, "running");
    row->end_before(&d);
    int fd = make_pipe(&d);
    if (row->from_start)
        fill(fd);
    setenv("MLPD_CORE_DUMPS", "true", 1); // else its descriptors are for root to see
    daemon_launch(&d);
    unsetenv("MLPD_CORE_DUMPS");
    snprintf(d.log, sizeof d.log, "%.64s/none", d.dir); // it is not to be read
    wait_number(&d, row->begun);
    fill(fd);
    for (int of = STDOUT_FILENO; of <= STDERR_FILENO; of++)
        ck_assert_msg(descriptor_flags(&d, of) & O_NONBLOCK, "descriptor %d", of);
    if (row->number)
        kill(d.pid, row->number);
    kill(d.pid, SIGTERM);
    ck_assert_int_eq(daemon_wait_end(&d), 0);
    ck_assert_int_eq(number_in(&d, row->after), 1);
    close(fd);
    daemon_end(&d);
}
