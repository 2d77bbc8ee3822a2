// SPDX-License-Identifier: MIT
#pragma once

// Marks of files that may turn out to be litter. A file is put in place before the row that needs
// it is written, and removed after the last such row: a crash in between leaves it without a row.
// So it is marked before either, by an empty file <digest>.mark beside it, and the mark goes when
// it is settled. At a start a marked file without a row is litter; one without a mark is
// somebody's, whose row was lost some other way. Any thread; names are relative to the open data
// folder.

#include "err.h"

#include <stdbool.h>

bool file_mark(int dir, const char *shelf, const char *digest, struct err *e);
bool file_is_marked(int dir, const char *shelf, const char *digest);
void file_unmark(int dir, const char *shelf, const char *digest); // fine without a mark
