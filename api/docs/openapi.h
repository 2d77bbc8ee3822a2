// SPDX-License-Identifier: MIT
#pragma once

// The OpenAPI 3.1 document, printed from the route table and the schemas it names: GET
// /openapi.json, `mlpd --openapi`, and the committed copy that a test compares. Any thread.

#include "api/schema/route.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stddef.h>

// The document for n routes, in the arena; its length in *len. NULL and ERR_TOO_LARGE when the
// arena is full (it takes about a hundred kilobytes).
const char *openapi(const struct route *route, size_t n, struct arena *a, size_t *len,
                    struct err *e);
