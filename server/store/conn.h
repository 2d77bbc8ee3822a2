// SPDX-License-Identifier: MIT
#pragma once

// A connection to SQLite with its statements. Used by the store's files and its tests only.

#include "engine/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>

struct sqlite3;
struct sqlite3_stmt;

enum { CONN_STATEMENTS = 96, CONN_BUSY_MS = 5000 };

// The text of a statement and where it stands. All of them are constants, made by SQL_TEXT only,
// which lists them where the linker gathers them: from sql_listed up to sql_listed_end. A test
// looks at how SQLite would run each.
struct sql_text {
    const char *text, *file;
    int line;
};

extern const struct sql_text *const sql_listed[] __asm__("__start_sql_texts");
extern const struct sql_text *const sql_listed_end[] __asm__("__stop_sql_texts");

#define SQL_TEXT(sql)                                                                              \
    (__extension__({                                                                               \
        static const struct sql_text listed_ = {sql, __FILE__, __LINE__};                          \
        static const struct sql_text *const link_ __attribute__((section("sql_texts"), used)) =    \
            &listed_;                                                                              \
        &listed_;                                                                                  \
    }))

struct conn {
    struct sqlite3 *db;
    bool writer;  // set once it may write: until then a disk that fails is an error and no abort
    bool damaged; // by SQLite's word the file is, and the disk did not fail
    bool bad; // the file is damaged or cannot be read: a writer writes no more, a reader is closed
    struct {
        const struct sql_text *text;
        struct sqlite3_stmt *st;
    } cache[CONN_STATEMENTS];
    int n_cached;
};

// Open one connection and set it up. A reader cannot write and cannot checkpoint.
bool conn_open(struct conn *c, const char *path, bool writer, struct err *e);
void conn_close(struct conn *c);

// Whether closing a writer writes the log back and removes it. It does, unless told to keep it.
void conn_keep_log(struct conn *c, bool keep);

// What a result code of SQLite means. Always false. Aborts when the disk has failed under the
// writer.
bool conn_fail(struct conn *c, int code, struct err *e);

// Whether the disk did not give what was last read, whatever SQLite makes of it.
bool conn_disk_failed(struct conn *c);

// The calling thread's reads end as soon as *gone is true: see store_watch(). NULL: no longer.
void conn_watch(const atomic_bool *gone);

// False, with ERR_CANCELLED, when a reader's client has gone.
bool conn_awaited(const struct conn *c, struct err *e);
