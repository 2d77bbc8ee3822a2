// SPDX-License-Identifier: MIT
#pragma once

// Brings a database to the schema this program knows. Called once by the store, on its writing
// connection, before any other use.
//
// Step N is migrations/000N_name.sql, embedded at build time. Each step is one transaction that
// ends with user_version = N, so a crash leaves a whole number of steps done.

#include "engine/base/err.h"

struct sqlite3;

enum { MIGRATE_APPLICATION_ID = 0x6d6c7064 }; // "mlpd", in the header of the file

extern const char *const migration_sql[];
extern const int migration_count;

// Apply what is missing of `count` steps. Fails with ERR_CONFLICT, having changed nothing, when the
// file belongs to a newer program or to another one altogether; ERR_NO_SPACE or ERR_INTERNAL when a
// step could not be applied.
bool migrate(struct sqlite3 *db, const char *const *sql, int count, struct err *e);
