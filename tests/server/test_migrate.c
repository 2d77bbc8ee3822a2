// SPDX-License-Identifier: MIT
#include "migrate.h"

#include "harness.h"

#include <sqlite3.h>

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
