// SPDX-License-Identifier: MIT
#pragma once

// SQL that the product has no function for, run by a test on the store's writer.

#include "server/store/store.h"

// Run one statement; the first column of its last row goes to *out where that is not NULL. False
// when SQLite refuses it.
bool store_exec(struct store *s, const char *text, int64_t *out);
