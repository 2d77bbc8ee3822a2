// SPDX-License-Identifier: MIT
#pragma once

// Writer of CSV (RFC 4180) into a callback, through a fixed buffer. The caller puts cells, commas
// and line ends itself. Owned and used by one thread; once the sink has refused, what follows is
// dropped and `broken` stays set.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { CSVW_BUFFER = 16 << 10 };

// Takes the next piece of text. False stops the writing, with the error filled in.
typedef bool csvw_sink(void *ctx, const char *text, size_t len, struct err *e);

struct csvw {
    csvw_sink *sink;
    void *ctx;
    struct err *err; // given to the sink
    bool broken;
    size_t len;
    char text[CSVW_BUFFER];
};

void csvw_put(struct csvw *c, const char *s, size_t len);    // as it is
void csvw_string(struct csvw *c, const char *s, size_t len); // in quotes where it needs them
bool csvw_flush(struct csvw *c);                             // false when broken
