// SPDX-License-Identifier: MIT
#pragma once

// What callers may do, and who they are. Every route names the one scope that it takes
// (api/schema/route.h); the server compares it with the caller's before anything else is done for a
// request. Constant data; any thread.

#include "engine/base/err.h"

#include <stdbool.h>

// A row each: its name, the word for it, one sentence.
#define SCOPES(X)                                                                                  \
    X(OPEN, "open", "What this is, that it lives, and how to speak to it: for everybody.")         \
    X(READ, "read", "Look at tables, jobs and models.")                                            \
    X(PREDICT, "predict", "Ask models for answers, and how they come by them.")                    \
    X(SUBMIT, "submit", "Queue and cancel jobs.")                                                  \
    X(WRITE, "write", "Store and delete tables, store models.")

enum scope {
    SCOPE_NONE, // nobody has it: a row that names no scope is closed
#define X(name, word, doc) SCOPE_##name,
    SCOPES(X)
#undef X
        SCOPE_COUNT
};

struct scope_row {
    const char *word, *doc; // NULL for SCOPE_NONE
};
extern const struct scope_row scope_table[SCOPE_COUNT];

// Who calls. There are no tokens yet: everybody who can reach the server is principal_anonymous,
// who may do everything.
struct principal {
    const char *name;
    unsigned scopes; // a bit each, SCOPE_BIT()
};
extern const struct principal principal_anonymous;

#define SCOPE_BIT(scope) (1u << (scope))

// ERR_FORBIDDEN, with the scope's word, when the caller lacks it.
bool principal_may(const struct principal *p, enum scope scope, struct err *e);
