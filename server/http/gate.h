// SPDX-License-Identifier: MIT
#pragma once

// What a route's row allows a body to be: its size, its media type. Pure functions over a head that
// head.c has found sound, called by exchange.c on the polling thread.

#include "api/schema/route.h"
#include "engine/base/err.h"
#include "server/http/head.h"

#include <stdbool.h>
#include <stddef.h>

// Most bytes that the row takes; `max_upload` is the daemon's limit for streams.
size_t gate_limit(const struct route *row, size_t max_upload);

// Media type, encoding and announced length. ERR_UNSUPPORTED or ERR_TOO_LARGE. *length receives the
// announced length, 0 when it is chunked or there is none.
bool gate_body(const struct head *h, const struct route *row, size_t limit, size_t *length,
               struct err *e);

// The error of a body longer than its row takes. Always false.
bool gate_too_large(size_t limit, struct err *e);
