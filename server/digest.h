// SPDX-License-Identifier: MIT
#pragma once

// SHA-256 as the text that names files and tells requests apart. Pure functions, any thread.

#include <stddef.h>

enum { DIGEST_TEXT = 65 }; // 64 lower-case hexadecimal digits and NUL

struct digest_part {
    const void *bytes;
    size_t len;
};

// Of the parts one after the other.
void digest_of(const struct digest_part *part, size_t n, char out[static DIGEST_TEXT]);
