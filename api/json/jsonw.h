// SPDX-License-Identifier: MIT
#pragma once

// Append-only JSON writer. Everything takes the key first, NULL inside an array and at the top:
//
//     struct jsonw w;
//     jsonw_init(&w, arena);
//     jsonw_object(&w, NULL);
//     jsonw_int(&w, "id", 17);
//     jsonw_array(&w, "loss");
//     jsonw_real(&w, NULL, 0.25);
//     jsonw_end(&w);
//     jsonw_end(&w);
//     const char *text = jsonw_text(&w, &len, e);
//
// The text grows in the arena, whose maximum is the only thing that can fail: then everything
// further is ignored and jsonw_text() says so. Wrong nesting is our bug and aborts. Used by one
// thread at a time.

#include "api/json/json.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdint.h>

enum { JSONW_DEPTH = 40 };

struct jsonw {
    struct arena *arena;
    char *text;
    size_t len, max;
    bool full;                        // the arena refused to grow
    const char *lacks;                // a key that has to be there and has no value
    int depth;                        // open containers
    char close[JSONW_DEPTH];          // the bracket that will end each
    bool has_member[JSONW_DEPTH + 1]; // whether the next element needs a comma
};

void jsonw_init(struct jsonw *w, struct arena *a);

// Make room for so many bytes at once. A text that grows leaves as much again behind in the arena,
// so a long one whose length is known about needs half the memory with it.
void jsonw_reserve(struct jsonw *w, size_t bytes);

void jsonw_object(struct jsonw *w, const char *key); // open
void jsonw_array(struct jsonw *w, const char *key);
void jsonw_end(struct jsonw *w); // close the innermost

void jsonw_string(struct jsonw *w, const char *key, const char *s); // NULL is written as null
void jsonw_chars(struct jsonw *w, const char *key, const char *s, size_t len);
void jsonw_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_bool(struct jsonw *w, const char *key, bool value);
void jsonw_null(struct jsonw *w, const char *key);

// The shortest of 15 and 17 digits that reads back as the same double; of 7 and 9 for a float. NaN
// and infinity, which JSON does not have, become null.
void jsonw_real(struct jsonw *w, const char *key, double value);
void jsonw_float(struct jsonw *w, const char *key, float value);

// A double known to within `error` (above 0): no more digits than mean something.
void jsonw_about(struct jsonw *w, const char *key, double value, double error);

// JSON text as it is, but for characters that a terminal might obey, which are escaped; the caller
// vouches for it. An empty span is written as null.
void jsonw_raw(struct jsonw *w, const char *key, struct json_span raw);
void jsonw_json(struct jsonw *w, const char *key, const char *json); // the same, NUL-terminated

// The text will not do, since the value of this key is missing; the key is a constant.
void jsonw_lacks(struct jsonw *w, const char *key);

// The finished text, NUL-terminated, in the arena; everything must be closed. NULL and
// ERR_TOO_LARGE when the arena was full, ERR_INTERNAL after jsonw_lacks(). `len` may be NULL.
const char *jsonw_text(struct jsonw *w, size_t *len, struct err *e);

// The same with a line's end behind it, for replies: people read them in terminals.
const char *jsonw_line(struct jsonw *w, size_t *len, struct err *e);
