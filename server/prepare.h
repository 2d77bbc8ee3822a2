// SPDX-License-Identifier: MIT
#pragma once

// From a job definition and a stored dataset to everything training needs: the table, how it is
// encoded, which rows are for what, the network. POST /jobs does it to find every fault before
// anything is queued, the worker does it to train; both get the same answer from the same bytes.

#include "job_schema.h"
#include "model.h"
#include "prep.h"

struct prepared {
    struct frame frame;
    struct prep prep;
    struct split split;
    struct model model; // weights all zero
};

// Everything is in the arena. Errors carry the pointer of the field at fault.
bool prepare_job(struct prepared *p, const char *data_dir, const char *digest,
                 const struct job_spec *spec, struct arena *a, struct err *e);
