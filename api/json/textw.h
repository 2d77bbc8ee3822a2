// SPDX-License-Identifier: MIT
#pragma once

// Text that is written piece by piece into an arena: documents that are not JSON. Used on one
// thread.

#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct textw {
    struct arena *arena;
    char *text;
    size_t len, max;
    bool full;
};

void textw_init(struct textw *w, struct arena *a);
// Make room for so many bytes at once. A text that grows leaves half its memory behind, so a long
// one whose length is known about needs twice as little with it.
void textw_reserve(struct textw *w, size_t bytes);

// At most 511 bytes at once; what an outsider may have made long goes by textw_put().
__attribute__((format(printf, 2, 3))) void textw_add(struct textw *w, const char *fmt, ...);
void textw_put(struct textw *w, const char *s, size_t n); // as it is

// A text between quotes or tags: &, <, > and quotes as XML's entities. What XML has no place for
// (control characters, bytes that are not UTF-8) becomes U+FFFD.
void textw_xml(struct textw *w, const char *s);

// A text that somebody reads in a terminal, at most `width` characters of it; returns how many they
// were. What a terminal might obey, and bytes that are not UTF-8, become U+FFFD.
size_t textw_field(struct textw *w, const char *s, size_t width);

// The text, NUL-terminated; NULL and ERR_TOO_LARGE when the arena was full.
const char *textw_end(struct textw *w, size_t *len, struct err *e);
