// SPDX-License-Identifier: MIT
// Whoever asks for a stop may ask twice. A stop lasts for as long as the test keeps the database from
// being written.

#include "scene.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

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
