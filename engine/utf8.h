// SPDX-License-Identifier: MIT
#pragma once

// Whether bytes are text. Pure functions, any thread.

#include <stdbool.h>
#include <stddef.h>

// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool utf8_valid(const char *s, size_t len);
