// SPDX-License-Identifier: MIT
#pragma once

// The end of a run that has made a model: its file is stored, the job ends and the model is listed
// in one transaction, and the cache learns of it. Called by a run on its thread.

#include "server/base/digest.h"
#include "server/jobs/run.h"

// `file` is what model_store_save() takes; model->digest and bytes are filled in here. While the
// disk is full it waits. ERR_CANCELLED after a stop; then no file is left behind.
bool publish_model(struct run *r, const struct digest_part file[static 2],
                   const struct model_new *model, struct err *e);
