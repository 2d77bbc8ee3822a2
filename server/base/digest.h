// SPDX-License-Identifier: MIT
#pragma once

// SHA-256 as the text that names files and tells requests apart. Pure functions, any thread.

#include "engine/base/halt.h"

#include <stddef.h>

enum { DIGEST_TEXT = 65 }; // 64 lower-case hexadecimal digits and NUL

struct digest_part {
    const void *bytes;
    size_t len;
};

// Of the parts one after the other.
void digest_of(const struct digest_part *part, size_t n, char out[static DIGEST_TEXT]);

// The same for gigabytes; false after a halt, with ERR_CANCELLED.
bool digest_long(const struct digest_part *part, size_t n, char out[static DIGEST_TEXT],
                 const struct halt *halt, struct err *e);
