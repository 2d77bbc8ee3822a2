// SPDX-License-Identifier: MIT
#pragma once

// The one way in for JSON text. json_scan() checks a whole body in one pass and is the only
// judge of what is JSON here: RFC 8259 to the letter, UTF-8 checked, no NUL even when escaped, no
// duplicate keys, nothing nested deeper than JSON_DEPTH, every number finite as a double, nothing
// after the value. What passed it is read either with the pull reader (json_in.h), which trusts it,
// or by cJSON through schema.h. Called by handlers on the thread that owns the request. Spans point
// into the caller's text and live as long as it does; scratch memory comes from the arena.

#include "api/json/fault.h"

#include <stdbool.h>
#include <stddef.h>

enum { JSON_DEPTH = 16 };

// A piece of JSON text, as a rule one value without the blanks around it. `at` is NULL when there
// is none. In a checked text the byte after a span can always be read.
struct json_span {
    const char *at;
    size_t len;
};

// A member of the outermost object to be found on the way.
struct json_want {
    const char *key;
    struct json_span value; // out; at is NULL when the object has no such key
};

// Check text[0..len); a NUL must be at text[len] or somewhere behind it, as behind a span of a
// checked text. Fills in the wanted members. On failure e is
// ERR_MALFORMED with line, column (bytes, from 1) and what was expected, e->at points to the value
// at fault, and f gets the same with the code "malformed", "too_deep", "duplicate_key" or
// "not_finite". ERR_TOO_LARGE for more than JSON_KEYS keys in open objects, when the arena has no
// room for them, or past 4 GiB. The arena is left as it was.
bool json_scan(const char *text, size_t len, struct json_want *want, size_t n, struct arena *a,
               struct faults *f, struct err *e);

// A checked text in which every wanted value that was found is replaced by null, so that what is
// left is small enough for a tree; a copy unless nothing was found. NULL and ERR_TOO_LARGE when it
// passes `max` bytes.
const char *json_rest(const char *text, size_t len, const struct json_want *want, size_t n,
                      size_t max, struct arena *a, struct err *e);
