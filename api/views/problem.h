// SPDX-License-Identifier: MIT
#pragma once

// From an error to what an HTTP client gets: a problem document (RFC 9457) and its status. The one
// place that knows HTTP numbers. Called by server/http/http.c when a handler has failed and by
// openapi.c. Constant data and pure functions, from any thread.

#include "api/json/fault.h"
#include "api/schema/schema.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stddef.h>

struct problem {
    int status;
    const char *type, *title; // "/problems/not-found", "There is no such thing"
    const char *plain;        // a whole document for when there is no memory to write another
};

const struct problem *problem_of(enum err_kind kind);

struct fault_reply {
    const char *pointer, *parameter; // one of them; NULL: left out
    const char *code, *detail;
};

struct problem_reply {
    const char *type, *title;
    int status;
    const char *detail, *code;
    const struct fault_reply *errors; // NULL: left out
    size_t n_errors;
    int64_t more_errors; // -1: left out
};

extern const struct schema problem_view; // every failure

// The document for e, with every fault of f (may be NULL). Sets the HTTP status and the length. The
// text is in the arena, or constant when that is full.
const char *problem_body(const struct err *e, const struct faults *f, struct arena *a, int *status,
                         size_t *len);
