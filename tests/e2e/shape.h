// SPDX-License-Identifier: MIT
#pragma once

// Does a JSON value fit a JSON Schema? The subset that the daemon's OpenAPI document uses; a
// keyword that is not known here counts as a misfit, so that no promise goes unread. Pure; any
// thread.

#include <cJSON.h>
#include <stdbool.h>

struct shape {
    const cJSON *root; // document that "#/..." references point into
    char why[512];     // after a misfit: where and what; the first one wins
};

bool shape_fits(struct shape *s, const cJSON *schema, const cJSON *value);

// The value under a JSON Pointer ("/errors/0/code"), or NULL.
const cJSON *json_at(const cJSON *json, const char *pointer);
