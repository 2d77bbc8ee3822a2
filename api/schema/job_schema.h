// SPDX-License-Identifier: MIT
#pragma once

// A job definition: what a client may say about a training, and the struct it becomes. The rows in
// job_schema.c are the list of keys; POST /jobs reads through them, the worker reads the resolved
// text from the store through them again, GET /schema/job and the README print them. Any thread.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "api/json/fault.h"
#include "api/json/json.h"
#include "api/json/jsonw.h"
#include "engine/train/lr_finder.h"
#include "api/schema/schema.h"
#include "engine/base/spec.h"

enum job_kind {
    JOB_TRAIN,     // make a model
    JOB_LR_FINDER, // sweep over learning rates, for its curve
};

// Strings and arrays belong to the arena given to job_spec_read(), the two spans to its body.
struct job_spec {
    const char *name;      // the dataset's when not given; NULL for nameless inline data
    const char *dataset;   // name of a stored dataset, or NULL
    struct json_span data; // inline data in place of it (see inline.h); at is NULL when absent
    struct data_spec prep; // columns, preparation, split
    struct model_spec model;
    struct train_spec train;
    enum job_kind kind;
    struct lr_sweep sweep;     // of a finder
    const char *from;          // model whose weights are the first ones, or NULL
    int from_version;          // 0: the latest
    int planned;               // epochs it will take, or steps of a sweep; set once its data is known
    int priority;              // higher runs earlier
    struct json_span metadata; // an object, kept as it came; at is NULL when absent
};

enum { COLUMNS_MAX = 16384, TARGETS_MAX = 1024, CLASSES_MAX = 1024, UNITS_MAX = 65536 };

// Bytes of a definition, as given and as resolved, without inline data.
enum { JOB_DEFINITION_MAX = 1 << 20 };

extern const struct schema job_schema;
extern const char *const task_words[]; // by enum task, then NULL

// Read and resolve a job definition. Exactly one of dataset and data must be there; the target
// defaults to "y" for data given as x and y ("y0", "y1", ... where y has rows); without validation
// rows there is no early stopping. Errors as schema_read(). `f` must have been initialised.
bool job_spec_read(const char *body, size_t len, struct job_spec *spec, struct arena *a,
                   struct faults *f, struct err *e);

// The same for a resolved definition that was stored: its data is known from elsewhere and may have
// come with the job, so neither dataset nor data has to be there.
bool job_spec_read_stored(const char *text, struct job_spec *spec, struct arena *a,
                          struct faults *f, struct err *e);

// Print the resolved definition, inline data included unless the caller has cleared it. Reading it
// back gives the same spec.
void job_spec_write(struct jsonw *w, const char *key, const struct job_spec *spec);
