// SPDX-License-Identifier: MIT
#pragma once

// A job definition: what a client may say about a training, and the struct it becomes. The rows in
// job_schema.c are the list of keys; POST /jobs reads through them, the worker reads the resolved
// text from the store by them as it was written, GET /schema/job and the reference print them. Any
// thread.

#include "api/schema/job_spec.h"
#include "api/schema/schema.h"

extern const struct schema job_schema;

// Read and resolve a job definition. Exactly one of dataset and data must be there; the target
// defaults to "y" for data given as x and y ("y0", "y1", ... where y has rows); without validation
// rows there is no early stopping. Errors as schema_read(). `f` must have been initialised.
bool job_spec_read(const char *body, size_t len, struct job_spec *spec, struct arena *a,
                   struct faults *f, struct err *e);

// Of the form that job_spec_write() prints and jobs are stored in. To be raised when the rows
// change, so that a definition of another program is told from a damaged one.
enum { JOB_STORED_VERSION = 1 };

// Read a resolved definition that was stored under that version, as it was written: no defaults, no
// aliases, no foreign names. Its data is known from elsewhere, so neither dataset nor data has to
// be given. ERR_INVALID says that it is damaged, and where, or that it is of another version.
bool job_spec_read_stored(const char *text, int64_t version, struct job_spec *spec, struct arena *a,
                          struct err *e);

// Print the resolved definition, inline data included unless the caller has cleared it. Reading it
// back gives the same spec.
void job_spec_write(struct jsonw *w, const char *key, const struct job_spec *spec);
