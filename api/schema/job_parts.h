// SPDX-License-Identifier: MIT
#pragma once

// The parts of a job definition, each with its rows in job_schema_train.c. Constant data.

#include "api/schema/job_spec.h"
#include "api/schema/schema.h"

enum { GROUPS_MAX = 64 };

extern const struct schema model_schema;          // fills struct model_spec
extern const struct schema regularization_schema; // struct job_spec
extern const struct schema group_schema;          // struct param_group
extern const struct schema training_schema;       // struct train_spec

// Parameters and results of kinds of jobs. They are described where their kind is, in server/jobs,
// which depends on this folder: a kind is one file. The linker brings both together.
#define KIND_NONE(kind)
#define KIND_PART(kind) extern const struct schema job_part_##kind;
#define KIND_FINDS(kind) extern const struct schema job_result_##kind;
#define JOB_KIND(kind, part, result) part(kind) result(kind)
#include "api/schema/job_kind.def"

// The schemas of results, then NULL.
extern const struct schema *const job_results[];
