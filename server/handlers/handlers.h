// SPDX-License-Identifier: MIT
#pragma once

// What the rows of routes.def call, one function an endpoint, in handle_*.c. They run on polling
// threads, or on the pool when their row says `.pace` or they asked for it by call_defer();
// everything they make is in the call's arena, so none has anything to clean up.

#include "server/http/call.h"

#include <stdint.h>

struct job_row;
struct job_spec;

#define ROUTE(handler, ...) bool handler(struct call *c, struct err *e);
#include "server/handlers/routes.def"

extern const struct route route_table[];
extern const size_t route_count;

// The rest of an upload's row.
bool dataset_upload_begin(struct call *c, struct err *e);
bool dataset_upload_piece(struct call *c, const char *bytes, size_t len, struct err *e);
void dataset_upload_undo(struct call *c);

// A stored job with its definition, for handle_lr.c and handle_diagnosis.c. ERR_INTERNAL when what
// is stored is none.
bool job_definition(struct call *c, int64_t id, struct job_row *job, struct job_spec *spec,
                    struct err *e);
