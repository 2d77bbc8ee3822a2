// SPDX-License-Identifier: MIT
#pragma once

// Marks of files that may turn out to be litter. A file is put in place before the row that needs
// it is written, and removed after the last such row: a crash in between leaves it without a row.
// So it is marked before either, by an empty file <digest>.mark beside it, and the mark goes when
// it is settled. Data that came with a job goes with the job, so it is marked all the time. Only a
// marked file is ever removed: one without a mark is somebody's, and when it has no row, that was
// lost some other way. Nor is a file marked that was there before without. Any thread; names are relative to the open data
// folder.

#include "err.h"

#include <stdbool.h>

bool file_mark(int dir, const char *shelf, const char *digest, struct err *e);
bool file_is_marked(int dir, const char *shelf, const char *digest);
void file_unmark(int dir, const char *shelf, const char *digest); // fine without a mark
