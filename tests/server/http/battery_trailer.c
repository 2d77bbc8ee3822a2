// SPDX-License-Identifier: MIT
// Trailers, the header lines behind the last chunk: nothing that they say counts.

#include "tests/server/http/battery.h"

#define TRAILER(lines) RAW(IN_CHUNKS "5\r\nhello\r\n0\r\n" lines "\r\n")

static const struct battery_case rows[] = {
    {"one", TRAILER("A: b\r\n"), "201", MUST, "9112 7.1.2", .echo = "hello", .cut = true},
    {"two", TRAILER("A: b\r\nC:\r\n"), "201", MUST, "9112 7.1.2", .echo = "hello"},
    {"Content-Length", TRAILER("Content-Length: 48\r\n"), "201|4xx!", MUST, "9110 6.5.1",
     .echo = "hello"},
    {"Transfer-Encoding", TRAILER("Transfer-Encoding: chunked\r\n"), "201|4xx!", MUST, "9110 6.5.1",
     .echo = "hello"},
    {"Host", TRAILER("Host: other.example\r\n"), "201|4xx!", MUST, "9110 6.5.1", .echo = "hello"},
    {"Connection", TRAILER("Connection: close\r\n"), "201|4xx!", MUST, "9110 6.5.1",
     .echo = "hello"},
    {"Content-Type", TRAILER("Content-Type: text/xml\r\n"), "201|4xx!", MUST, "9110 6.5.1",
     .echo = "hello"},
    {"Expect", TRAILER("Expect: 100-continue\r\n"), "201|4xx!", MUST, "9110 6.5.1",
     .echo = "hello"},
    {"no colon", TRAILER("abc\r\n"), "400!", SHOULD, "9112 2.2", .cut = true},
    {"empty name", TRAILER(": b\r\n"), "400!", SHOULD, "9112 2.2"},
    {"empty name before a request", TRAILER(":\r\n" DROP), "400!", SHOULD, "9112 2.2"},
    {"blank before the colon", TRAILER("A : b\r\n"), "400!", MUST, "9112 5.1"},
    {"folded", TRAILER("A: b\r\n c\r\n"), "400!", MUST, "9112 5.2", .cut = true},
    {"begins with a blank", TRAILER(" A: b\r\n"), "400!", SHOULD, "9112 2.2"},
    {"NUL in a value", TRAILER("A: b\0c\r\n"), "400!", MUST, "9110 5.5"},
    {"bare CR in a value", TRAILER("A: b\rc\r\n"), "400!", MUST, "9112 2.2"},
    {"bare LF ends it", TRAILER("A: b\nC: d\r\n"), "400!", OURS, "9112 2.2", .cut = true},
    {"control character in a value", TRAILER("A: b\x01\r\n"), "400!", OURS, "9110 5.5"},
    {"bracket in a name", TRAILER("A[: b\r\n"), "400!", SHOULD, "9112 2.2"},
    {"value of 100,000 bytes", TRAILER("A: " MANY "\r\n"), "4xx!", MUST, "9110 5.4", .unit = "b",
     .times = 100000},
    {"20,000 of them", TRAILER(MANY), "4xx!", MUST, "9110 5.4", .unit = "A: b\r\n", .times = 20000},
};

BATTERY(trailer, rows);
