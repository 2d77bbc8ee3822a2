// SPDX-License-Identifier: MIT
#pragma once

// The request gate: what a request's head must look like before anything else looks at it. Pure
// functions, called by http.c on the polling thread with the headers as libmicrohttpd read them.
// They make up for what its older versions let through: two lengths, a length beside chunks, two
// hosts, blanks before a colon.

#include "err.h"
#include "route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum head_name {
    HEAD_HOST,
    HEAD_LENGTH,   // Content-Length
    HEAD_TRANSFER, // Transfer-Encoding
    HEAD_TYPE,     // Content-Type
    HEAD_CODING,   // Content-Encoding
    HEAD_SITE,     // Sec-Fetch-Site
    HEAD_COUNT
};

// The headers that decide. Values belong to the connection.
struct head {
    const char *version; // "HTTP/1.1"
    bool changes;        // the method is one that changes something
    bool broken;         // a name or value that no client may send
    struct {
        int n; // how often it was sent
        const char *value;
    } field[HEAD_COUNT];
};

// Note one header of the request.
void gate_header(struct head *h, const char *name, size_t name_len, const char *value,
                 size_t value_len);

// Framing and identity. ERR_MALFORMED: where the request ends is in doubt, or it was sent by a page
// of another site; close the connection after answering.
bool gate_framing(const struct head *h, struct err *e);

// Whether the head announces a body at all.
bool gate_has_body(const struct head *h);

// Most bytes that the row takes; `max_upload` is the daemon's limit for streams.
size_t gate_limit(const struct route *row, size_t max_upload);

// Media type, encoding and announced length. ERR_UNSUPPORTED or ERR_TOO_LARGE. *length receives the
// announced length, 0 when it is chunked or there is none.
bool gate_body(const struct head *h, const struct route *row, size_t limit, size_t *length,
               struct err *e);

// The error of a body longer than its row takes. Always false.
bool gate_too_large(size_t limit, struct err *e);
