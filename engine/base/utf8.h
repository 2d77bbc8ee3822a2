// SPDX-License-Identifier: MIT
#pragma once

// Whether bytes are text. Pure functions, any thread.

#include <stdbool.h>
#include <stddef.h>

// Bytes of the well-formed character at s, of `len` bytes; 0 when there is none.
size_t utf8_char(const char *s, size_t len);

// The code point of a well-formed character.
unsigned utf8_code(const char *s);

// Whether a terminal might obey the character, or show what follows in another order or on another
// line: control characters (U+0000 to U+001F, U+007F to U+009F), marks and overrides of direction,
// separators of lines and paragraphs.
bool utf8_is_control(unsigned code);

// The first such character of a well-formed text; NULL when it has none.
const char *utf8_find_control(const char *s, size_t len);

// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool utf8_valid(const char *s, size_t len);
