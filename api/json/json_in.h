// SPDX-License-Identifier: MIT
#pragma once

// Pull reader over JSON that json_scan() has accepted: the hot path of /predict and of inline data.
// It checks nothing again and allocates nothing, except to unescape a string. The caller looks at
// json_kind() and then reads or skips exactly one value:
//
//     for (json_enter(&in); json_more(&in);)      // an array of numbers
//         x[n++] = json_number(&in);
//
// Used on one thread at a time; what it returns points into the text unless said otherwise.

#include "api/json/json.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_in {
    const char *at; // the next value's first character
};

struct json_text {
    const char *at; // not NUL-terminated
    size_t len;
};

// A reader before the value of a span (of a checked text, not empty).
struct json_in json_in(struct json_span span);

enum json_kind json_kind(const struct json_in *in); // of the next value
const char *json_kind_name(enum json_kind kind);    // "an array", for messages

// Step into the array or object. Then, before each element, json_more() (or json_key() in an
// object): false means the end, and the reader stands behind the closing bracket.
void json_enter(struct json_in *in);
bool json_more(struct json_in *in);

// As json_more(), and reads the key. A key with escapes is decoded into the arena; when that is
// full key->at is NULL, and the value is there to be read all the same.
bool json_key(struct json_in *in, struct json_text *key, struct arena *a);

double json_number(struct json_in *in); // correctly rounded
bool json_bool(struct json_in *in);     // true or false
void json_null(struct json_in *in);

// The decoded string; in the arena when it has escapes. False when that is full.
bool json_string(struct json_in *in, struct json_text *out, struct arena *a);

// How many elements the array of a span has.
size_t json_count(struct json_span array);

// Pass over the next value, whatever it is, and return its text.
struct json_span json_skip(struct json_in *in);
