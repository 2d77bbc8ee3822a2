// SPDX-License-Identifier: MIT
#pragma once

// The line in front of a chunk of a body (RFC 9112, section 7.1): its size and extensions. A pure
// function over text, for any thread.

#include <stdbool.h>
#include <stdint.h>

// The size that the line, NUL-terminated and without its end, gives. False when it is none: not 1
// to 15 hexadecimal digits, or what follows them are no extensions.
bool chunk_size(const char *line, uint64_t *size);
