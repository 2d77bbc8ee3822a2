// SPDX-License-Identifier: MIT
#pragma once

// A request's head, read from the client's own bytes and more strictly than libmicrohttpd reads
// them: whatever RFC 9110 and 9112 leave to a lenient reader is refused, because two readers that
// are lenient in different ways see two different requests. Pure functions over one complete head,
// called by wire.c on the polling thread that owns the connection.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum head_name {
    HEAD_HOST,
    HEAD_LENGTH,     // Content-Length
    HEAD_TRANSFER,   // Transfer-Encoding
    HEAD_TYPE,       // Content-Type
    HEAD_CODING,     // Content-Encoding
    HEAD_CONNECTION, // Connection
    HEAD_EXPECT,     // Expect
    HEAD_ORIGIN,     // Origin, for origin.c as all that follow
    HEAD_REFERER,    // Referer
    HEAD_SITE,       // Sec-Fetch-Site
    HEAD_MODE,       // Sec-Fetch-Mode
    HEAD_DEST,       // Sec-Fetch-Dest
    HEAD_AGENT,      // User-Agent
    HEAD_ACCEPT,     // Accept
    HEAD_COUNT
};

enum {
    HEAD_LINES = 128,   // header lines at most
    HEAD_TARGET = 8000, // bytes of a request target (RFC 9112 section 3 asks for as many)
    HEAD_DIGITS = 18    // of a Content-Length: longer ones are over every limit
};

// Strings lie in the text that was read and are NUL-terminated there.
struct head {
    const char *method;
    const char *target;  // "/path?query"; an absolute URI has lost its scheme and authority
    const char *version; // "HTTP/1.1" or "HTTP/1.0"
    struct {
        int n; // how often it was sent
        const char *value;
    } field[HEAD_COUNT];
    const char *authority; // of an absolute URI, which then stands for Host; or NULL
    size_t n_line;
    struct head_line {
        const char *name, *value;
    } line[HEAD_LINES];
};

// The request line, without its line end. Starts the head anew. ERR_MALFORMED, ERR_TARGET_TOO_LONG
// or ERR_VERSION.
bool head_request_line(struct head *h, char *text, size_t len, struct err *e);

// The header lines: everything between the request line and the empty line, each ending in CR LF.
// Bytes have passed head_byte(). ERR_MALFORMED or ERR_HEAD_TOO_LARGE.
bool head_lines(struct head *h, char *text, size_t len, struct err *e);

// Note one header; for head_lines() and tests. Strings must outlive the head.
bool head_add(struct head *h, const char *name, const char *value, struct err *e);

// Whether the fields agree about who is asked and where the request ends. ERR_MALFORMED, after
// which the connection must close.
bool head_framing(const struct head *h, struct err *e);

// One header or trailer line of `len` bytes, which have passed head_byte(), without its line end:
// where its colon is, 0 when its syntax is wrong.
size_t head_colon(const char *line, size_t len);

// Whether a head may hold this byte at all; CR and LF are for the caller to look at.
static inline bool head_byte(unsigned char c)
{
    return (c >= ' ' && c != 0x7f) || c == '\t';
}

bool head_is_token(const char *s, size_t len); // RFC 9110 section 5.6.2

// Who is asked: the authority of an absolute URI, else Host; NULL when there is neither.
const char *head_host(const struct head *h);

// How often a header was sent, and its first value, or NULL. Names are compared without case.
int head_value(const struct head *h, const char *name, const char **value);

// Whether the header's list has the word, without case.
bool head_lists(const struct head *h, enum head_name i, const char *word);

bool head_is_chunked(const struct head *h);
uint64_t head_length(const struct head *h); // announced by Content-Length; 0 without one
bool head_has_body(const struct head *h);   // one is announced
