// SPDX-License-Identifier: MIT
#pragma once

// Dataset files and the rows that point at them, kept in step. Files are shared: equal uploads, and
// data given with a job, are one file by their digest, so a file may go only when neither a dataset
// nor an unfinished job needs it, and nobody is about to say that they do.
//
// main opens and closes it. Handlers and workers use it from any thread. Whoever stores a file
// holds the catalog from before the file appears until the row does; removing waits for that.

#include "server/files/dataset.h"
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
bool catalog_check(struct store *store, struct err *e);

// Remove files that a crash left without a row. NULL on failure. The store must outlive the
// catalog.
struct catalog *catalog_open(struct store *store, struct catalog_strangers *strangers,
                             struct err *e);
void catalog_close(struct catalog *c); // NULL is fine

// While held, no file is removed. Many threads may hold it.
void catalog_hold(struct catalog *c);
void catalog_let_go(struct catalog *c);

// The row that needs a file which was just stored is there: from now on it is no litter, and that
// lasts.
void catalog_settled(struct catalog *c, const char *digest);

// The same for data that came with a job: its file goes with the job, unless an upload of the same
// bytes settles it.
void catalog_goes_with_job(struct catalog *c, const char *digest);

// Delete all versions of a dataset and the files nobody else needs. Errors as
// store_dataset_delete().
bool catalog_delete(struct catalog *c, const char *name, struct arena *a, struct err *e);

// Remove the files of data that came with a job, now that the job has ended, unless somebody else
// needs them or they bear no mark.
bool catalog_forget(struct catalog *c, const char *digest, struct err *e);

// A model's file on its way into the folder and the store: from before it appears until its row is
// written, or never will be. Many may bring the same bytes at a time.
struct catalog_model {
    struct catalog_model *next;
    const char *digest;
    bool out; // its file is being removed
};

// `digest` must stay until the end. Waits while a file of the same bytes is being removed.
void catalog_model_begin(struct catalog *c, struct catalog_model *m, const char *digest);

// With `stored`, its row is there. Without, the file goes, unless another model is the same, or
// about to be. False when it could not be removed: it is swept at the next start.
bool catalog_model_end(struct catalog *c, struct catalog_model *m, bool stored, struct err *e);
