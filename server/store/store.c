// SPDX-License-Identifier: MIT
// The store's threads and files: see store.h.
//
// One thread owns the only connection that can write, and with it every checkpoint: SQLite before
// 3.51.3 can lose a commit when one connection resets the log while another checkpoints. Writers
// put a command, which lives on their stack, in a list and wait. The thread takes what is there
// into one transaction, up to 64 commands or 5 ms, with a savepoint for each, and answers all of
// them after the commit: one flush for the whole group. The list needs no bound of its own, since
// a waiting thread has one command in it.
//
// Readers share a pool of read-only connections (readers.h), opened when first needed.

#include "server/store/store.h"

#include "server/base/machine.h"
#include "server/store/migrate.h"
#include "server/store/notice.h"
#include "server/store/readers.h"
#include "server/store/store_access.h"
#include "server/store/store_folder.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GROUP_COMMANDS = 64, GROUP_MS = 5, IDLE_MS = 200 };
enum { CHECK_BYTES = 256 << 20 };

struct command {
    store_fn *fn;
    void *arg;
    struct err err;
    bool ok, done;
    pthread_cond_t answered;
    struct command *next;
};

struct store {
    const struct clock *clock;
    int64_t opened; // wall time minus monotonic time, when it was opened
    struct machine machine;
    struct folder folder;
    struct conn writer;
    pthread_t thread;

    pthread_mutex_t lock; // guards all below
    pthread_cond_t work;  // a command came, or closing
    struct command *first, **last;
    struct store_stats stats;
    bool closing, done;   // asked to end, at the end
    pthread_cond_t ended; // it is
    bool joined;          // of the thread that closes
    struct notice notice;

    struct readers readers;
};

void store_watch(const atomic_bool *gone)
{
    conn_watch(gone);
}

int64_t store_now(const struct store *s)
{
    return clock_wall(s->clock);
}

const struct folder *store_folder(const struct store *s)
{
    return &s->folder;
}

const struct machine *store_machine(const struct store *s)
{
    return &s->machine;
}

struct notice *store_notice(struct store *s)
{
    return &s->notice;
}

int store_dir(const struct store *s)
{
    return s->folder.fd;
}

int64_t store_steady_now(const struct store *s)
{
    return s->opened + clock_mono(s->clock);
}

// Writing --------------------------------------------------------------------------------------

static struct command *take_locked(struct store *s)
{
    struct command *c = s->first;
    if (!c)
        return NULL;
    s->first = c->next;
    if (!s->first)
        s->last = &s->first;
    s->stats.waiting--;
    return c;
}

static struct command *store_take(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    struct command *c = take_locked(s);
    pthread_mutex_unlock(&s->lock);
    return c;
}

static bool run_statement(struct store *s, const struct sql_text *text, struct err *e)
{
    return sql_run(&s->writer, e, NULL, NULL, text, NULL, 0) >= 0;
}

// Run one command inside the group's transaction. False when that cannot go on: SQLite has given it
// up, as it may when disk or memory are full, or has met damage.
static bool run_command(struct store *s, struct command *c, struct err *failed)
{
    if (!run_statement(s, SQL_TEXT("SAVEPOINT command"), failed))
        return false;
    c->ok = c->fn(s, &s->writer, c->arg, &c->err);
    if (sqlite3_get_autocommit(s->writer.db) || s->writer.bad) {
        *failed = c->err;
        return false;
    }
    return (c->ok || run_statement(s, SQL_TEXT("ROLLBACK TO command"), failed)) &&
           run_statement(s, SQL_TEXT("RELEASE command"), failed);
}

static bool begin_group(struct store *s, struct err *e)
{
    if (s->writer.bad)
        return fail(e, ERR_INTERNAL,
                    "the database is damaged, nothing is written any more: restore a backup");
    bool over = sqlite3_get_autocommit(s->writer.db) || run_statement(s, SQL_TEXT("ROLLBACK"), e);
    return over && run_statement(s, SQL_TEXT("BEGIN IMMEDIATE"), e);
}

static void store_answer(struct store *s, struct command *group, const struct err *failed)
{
    pthread_mutex_lock(&s->lock);
    s->stats.commits++;
    for (struct command *c = group, *next; c; c = next) {
        next = c->next;
        s->stats.commands++;
        if (failed->kind) {
            c->ok = false;
            c->err = *failed;
        }
        c->done = true;
        pthread_cond_signal(&c->answered);
    }
    pthread_mutex_unlock(&s->lock);
}

// Commit what was done, or give all of it up. Should even that fail, the next group begins with it.
static void end_group(struct store *s, bool ok, struct err *failed)
{
    if (ok && folder_unchanged(&s->folder, failed) && run_statement(s, SQL_TEXT("COMMIT"), failed))
        return;
    BUG(!failed->kind);
    if (!sqlite3_get_autocommit(s->writer.db))
        run_statement(s, SQL_TEXT("ROLLBACK"), &(struct err){0});
}

static void run_group(struct store *s, struct command *first)
{
    struct command *group = NULL, **end = &group;
    struct err failed = {0};
    int64_t n = 0, stop = clock_mono(&clock_system) + GROUP_MS;
    bool ok = begin_group(s, &failed), more = true;
    for (struct command *c = first; c; c = more ? store_take(s) : NULL) {
        *end = c;
        end = &c->next;
        c->next = NULL;
        ok = ok && run_command(s, c, &failed);
        more = ok && ++n < GROUP_COMMANDS && clock_mono(&clock_system) < stop;
    }
    end_group(s, ok, &failed);
    notice_end(&s->notice);
    store_answer(s, group, &failed);
}

// Bring the log back to nothing. It is only worth trying, so no waiting for readers.
static void truncate_log(struct store *s)
{
    sqlite3_busy_timeout(s->writer.db, 0);
    int rc = sqlite3_wal_checkpoint_v2(s->writer.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY)
        conn_fail(&s->writer, rc, &(struct err){0});
    sqlite3_busy_timeout(s->writer.db, CONN_BUSY_MS);
}

// Wait for a command; NULL when closing, or when nothing came for a while: sooner when the log has
// grown.
static struct command *wait_for_command(struct store *s, bool *closing)
{
    bool dirty = folder_bytes(s->folder.wal) > 0;
    struct timespec until = clock_after(dirty ? IDLE_MS : NOTICE_LOOK_MS);
    int rc = 0;
    pthread_mutex_lock(&s->lock);
    while (!s->first && !s->closing && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&s->work, &s->lock, &until);
    struct command *c = take_locked(s);
    *closing = !c && s->closing;
    pthread_mutex_unlock(&s->lock);
    return c;
}

static void *writer_main(void *arg)
{
    struct store *s = arg;
    for (bool closing = false; !closing;) {
        struct command *c = wait_for_command(s, &closing);
        if (c)
            run_group(s, c);
        else if (!closing && folder_bytes(s->folder.wal) > 0)
            truncate_log(s);
        notice_look(&s->notice, &s->writer);
    }
    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_cond_signal(&s->ended);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

bool store_write(struct store *s, store_fn *fn, void *arg, struct err *e)
{
    struct command c = {.fn = fn, .arg = arg, .answered = PTHREAD_COND_INITIALIZER};
    pthread_mutex_lock(&s->lock);
    if (s->closing) {
        pthread_mutex_unlock(&s->lock);
        pthread_cond_destroy(&c.answered);
        return fail(e, ERR_CANCELLED, "the daemon is stopping");
    }
    *s->last = &c;
    s->last = &c.next;
    s->stats.waiting++;
    pthread_cond_signal(&s->work);
    while (!c.done)
        pthread_cond_wait(&c.answered, &s->lock);
    pthread_mutex_unlock(&s->lock);
    pthread_cond_destroy(&c.answered);
    return c.ok || fail_at(e, c.err.kind, c.err.at, "%s", c.err.text);
}

// Reading --------------------------------------------------------------------------------------

// The names may stand for another database by now, and for it while this one is opened.
static bool reader_open(struct store *s, struct conn *c, struct err *e)
{
    if (!folder_same_database(&s->folder, e) || !conn_open(c, s->folder.db, false, e))
        return false;
    if (folder_same_database(&s->folder, e))
        return true;
    conn_close(c);
    return false;
}

bool store_read(struct store *s, store_fn *fn, void *arg, struct err *e)
{
    struct conn *c = readers_take(&s->readers);
    bool ok = (c->db || reader_open(s, c, e)) && fn(s, c, arg, e);
    if (c->bad)
        conn_close(c);
    readers_give_back(&s->readers, c);
    return ok;
}

// Opening and closing --------------------------------------------------------------------------

// Whether a pragma answers with the given word. It has failed when e is set.
static bool pragma_is(struct store *s, const struct sql_text *pragma, const char *want,
                      struct err *e)
{
    struct arena a;
    arena_init(&a, 1 << 16);
    struct text_out out = {"", &a};
    bool same = sql_run(&s->writer, e, sql_take_text, &out, pragma, NULL, 0) > 0 &&
                strcmp(out.text, want) == 0;
    arena_release(&a);
    return same;
}

// A finding may be that SQLite could not get a page: "unable to get the page. error code=7", or
// without the code "failed to get page 32", when a disk that failed has been ruled out.
static bool finding_is_failure(const char *text, struct err *e)
{
    static const char code[] = "error code";
    const char *at = strstr(text, code);
    int rc = at                                    ? atoi(at + sizeof code)
             : strstr(text, "failed to get page ") ? SQLITE_NOMEM
                                                   : SQLITE_OK;
    struct conn nobody = {0};
    return rc && (rc & 0xff) != SQLITE_CORRUPT && !conn_fail(&nobody, rc, e);
}

// It takes a second for 600 MB. A check that did not come to its end says nothing about the file,
// nor does one that tells of pages which the system did not give.
static bool is_sound(struct store *s, struct err *e)
{
    struct arena a;
    arena_init(&a, 1 << 16);
    struct text_out found = {"", &a};
    struct err why = {0};
    SQL(&s->writer, &why, sql_take_text, &found, "PRAGMA quick_check(1)");
    bool sound = !why.kind && strcmp(found.text, "ok") == 0;
    if (!sound && why.kind && !s->writer.damaged)
        err_pass(e, &why);
    else if (!sound && conn_disk_failed(&s->writer))
        fail(e, ERR_INTERNAL, "could not read the database \"%s\": the disk failed", s->folder.db);
    else if (!sound && !finding_is_failure(found.text, e))
        fail(e, ERR_INTERNAL,
             "\"%s\" is damaged, or \"%s\" is the log of another one: restore a backup, without "
             "a log that does not belong to it",
             s->folder.db, s->folder.wal);
    arena_release(&a);
    return sound;
}

// The whole file is looked at before it is trusted: always while that takes less than half a second
// (0.16 s for 100 MB), and whatever its size after a stop that left a log behind. Until then
// nothing is changed, since a log that belongs to another database would take both along. A small
// one of whole pages can pass the look.
static bool open_database(struct store *s, struct err *e)
{
    struct folder *f = &s->folder;
    bool check = folder_bytes(f->db) < CHECK_BYTES || folder_bytes(f->wal) > 0;
    if (!conn_open(&s->writer, f->db, true, e))
        return false;
    conn_keep_log(&s->writer, true);
    if (!pragma_is(s, SQL_TEXT("PRAGMA journal_mode"), "wal", e))
        return e->kind ? false
                       : fail(e, ERR_INVALID, "\"%s\" is on a file system without shared memory",
                              f->db);
    if (check && !is_sound(s, e))
        return false;
    if (!migrate(s->writer.db, migration_sql, migration_count, e))
        return false;
    folder_remember(f);
    notice_look(&s->notice, &s->writer);
    conn_keep_log(&s->writer, false);
    s->writer.writer = true;
    return true;
}

static void store_init_locks(struct store *s)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->work, &attr);
    pthread_cond_init(&s->ended, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&s->lock, NULL);
    readers_init(&s->readers);
    notice_init(&s->notice);
    s->last = &s->first;
}

static void store_destroy(struct store *s, bool discard)
{
    readers_release(&s->readers);
    conn_close(&s->writer);
    if (discard)
        folder_discard(&s->folder);
    folder_release(&s->folder);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->ended);
    pthread_mutex_destroy(&s->lock);
    notice_release(&s->notice);
    free(s);
}

struct store *store_open(const char *dir, const struct clock *clock, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    BUG(!s);
    s->clock = clock;
    s->opened = clock_wall(clock) - clock_mono(clock);
    s->folder.fd = -1;
    machine_this(&s->machine);
    store_init_locks(s);
    if (folder_take(&s->folder, dir, e) && open_database(s, e)) {
        int rc = pthread_create(&s->thread, NULL, writer_main, s);
        if (rc == 0)
            return s;
        fail(e, ERR_INTERNAL, "could not start the store's thread: %s", strerror(rc));
    }
    store_destroy(s, true);
    return NULL;
}

static void begin_closing(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
}

static void store_end(struct store *s, bool discard)
{
    if (!s)
        return;
    begin_closing(s);
    if (!s->joined)
        pthread_join(s->thread, NULL);
    store_destroy(s, discard);
}

void store_close(struct store *s)
{
    store_end(s, false);
}

// Ids are given out by AUTOINCREMENT, which remembers the last of each table.
static bool ask_new(struct store *s, struct conn *c, void *fresh, struct err *e)
{
    (void)s;
    int64_t n = SQL(c, e, NULL, NULL, "SELECT 1 FROM sqlite_sequence LIMIT 1");
    *(bool *)fresh = n == 0;
    return n >= 0;
}

bool store_is_new(struct store *s, bool *fresh, struct err *e)
{
    *fresh = false;
    return store_read(s, ask_new, fresh, e);
}

void store_discard(struct store *s)
{
    bool fresh = false;
    store_end(s, s && store_is_new(s, &fresh, &(struct err){0}) && fresh);
}

bool store_halt(struct store *s, int ms)
{
    struct timespec until = clock_after(ms);
    int rc = 0;
    begin_closing(s);
    pthread_mutex_lock(&s->lock);
    while (!s->done && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&s->ended, &s->lock, &until);
    bool done = s->done;
    pthread_mutex_unlock(&s->lock);
    if (!done)
        return false;
    pthread_join(s->thread, NULL);
    s->joined = true;
    conn_close(&s->writer);
    return true;
}

struct store_stats store_stats(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    struct store_stats stats = s->stats;
    pthread_mutex_unlock(&s->lock);
    stats.wal_bytes = folder_bytes(s->folder.wal);
    return stats;
}
