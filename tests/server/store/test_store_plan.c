// SPDX-License-Identifier: MIT
// How SQLite would run every statement of the program. The linker has gathered their texts, so none
// can be forgotten; what a plan may say that would be dear on a large table stands below, with the
// reason.
#include "server/store/store.h"

#include "tests/server/lab.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

// Words of a plan that stand for work beyond the rows of the answer.
static const char *const dear[] = {"SCAN ",      "CO-ROUTINE",      "MATERIALIZE",
                                   "CORRELATED", "USE TEMP B-TREE", "AUTOMATIC"};

static const struct allowed {
    const char *sql, *plan; // parts of the text and of the line of its plan
    const char *reason;
} allowed[] = {
    {"FROM jobs q", "CORRELATED SCALAR SUBQUERY", "once, for one job: it counts those before it"},
    {"SELECT id FROM jobs INDEXED BY jobs_ready", "INDEX jobs_ready", "ends at the first that is due"},
    {"SET run_at = ?1", "INDEX jobs_ready", "once at a start, over what waits"},
    {"FROM sqlite_sequence", "SCAN sqlite_sequence", "a row for each of four tables"},
    {"SELECT DISTINCT digest", "USE TEMP B-TREE FOR DISTINCT", "what will be deleted row by row"},
};
enum { ALLOWED = sizeof allowed / sizeof *allowed };

static int uses[ALLOWED];

static bool is_ours(const struct sql_text *t)
{
    return strncmp(t->file, "server/", 7) == 0;
}

static bool is_allowed(const struct sql_text *t, const char *plan)
{
    for (int i = 0; i < ALLOWED; i++)
        if (strstr(t->text, allowed[i].sql) && strstr(plan, allowed[i].plan))
            return ++uses[i];
    return false;
}

static void check_line(const struct sql_text *t, const char *plan)
{
    if (strcmp(plan, "SCAN CONSTANT ROW") == 0) // no table
        return;
    for (size_t i = 0; i < sizeof dear / sizeof *dear; i++)
        ck_assert_msg(!strstr(plan, dear[i]) || is_allowed(t, plan), "%s:%d: %s\n    %s", t->file,
                      t->line, plan, t->text);
}

static void check_plan(struct sqlite3 *db, const struct sql_text *t)
{
    struct sqlite3_stmt *st;
    char text[4096];
    int rc;
    ck_assert_int_lt(snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", t->text), sizeof text);
    rc = sqlite3_prepare_v2(db, text, -1, &st, NULL);
    ck_assert_msg(rc == SQLITE_OK, "%s:%d: %s", t->file, t->line, sqlite3_errmsg(db));
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        check_line(t, (const char *)sqlite3_column_text(st, 3));
    ck_assert_int_eq(rc, SQLITE_DONE);
    sqlite3_finalize(st);
}

static bool check_all(struct store *s, struct conn *c, void *arg, struct err *e)
{
    (void)s, (void)arg, (void)e;
    for (const struct sql_text *const *t = sql_listed; t < sql_listed_end; t++)
        if (is_ours(*t))
            check_plan(c->db, *t);
    return true;
}

TEST(every_statement_finds_its_rows_by_an_index)
{
    struct lab l;
    lab_init(&l);
    OK(store_write(l.store, check_all, NULL, &l.err));
    for (int i = 0; i < ALLOWED; i++)
        ck_assert_msg(uses[i], "no statement needs it: %s", allowed[i].reason);
    lab_release(&l);
}

TEST(all_statements_of_a_connection_have_room)
{
    int n = 0;
    for (const struct sql_text *const *t = sql_listed; t < sql_listed_end; t++)
        n += is_ours(*t);
    ck_assert_int_ge(n, 40);
    ck_assert_int_le(n, CONN_STATEMENTS);
}
