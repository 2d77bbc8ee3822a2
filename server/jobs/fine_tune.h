// SPDX-License-Identifier: MIT
#pragma once

// Starting a training from a model that is there: "init": {"from": name}. POST /jobs finds the
// model, pins its version and checks that it fits; the worker loads the same file again and copies
// the weights.

#include "api/files/model_file.h"
#include "api/schema/job_schema.h"
#include "engine/base/halt.h"
#include "server/store/store.h"

struct files;

// The model that spec->from names, whole, in the arena; pins spec->from_version. Nothing to do, and
// out->model has no parameters, when the spec names none. ERR_INVALID with "/init/from" or
// "/init/version" when there is no such model.
bool fine_tune_load(struct store *store, struct files *files, struct job_spec *spec,
                    struct model_file *out, const struct halt *halt, struct arena *a,
                    struct err *e);

// Whether all but the output layer have the same parameters. ERR_INVALID with "/model/layers".
bool fine_tune_fits(const struct model *m, const struct model_file *from, struct err *e);

// Copy parameters and running statistics; the output layer's too when it answers the same question
// (classes, targets).
void fine_tune_copy(struct model *m, const struct prep *p, const struct model_file *from);
