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
