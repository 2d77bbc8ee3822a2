// SPDX-License-Identifier: MIT
#pragma once

// Strings of JSON: UTF-8 and escapes, as json.c checks them and json_in.c and jsonw.c use them.
// Pure functions, from any thread; all texts end with a NUL somewhere after p.

#include <stdbool.h>
#include <stddef.h>

// Bytes of the UTF-8 sequence at p, 0 when it is not a valid one or is NUL.
size_t utf8_length(const char *p);

// Check the string at the quote p, in a text that ends at `end`. Returns what follows its closing
// quote and whether there are escapes in it; on failure returns NULL with *bad at the offending
// byte and up to `max` bytes of explanation in why.
const char *json_string_check(const char *p, const char *end, bool *escaped, const char **bad,
                              char *why, size_t max);

// Decode the checked string at the quote *p into out, without a NUL; *p moves past its closing
// quote. The raw length without the quotes is always room enough. Returns the length.
size_t json_unescape(const char **p, char *out);
