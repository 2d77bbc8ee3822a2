// SPDX-License-Identifier: MIT
#pragma once

// Marks of files that may turn out to be litter. A file is put in place before the row that needs
// it is written, and removed after the last such row: a crash in between leaves it without a row.
// So it is marked before either, by an empty file <digest>.mark beside it, and the mark goes when
// it is settled. Data that came with a job goes with the job, and says so by <digest>.job from when
// the job's row is there. Only a marked file is ever removed. One without a mark is somebody's, and
// when it has no row, that was lost some other way; so is one that goes with a job of which the
// database knows nothing. A file that was there before without a mark is not marked when it is
// written again. Any thread; names are relative to the open data folder.

#include "engine/base/err.h"

#include <stdbool.h>

bool file_mark(int dir, const char *shelf, const char *digest, struct err *e);
void file_mark_job(int dir, const char *shelf, const char *digest); // one that is unsettled

enum file_mark { NO_MARK, UNSETTLED, WITH_JOB };
enum file_mark file_mark_of(int dir, const char *shelf, const char *digest);

void file_unmark(int dir, const char *shelf, const char *digest); // fine without a mark
