// SPDX-License-Identifier: MIT
// Numbered, forward-only steps under user_version: see migrate.h. There are no downgrades: going
// back means restoring a backup.

#include "server/store/migrate.h"

#include <sqlite3.h>
#include <stdio.h>

static bool migrate_run(struct sqlite3 *db, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return true;
    return fail(e, (rc & 0xff) == SQLITE_FULL ? ERR_NO_SPACE : ERR_INTERNAL,
                "could not prepare the database: %s", sqlite3_errmsg(db));
}

static bool migrate_number(struct sqlite3 *db, const char *sql, int *out, struct err *e)
{
    struct sqlite3_stmt *st = NULL;
    bool ok =
        sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;
    if (ok)
        *out = sqlite3_column_int(st, 0);
    else
        fail(e, ERR_INTERNAL, "could not read the database: %s", sqlite3_errmsg(db));
    sqlite3_finalize(st);
    return ok;
}

static bool step(struct sqlite3 *db, const char *sql, int version, struct err *e)
{
    char stamp[96];
    snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             MIGRATE_APPLICATION_ID, version);
    if (!migrate_run(db, "BEGIN IMMEDIATE", e))
        return false;
    if (migrate_run(db, sql, e) && migrate_run(db, stamp, e))
        return true;
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

bool migrate(struct sqlite3 *db, const char *const *sql, int count, struct err *e)
{
    int version, app, tables;
    if (!migrate_number(db, "PRAGMA user_version", &version, e) ||
        !migrate_number(db, "PRAGMA application_id", &app, e) ||
        !migrate_number(db, "SELECT count(*) FROM sqlite_schema", &tables, e))
        return false;
    if (app != MIGRATE_APPLICATION_ID && (app || version || tables))
        return fail(e, ERR_CONFLICT, "the database belongs to another program");
    if (version > count)
        return fail(e, ERR_CONFLICT,
                    "the database has schema %d, this program knows schemas up to %d: a newer mlpd "
                    "has used it",
                    version, count);
    for (int v = version; v < count; v++)
        if (!step(db, sql[v], v + 1, e))
            return false;
    return true;
}
