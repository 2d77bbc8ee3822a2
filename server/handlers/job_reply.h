// SPDX-License-Identifier: MIT
#pragma once

// A job of the store as a reply shows it.

#include "api/views/job_view.h"
#include "server/http/call.h"
#include "server/store/store.h"

// `notes`, if given, has what became of names in its definition. Strings stay the row's; what else
// is made is in the call's arena. ERR_INTERNAL when JSON in the row is damaged.
bool job_fill(struct call *c, const struct job_row *row, const struct faults *notes,
              struct job_reply *out, struct err *e);

// Answer with it.
bool job_reply_one(struct call *c, const struct job_row *row, struct err *e);
