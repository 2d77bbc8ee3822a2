// SPDX-License-Identifier: MIT
// Connections: how they are set up, what SQLite's result codes mean, and how a read ends whose
// client has gone.
//
// A read or write error under the writer ends the process: after a failed flush the kernel may have
// dropped the pages, and only a restart finds out what the disk holds. Damage is another matter.
// Nothing was lost by looking at it, so the writer only writes no more and what can be read stays
// readable. A reader that has met either is closed after use and opened anew.

#include "server/store/conn.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIELD_MAX = 64 << 20, WATCH_STEPS = 1000 };

static const char common_settings[] = "PRAGMA foreign_keys = ON;"
                                      "PRAGMA trusted_schema = OFF;"
                                      "PRAGMA cell_size_check = ON;"
                                      "PRAGMA mmap_size = 0;";
static const char writer_settings[] = "PRAGMA journal_mode = WAL;"
                                      "PRAGMA synchronous = FULL;"
                                      "PRAGMA journal_size_limit = 67108864;"
                                      "PRAGMA wal_autocheckpoint = 1000;";

// Result codes -----------------------------------------------------------------------------------

#define MEMORY "no memory is left for the database, try again"
#define DAMAGED "the database is damaged, restore a backup"

// An extended code stands before its family. After DAMAGE nothing is written; DISK ends the process
// when it happens to the writer.
static const struct meaning {
    int code;
    enum err_kind kind;
    enum { PASSES, DAMAGE, DISK } then;
    const char *text;
} meanings[] = {
    {SQLITE_FULL, ERR_NO_SPACE, PASSES, "could not write to the database"},
    {SQLITE_BUSY, ERR_BUSY, PASSES, "the database is busy, try again"},
    {SQLITE_LOCKED, ERR_BUSY, PASSES, "the database is busy, try again"},
    {SQLITE_PROTOCOL, ERR_BUSY, PASSES, "the database is busy, try again"},
    {SQLITE_CANTOPEN, ERR_BUSY, PASSES, "could not open the database, try again"},
    {SQLITE_NOMEM, ERR_BUSY, PASSES, MEMORY},
    {SQLITE_IOERR_NOMEM, ERR_BUSY, PASSES, MEMORY},
    {SQLITE_IOERR_SHMMAP, ERR_BUSY, PASSES, MEMORY},
    {SQLITE_IOERR_SHMOPEN, ERR_BUSY, PASSES, "could not open the database, try again"},
    {SQLITE_TOOBIG, ERR_TOO_LARGE, PASSES, "could not use the database"},
    {SQLITE_CONSTRAINT_TRIGGER, ERR_CONFLICT, PASSES, "could not use the database"},
    {SQLITE_CONSTRAINT_UNIQUE, ERR_CONFLICT, PASSES, "could not use the database"},
    {SQLITE_INTERRUPT, ERR_CANCELLED, PASSES, "the client has gone"},
    {SQLITE_CORRUPT, ERR_INTERNAL, DAMAGE, DAMAGED},
    {SQLITE_NOTADB, ERR_INTERNAL, DAMAGE, DAMAGED},
    {SQLITE_IOERR, ERR_INTERNAL, DISK, "could not read the database"},
};

static struct meaning meaning_of(int code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (code == meanings[i].code || (code & 0xff) == meanings[i].code)
            return meanings[i];
    return (struct meaning){code, ERR_INTERNAL, PASSES, "could not use the database"};
}

static int last_errno(struct sqlite3_file *f)
{
    int n = 0;
    if (f && f->pMethods)
        f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &n);
    return n;
}

// SQLite tells of a page that the disk could not read as of one that makes no sense. The system's
// own word on the last failure, of the database or its log, is still there.
bool conn_disk_failed(struct conn *c)
{
    static const int which[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};
    for (size_t i = 0; c->db && i < sizeof which / sizeof *which; i++) {
        struct sqlite3_file *f = NULL;
        sqlite3_file_control(c->db, "main", which[i], &f);
        int n = last_errno(f);
        if (n == EIO || n == ENXIO || n == ERANGE)
            return true;
    }
    return false;
}

bool conn_fail(struct conn *c, int code, struct err *e)
{
    bool misread = (code & 0xff) == SQLITE_CORRUPT && conn_disk_failed(c);
    code = misread ? SQLITE_IOERR_READ : code;
    struct meaning m = meaning_of(code);
    const char *why = c->db && !misread ? sqlite3_errmsg(c->db) : sqlite3_errstr(code);
    if (m.then == DISK && c->writer) {
        fprintf(stderr, "mlpd: the disk failed under the database (%s, code %d), stopping\n", why,
                code);
        abort();
    }
    c->damaged |= m.then == DAMAGE;
    c->bad |= m.then != PASSES;
    return fail(e, m.kind, "%s: %s", m.text, why);
}

// Whose answer is awaited ------------------------------------------------------------------------

static _Thread_local const atomic_bool *watched;

void conn_watch(const atomic_bool *gone)
{
    watched = gone;
}

static int client_has_gone(void *ctx)
{
    (void)ctx;
    return watched && atomic_load_explicit(watched, memory_order_relaxed);
}

bool conn_awaited(const struct conn *c, struct err *e)
{
    return c->writer || !client_has_gone(NULL) || fail(e, ERR_CANCELLED, "the client has gone");
}

// Opening and closing ----------------------------------------------------------------------------

static bool run_settings(struct conn *c, const char *text, struct err *e)
{
    int rc = sqlite3_exec(c->db, text, NULL, NULL, NULL);
    return rc == SQLITE_OK || conn_fail(c, rc, e);
}

static bool conn_set_up(struct conn *c, bool writer, struct err *e)
{
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, CONN_BUSY_MS);
    sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, FIELD_MAX);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (!writer)
        sqlite3_progress_handler(c->db, WATCH_STEPS, client_has_gone, NULL);
    return run_settings(c, common_settings, e) && (!writer || run_settings(c, writer_settings, e));
}

bool conn_open(struct conn *c, const char *path, bool writer, struct err *e)
{
    *c = (struct conn){0};
    int how = writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int rc = sqlite3_open_v2(path, &c->db, how | SQLITE_OPEN_NOMUTEX, NULL);
    bool ok = rc == SQLITE_OK ? conn_set_up(c, writer, e) : conn_fail(c, rc, e);
    if (!ok)
        conn_close(c);
    return ok;
}

void conn_keep_log(struct conn *c, bool keep)
{
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL);
}

void conn_close(struct conn *c)
{
    for (int i = 0; i < c->n_cached; i++)
        sqlite3_finalize(c->cache[i].st);
    if (c->db && c->bad) // leave a damaged file as it is
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int rc = sqlite3_close(c->db);
    BUG(rc != SQLITE_OK);
    *c = (struct conn){0};
}
