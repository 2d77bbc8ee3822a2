// SPDX-License-Identifier: MIT
#pragma once

// A table of raw requests and what may come back: one row per rule of HTTP/1.1 on the wire, grouped
// by theme in battery_*.c and walked by test_http_battery.c against the service of edge.h.
//
// `want` says in short what the client may see:
//
//     "200"        one answer, 200, and the next request on the connection is answered too
//     "400!"       one answer, 400 and "Connection: close"; then the connection ends
//     "405?"       one answer; whether the connection ends is free
//     "200 400!"   two answers in this order
//     "!"          the connection ends without an answer
//     "4xx?"       any status from 400 to 499
//     "400!|501!"  either
//
// Nothing else may come: no second answer to one request, no page of a library's own. Answers are
// held to what every answer must have (see check_answer() in battery.c).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum battery_level {
    MUST,   // other outcomes break a MUST of the RFC named
    SHOULD, // other outcomes break a SHOULD of it
    OURS,   // the RFC leaves it open; this is what we do
};

struct battery_case {
    const char *name;
    const char *raw;
    size_t len;
    const char *want;
    enum battery_level level;
    const char *rule; // RFC and section
    const char *more; // sent when the first answer has come
    const char *echo; // body of the first answer
    const char *unit; // stands `times` times in place of MANY
    size_t times;     // 0: there is no MANY
    int drops;        // DELETE requests that run
    bool bodyless;    // the first answer is one to a HEAD
    bool ends;        // the client sends nothing more and says so
    bool cut;         // sent in two parts, cut at every byte, it is the same
};

struct battery_theme {
    const char *name;
    const struct battery_case *row;
    size_t n;
};

extern const struct battery_theme battery_line, battery_header, battery_host, battery_length,
    battery_coding, battery_chunk, battery_trailer, battery_smuggle, battery_talk, battery_service;

#define BATTERY(theme, rows)                                                                       \
    const struct battery_theme battery_##theme = {#theme, rows, sizeof rows / sizeof *rows}

size_t battery_count(void);
const struct battery_case *battery_row(size_t i, const char **theme);

enum battery_way { AT_ONCE, BY_BYTE, IN_TWO };

// Send row `i` to the port of an edge service and hold what comes against its `want`; `cut` is
// where IN_TWO cuts. Fails the running test with the row, its bytes and what came.
void battery_run(uint16_t port, size_t i, enum battery_way way, size_t cut);

// ---- Bytes of the rows ----

#define RAW(text) .raw = text, .len = sizeof(text) - 1
#define MANY "\xff\xfe" // see `unit`

#define HOST "Host: localhost\r\n"
#define FIVE "Content-Length: 5\r\n"
#define CHUNKS "Transfer-Encoding: chunked\r\n"

#define ASK "GET /things HTTP/1.1\r\n" HOST                // a head, not yet ended
#define GIVE "POST /things HTTP/1.1\r\n" HOST              // the same for a body, which comes back
#define IN_CHUNKS GIVE CHUNKS "\r\n"                       // a head for chunks
#define GOOD ASK "\r\n"                                    // a request with nothing odd
#define DROP "DELETE /things/666 HTTP/1.1\r\n" HOST "\r\n" // 48 bytes that must not run
#define DROP_LEN "48"
#define DROP_HEX "30"
