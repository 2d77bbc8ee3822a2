// SPDX-License-Identifier: MIT
#pragma once

// What a job can do beside training a model: a row each, in a file server/jobs/kind_<name>.c with
// the parameters of its own (api/schema/job_kind.def, which lists the kinds). POST /jobs checks and
// resolves by the row, a worker works it off; nobody else knows what kinds there are. Constant
// data.

#include "api/schema/job_schema.h"
#include "engine/base/row.h"
#include "server/jobs/run.h"

struct job_kind {
    struct row
        row; // name and doc; no hyperparameters, as its parameters are a part of the definition

    // Whether a job of this kind can be done with this data, of which everything is prepared. The
    // arena is what the job may use. ERR_INVALID with the pointer of the field; any thread.
    bool (*check)(const struct job_spec *s, const struct prepared *p, const struct arena *a,
                  struct err *e);

    // Fill in what the data decides: the epochs that are planned, the size of a batch. Any thread.
    void (*resolve)(struct job_spec *s, const struct prepared *p);

    // The rest runs on a worker's thread, one after the other. Errors end the job as a run's do.
    // Declare what is recorded in r->curve, with the epochs and steps that are planned, and make
    // ready for work().
    bool (*begin)(struct run *r, struct err *e);

    // What the job is for, on all of its threads.
    bool (*work)(struct run *r, const struct exec *x, struct err *e);

    // Store what came out and end the job: publish_model() or run_conclude().
    bool (*conclude)(struct run *r, struct err *e);

    const struct schema *result; // of what r->result points to at the end; NULL: it has none
};

// The row of a definition's kind, and all rows by their names.
const struct job_kind *job_kind_of(const struct job_spec *s);
extern const struct table job_kind_table;
