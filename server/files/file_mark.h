// SPDX-License-Identifier: MIT
#pragma once

// Marks of files that may turn out to be litter. A file is put in place before the row that needs
// it is written, and removed after the last such row: a crash in between leaves it without a row.
// So it is marked before either, by an empty file <digest>.mark beside it, and the mark goes when
// it is settled. Data that came with jobs goes with the last of them, and says so by <digest>.job
// from when their rows are there; the jobs stand in it. Only a marked file is ever removed. One
// without a mark is somebody's, and when it has no row, that was lost some other way; so is one
// that goes with a job of which the database knows nothing, or of which is not known with which job
// it goes. A file that was there before without a mark is not marked when it is written again. Any
// thread; names are relative to the open data folder. For files.c: others go through files.h.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

bool file_mark(int dir, const char *shelf, const char *digest, struct err *e);

// A job that brought data: numbers may be given again beside an older database, times are not.
struct file_job {
    int64_t id, created_at;
};

// The unsettled file goes with jobs; this one (NULL: none) is added to those it goes with. Of no
// effect on a file without a mark.
void file_mark_job(int dir, const char *shelf, const char *digest, const struct file_job *job);

// Whether `is` holds for all jobs that the file goes with, and there is one. False when they cannot
// be read.
typedef bool file_job_fn(void *ctx, const struct file_job *job);
bool file_mark_all(int dir, const char *shelf, const char *digest, file_job_fn *is, void *ctx);

enum file_mark { NO_MARK, UNSETTLED, WITH_JOB };
enum file_mark file_mark_of(int dir, const char *shelf, const char *digest);

void file_unmark(int dir, const char *shelf, const char *digest); // fine without a mark
