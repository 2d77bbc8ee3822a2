// SPDX-License-Identifier: MIT
#pragma once

// From a job definition and a stored dataset to everything training needs: the table, how it is
// encoded, which rows are for what, the network. POST /jobs does it to find every fault before
// anything is queued, the worker does it to train; both get the same answer from the same bytes.

#include "api/files/model_file.h"
#include "api/schema/job_schema.h"
#include "engine/model/model.h"
#include "engine/table/prep.h"
#include "engine/train/train.h"

struct files;

struct prepared {
    struct frame frame;
    struct prep prep;
    struct split split;
    struct model model; // shapes only: model_room() comes next
};

// Everything is in the arena, whose maximum is what the job may use: ERR_TOO_LARGE when training
// would not fit into the rest. `from` is what fine_tune_load() gave: its inputs' preparation is
// used. Faults and errors carry the pointer of the field. ERR_CANCELLED after a halt.
bool prepare_job(struct prepared *p, struct files *files, const char *digest,
                 const struct job_spec *spec, const struct model_file *from,
                 const struct halt *halt, struct arena *a, struct faults *faults, struct err *e);

// The later half of it: learn the preparation from the rows that p->split trains on, and shape the
// network. A copy of what prepare_job() has made may be given another split and go through it.
bool prepare_network(struct prepared *p, const struct job_spec *spec, const struct model_file *from,
                     const struct halt *halt, struct arena *a, struct err *e);

// Rows of the table as training wants them, with weights when the job has any. ERR_TOO_LARGE when
// the arena is full, ERR_CANCELLED after a halt.
bool prepare_rows(const struct prepared *p, const uint32_t *row, size_t n, struct train_rows *out,
                  const struct halt *halt, struct arena *a, struct err *e);
