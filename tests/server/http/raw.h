// SPDX-License-Identifier: MIT
#pragma once

// SQL past the store's functions, for tests that make what those never would. Apart from lab.h
// because the store's inside and the engine have names in common.

#include "server/store/store.h"

enum { RAW_NAMES = 48, RAW_NAME = 32 };

// Run statements on the writer, in one transaction. False when SQLite refuses one.
bool raw_sql(struct store *s, const char *text);

// The names of a table's columns; their number.
int raw_columns(struct store *s, const char *table, char name[RAW_NAMES][RAW_NAME]);

// Run statements on a database that nobody has open.
bool raw_sql_closed(const char *path, const char *text);
