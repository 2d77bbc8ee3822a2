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
__attribute__((format(printf, 2, 3))) void textw_add(struct textw *w, const char *fmt, ...);

// A text between quotes or tags: &, <, > and quotes as XML's entities.
void textw_xml(struct textw *w, const char *s);

// The text, NUL-terminated; NULL and ERR_TOO_LARGE when the arena was full.
const char *textw_end(struct textw *w, size_t *len, struct err *e);
