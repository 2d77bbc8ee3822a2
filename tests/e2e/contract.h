// SPDX-License-Identifier: MIT
#pragma once

// Holds an exchange against the OpenAPI document: see client.h, whose http() calls it after every
// exchange.

#include "tests/e2e/client.h"

struct exchange_seen {
    const char *method, *path; // path: with its query
    const char *body;          // NUL-terminated, or NULL
    bool json;                 // the body goes as JSON (or as a form, which stands for it)
    const struct reply *reply;
};

// True, or false with what is broken in `why`.
bool contract_holds(const cJSON *openapi, const struct exchange_seen *x, char *why, size_t room);
