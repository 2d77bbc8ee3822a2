// SPDX-License-Identifier: MIT
#pragma once

// Inside of the store, shared by store*.c and its tests only: a connection with its statements, and
// the two ways to reach one. Nothing here outlives the call it is used in.

#include "server/store/store.h"

struct sqlite3;
struct sqlite3_stmt;

enum { CONN_STATEMENTS = 64, CONN_BUSY_MS = 5000 };

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
    bool writer; // set once it may write: until then a disk that fails is an error and no abort
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

// What a result code of SQLite means. Always false. Aborts when the disk has failed under the
// writer.
bool conn_fail(struct conn *c, int code, struct err *e);

// False, with ERR_CANCELLED, when a reader's client has gone: see store_watch().
bool conn_awaited(const struct conn *c, struct err *e);

// Work on a connection. For a write, false undoes all that it has written.
typedef bool store_fn(struct store *s, struct conn *c, void *arg, struct err *e);

// Run `fn` on the writing thread as a part of a transaction; returns when that is committed, or
// when `fn` or the commit has failed. The caller stands still meanwhile, so `fn` may use its arena.
bool store_write(struct store *s, store_fn *fn, void *arg, struct err *e);

// The data folder, taken.
const struct folder *store_folder(const struct store *s);

// Run `fn` on a reading connection, in the calling thread.
bool store_read(struct store *s, store_fn *fn, void *arg, struct err *e);

// The time for people to read, and one that nobody can set, for jobs.run_at: the wall time at which
// the store was opened, and what has passed since by the monotonic clock.
int64_t store_now(const struct store *s);
int64_t store_steady_now(const struct store *s);

// A value for a `?` of a statement.
struct sql_arg {
    enum { ARG_NULL, ARG_INT, ARG_REAL, ARG_TEXT, ARG_BLOB } type;
    int64_t i;
    double d;
    const void *p;
    size_t len;
};

#define INT(v) ((struct sql_arg){.type = ARG_INT, .i = (v)})
#define NOTHING ((struct sql_arg){0})
#define REAL(v) ((struct sql_arg){.type = ARG_REAL, .d = (v)}) // NaN is stored as NULL
#define TEXT(v) ((struct sql_arg){.type = ARG_TEXT, .p = (v)}) // NULL is stored as NULL
#define BLOB(v, n) ((struct sql_arg){.type = ARG_BLOB, .p = (v), .len = (n)})

// Takes one row of a result. False, with e set, ends the statement.
typedef bool sql_row_fn(struct sqlite3_stmt *st, void *ctx, struct err *e);

// Run a statement and hand every row of its result to `fn` (NULL: to nobody). Returns the number of
// rows, or -1 with e set. The statement is reset in every case.
int64_t sql_run(struct conn *c, struct err *e, sql_row_fn *fn, void *ctx,
                const struct sql_text *text, const struct sql_arg *arg, size_t n_arg);

#define SQL(c, e, fn, ctx, text, ...)                                                              \
    sql_run(c, e, fn, ctx, SQL_TEXT(text), &((const struct sql_arg[]){{0}, __VA_ARGS__})[1],       \
            sizeof((const struct sql_arg[]){{0}, __VA_ARGS__}) / sizeof(struct sql_arg) - 1)

// Row takers for one number (NULL: 0), and for one text into an arena.
struct text_out {
    const char *text;
    struct arena *arena;
};
sql_row_fn sql_take_int;  // ctx: int64_t *
sql_row_fn sql_take_text; // ctx: struct text_out *

// What may stand in a column. Whatever else a damaged file holds is an error.
enum column_rule {
    NEEDED,   // no NULL; a number is a count, from 0 to COLUMN_COUNT_MAX
    OPTIONAL, // the same or NULL
    SIGNED,   // a number of either sign
    DIGEST,   // 64 hexadecimal digits
};

#define COLUMN_COUNT_MAX (INT64_C(1) << 53)

// How a column of a result is looked at, and how it becomes a member of a struct. The latter is
// false when the arena is full.
struct sql_type {
    int stored; // as, by SQLite's number
    bool (*sound)(struct sqlite3_stmt *st, int at, enum column_rule rule);
    bool (*take)(struct sqlite3_stmt *st, int at, void *member, struct arena *a);
};
extern const struct sql_type column_int, column_real, column_text, column_state;

struct column {
    const struct sql_type *type;
    size_t at;
    enum column_rule rule;
};

// A list of columns is an X-macro of X(member, "expression") or, where the rule is not NEEDED,
// X(member, "expression", rule). COLUMN_SQL prints it for a SELECT, COLUMN_ROW turns it into rows
// of struct column. The member's type chooses the column's.
#define COLUMN_SQL(member, sql, ...) sql ","
#define COLUMN_ROW(S, member, ...)                                                                 \
    {_Generic(((struct S *)0)->member,                                                             \
              int64_t: &column_int,                                                                \
              double: &column_real,                                                                \
              const char *: &column_text,                                                          \
              enum job_state: &column_state),                                                      \
     offsetof(struct S, member), __VA_ARGS__ + 0},

// Whether a column holds what it should; texts and blobs that do not fit into memory do not.
bool column_sound(struct sqlite3_stmt *st, int at, const struct sql_type *type,
                  enum column_rule rule);

// Always false: a column does not, for ERR_INTERNAL (damage) or ERR_BUSY (memory).
bool column_refused(struct sqlite3_stmt *st, int at, struct err *e);

// Always -1, with ERR_INTERNAL: rows are not in the order in which they are kept.
int64_t sql_disorder(struct err *e);

// The destination of sql_take_rows: an array of structs, each `size` bytes.
struct sql_rows {
    const struct column *column;
    size_t n_column;
    void *row;
    size_t size, n, max; // filled, room
    struct arena *arena;
};
sql_row_fn sql_take_rows; // ctx: struct sql_rows *; rows past max are counted in n, not kept

// The version ?2 of the name ?1, or the newest of them for 0.
#define NEWEST(table) "iif(?2, ?2, (SELECT max(version) FROM " table " WHERE name = ?1))"

// The end of a list that asked for one row more than it keeps.
void sql_page(const struct sql_rows *rows, size_t *n, bool *more);

bool sql_no_memory(struct err *e); // always false, with ERR_TOO_LARGE

#define ROWS(columns, dest, count, a)                                                              \
    ((struct sql_rows){.column = columns,                                                          \
                       .n_column = sizeof columns / sizeof *columns,                               \
                       .row = (dest),                                                              \
                       .size = sizeof *(dest),                                                     \
                       .max = (count),                                                             \
                       .arena = (a)})

// Whether the statement, whose one `?` is `value` (NULL: it has none), has a row.
bool sql_any(struct store *s, const struct sql_text *text, const char *value, bool *any,
             struct err *e);

// Run `fn` in a transaction of its own on a reader, so that all its statements see the same state.
bool sql_snapshot(struct store *s, struct conn *c, store_fn *fn, void *arg, struct err *e);

// Always false, with ERR_NOT_FOUND: there is no such `what` of that name (and version, unless 0).
bool sql_no_version(const char *what, const char *name, int64_t version, struct err *e);

// Shared questions about jobs, within a read or a write.
// The next version of a model, of a job or (0) of none.
bool model_add(struct store *s, struct conn *c, const struct model_new *m, int64_t job,
               int64_t *version, struct err *e);

bool job_load(struct store *s, struct conn *c, int64_t id, struct job_row *out, struct arena *a,
              struct err *e);
bool job_exists(struct conn *c, int64_t id, struct err *e); // else ERR_NOT_FOUND
bool job_missing(int64_t id, struct err *e);                // always false, with ERR_NOT_FOUND

// Append to a job's log, within a write.
__attribute__((format(printf, 6, 7))) bool event_add(struct store *s, struct conn *c, struct err *e,
                                                     int64_t job, const char *level,
                                                     const char *fmt, ...);
