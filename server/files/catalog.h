// SPDX-License-Identifier: MIT
#pragma once

// Dataset files and the rows that point at them, kept in step. Files are shared: equal uploads, and
// data given with a job, are one file by their digest, so a file may go only when neither a dataset
// nor an unfinished job needs it, and nobody is about to say that they do.
//
// main opens and closes it. Handlers and workers use it from any thread. Whoever brings a file says
// so from before it appears until its row does: it is not removed meanwhile. Nobody waits for those
// who bring or remove other files.

#include "server/files/files.h"
#include "server/store/store.h"

struct catalog;

// Files that the database does not know and that we did not leave so: it was replaced, or somebody
// put them there. They stay where they are, and are as good as new when the database that knows
// them comes back.
struct catalog_strangers {
    int64_t files, bytes;
};

// Whether the store and the files beside it can be used together: ERR_CONFLICT for strangers beside
// a database in which nothing was ever stored. Changes nothing, so a start asks before all else.
bool catalog_check(struct store *store, struct files *files, struct err *e);

// Remove files that a crash left without a row. NULL on failure. Store and files must
// outlive the catalog.
struct catalog *catalog_open(struct store *store, struct files *files,
                             struct catalog_strangers *strangers, struct err *e);
void catalog_close(struct catalog *c); // NULL is fine

// A file on its way into the folder and the store. Many may bring the same bytes at a time.
struct catalog_file {
    enum file_shelf shelf;
    const char *digest;
    struct file_job job; // CATALOG_WITH_JOB: the one that brought it
    struct catalog_file *next;
    bool out; // it is being removed
};

// What became of it.
enum catalog_end {
    CATALOG_UNSTORED, // no row needs it: it goes, unless somebody else brings or needs the same
    CATALOG_STORED,   // its row is there: it is no litter any more, and that lasts
    CATALOG_WITH_JOB, // its job's row is there: it goes with the job, unless the same is stored
};

// `digest` must stay until the end. Waits while a file of the same bytes is being removed, or
// deleted with a dataset.
void catalog_begin(struct catalog *c, enum file_shelf shelf, const char *digest,
                   struct catalog_file *f);

// False when a file could not be removed: it is swept at the next start.
bool catalog_end(struct catalog *c, struct catalog_file *f, enum catalog_end end, struct err *e);

// Delete all versions of a dataset and the files nobody else needs. Errors as
// store_dataset_delete(); or what kept a file from going once the rows were gone, when it is swept
// at the next start. Waits for those who bring the same bytes.
bool catalog_delete(struct catalog *c, const char *name, struct arena *a, struct err *e);

// Remove the files of data that came with a job, now that the job has ended, unless somebody else
// needs them or they bear no mark.
bool catalog_forget(struct catalog *c, const char *digest, struct err *e);
