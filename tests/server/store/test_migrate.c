// SPDX-License-Identifier: MIT
#include "server/store/migrate.h"

#include "tests/harness.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static struct sqlite3 *fresh(void)
{
    struct sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    return db;
}

static int number(struct sqlite3 *db, const char *sql)
{
    struct sqlite3_stmt *st;
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
    int n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return n;
}

static const char *const step[] = {
    "CREATE TABLE one (x INTEGER) STRICT; INSERT INTO one VALUES (1)",
    "ALTER TABLE one ADD COLUMN y INTEGER; UPDATE one SET y = x + 1",
    "CREATE TABLE three (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1)",
};

TEST(migrations_are_applied_once_and_in_order)
{
    struct sqlite3 *db = fresh();
    struct err e = {0};
    ck_assert(migrate(db, step, 1, &e));
    ck_assert_int_eq(number(db, "PRAGMA user_version"), 1);
    ck_assert_int_eq(number(db, "PRAGMA application_id"), MIGRATE_APPLICATION_ID);
    ck_assert(migrate(db, step, 2, &e) && migrate(db, step, 2, &e));
    ck_assert_int_eq(number(db, "SELECT y FROM one"), 2);
    ck_assert_int_eq(number(db, "SELECT count(*) FROM one"), 1);
    sqlite3_close(db);
}

TEST(a_migration_that_fails_leaves_the_step_before)
{
    struct sqlite3 *db = fresh();
    struct err e = {0};
    ck_assert(!migrate(db, step, 3, &e));
    ck_assert_int_eq(e.kind, ERR_INTERNAL);
    ck_assert_int_eq(number(db, "PRAGMA user_version"), 2);
    ck_assert_int_eq(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'three'"), 0);
    sqlite3_close(db);
}

TEST(a_schema_newer_than_the_program_is_refused_untouched)
{
    struct sqlite3 *db = fresh();
    struct err e = {0};
    ck_assert(migrate(db, step, 2, &e));
    ck_assert(!migrate(db, step, 1, &e));
    ck_assert_int_eq(e.kind, ERR_CONFLICT);
    ck_assert_str_eq(e.text, "the database has schema 2, this program knows schemas up to 1: a "
                             "newer mlpd has used it");
    ck_assert_int_eq(number(db, "PRAGMA user_version"), 2);
    sqlite3_close(db);
}

static const char *const foreign[] = {
    "CREATE TABLE notes (x)",
    "PRAGMA application_id = 7",
    "PRAGMA user_version = 1",
};

LOOP_TEST(a_database_of_another_program_is_refused, sizeof foreign / sizeof *foreign)
{
    struct sqlite3 *db = fresh();
    struct err e = {0};
    ck_assert_int_eq(sqlite3_exec(db, foreign[_i], NULL, NULL, NULL), SQLITE_OK);
    ck_assert(!migrate(db, step, 2, &e));
    ck_assert_int_eq(e.kind, ERR_CONFLICT);
    ck_assert_int_eq(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'one'"), 0);
    sqlite3_close(db);
}

TEST(every_embedded_table_is_strict)
{
    struct sqlite3 *db = fresh();
    struct err e = {0};
    ck_assert_msg(migrate(db, migration_sql, migration_count, &e), "%s", e.text);
    ck_assert_int_eq(number(db, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' "
                                "AND type = 'table' AND name NOT LIKE 'sqlite_%' "
                                "AND NOT \"strict\""),
                     0);
    ck_assert_int_ge(number(db, "SELECT count(*) FROM pragma_table_list WHERE \"strict\""), 5);
    sqlite3_close(db);
}

// The number of the step that first has this text.
static int step_with(const char *text)
{
    int n = 0;
    while (n < migration_count && !strstr(migration_sql[n], text))
        n++;
    ck_assert_int_lt(n, migration_count);
    return n;
}

TEST(of_datasets_and_models_stored_earlier_the_last_version_is_the_newest)
{
    static const char *const table[] = {"datasets", "models"};
    static const char *const column[] = {"n_row, n_column, summary", "task, job_id, summary"};
    static const char *const value[] = {"1, 1, '{}'", "'t', NULL, '{}'"};
    struct sqlite3 *db = fresh();
    struct err e = {0};
    char sql[512];
    ck_assert(migrate(db, migration_sql, step_with("datasets_newest"), &e));
    for (int i = 0; i < 2; i++) {
        snprintf(
            sql, sizeof sql,
            "INSERT INTO %s (name, version, digest, bytes, created_at, %s) SELECT value ->> 0, "
            "value ->> 1, printf('%%064x', 1), 1, 1, %s FROM json_each("
            "'[[\"a\",1],[\"b\",1],[\"a\",2],[\"a\",10],[\"c\",7]]')",
            table[i], column[i], value[i]);
        ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                      sqlite3_errmsg(db));
    }
    ck_assert_msg(migrate(db, migration_sql, migration_count, &e), "%s", e.text);
    for (int i = 0; i < 2; i++) {
        snprintf(sql, sizeof sql,
                 "SELECT group_concat(name || version, ' ') = 'b1 a10 c7' FROM (SELECT name, "
                 "version FROM %s WHERE newest = 1 ORDER BY id)",
                 table[i]);
        ck_assert_int_eq(number(db, sql), 1);
    }
    sqlite3_close(db);
}
