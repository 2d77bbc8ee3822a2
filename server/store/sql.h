// SPDX-License-Identifier: MIT
#pragma once

// Statements and rows over a connection. Used by the store's files and its tests only; nothing here
// outlives the call it is used in.

#include "engine/base/arena.h"
#include "server/store/conn.h"
#include "server/store/job.h"

#include <stddef.h>
#include <stdint.h>

// A value for a `?` of a statement.
struct sql_arg {
    enum { ARG_NULL, ARG_INT, ARG_REAL, ARG_TEXT, ARG_BLOB } type;
    int64_t i;
    double d;
    const void *p;
    size_t len;
};

#define BIND_INT(v) ((struct sql_arg){.type = ARG_INT, .i = (v)})
#define BIND_NULL ((struct sql_arg){0})
#define BIND_REAL(v) ((struct sql_arg){.type = ARG_REAL, .d = (v)}) // NaN is stored as NULL
#define BIND_TEXT(v) ((struct sql_arg){.type = ARG_TEXT, .p = (v)}) // NULL is stored as NULL
#define BIND_BLOB(v, n) ((struct sql_arg){.type = ARG_BLOB, .p = (v), .len = (n)})

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
extern const struct sql_type sql_column_int, sql_column_real, sql_column_text, sql_column_state;

struct sql_column {
    const struct sql_type *type;
    size_t at;
    enum column_rule rule;
};

// A list of columns is an X-macro of X(member, "expression") or, where the rule is not NEEDED,
// X(member, "expression", rule). COLUMN_SQL prints it for a SELECT, COLUMN_ROW turns it into rows
// of struct sql_column. The member's type chooses the column's.
#define COLUMN_SQL(member, sql, ...) sql ","
#define COLUMN_ROW(S, member, ...)                                                                 \
    {_Generic(((struct S *)0)->member,                                                             \
              int64_t: &sql_column_int, \
              double: &sql_column_real, \
              const char *: &sql_column_text, \
              enum job_state: &sql_column_state), \
     offsetof(struct S, member), __VA_ARGS__ + 0},

// Whether a column holds what it should; texts and blobs that do not fit into memory do not.
bool sql_column_sound(struct sqlite3_stmt *st, int at, const struct sql_type *type,
                      enum column_rule rule);

// Always false: a column does not, for ERR_INTERNAL (damage) or ERR_BUSY (memory).
bool sql_column_refused(struct sqlite3_stmt *st, int at, struct err *e);

// Always -1, with ERR_INTERNAL: rows are not in the order in which they are kept.
int64_t sql_disorder(struct err *e);

// The destination of sql_take_rows: an array of structs, each `size` bytes.
struct sql_rows {
    const struct sql_column *column;
    size_t n_column;
    void *row;
    size_t size, n, max; // filled, room
    struct arena *arena;
};
sql_row_fn sql_take_rows; // ctx: struct sql_rows *; rows past max are counted in n, not kept

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
