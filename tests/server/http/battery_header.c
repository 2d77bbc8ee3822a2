// SPDX-License-Identifier: MIT
// Header lines: names, values, line ends, folds, numbers and sizes.

#include "tests/server/http/battery.h"

#define LINE(line) RAW(ASK line "\r\n\r\n")
#define FIRST(line) RAW("GET /things HTTP/1.1\r\n" line HOST "\r\n")

static const struct battery_case rows[] = {
    // Right ones
    {"no blank after the colon", LINE("X:y"), "200", MUST, "9112 5"},
    {"tabs and blanks around a value", LINE("X: \t y\t "), "200", MUST, "9112 5.1", .cut = true},
    {"empty value", LINE("X:"), "200", MUST, "9112 5"},
    {"value of blanks", LINE("X:  \t "), "200", MUST, "9112 5"},
    {"name of odd but right characters", LINE("!#$%&'*+-.^_`|~09aZ: y"), "200", MUST, "9110 5.6.2"},
    {"colons in a value", LINE("X: a:b: c"), "200", MUST, "9110 5.5"},
    {"high bytes in a value", LINE("X: caf\xc3\xa9\xff"), "200", SHOULD, "9110 5.5"},
    {"header twice", LINE("X: a\r\nX: b"), "200", MUST, "9110 5.3"},
    {"names in capitals", RAW("GET /things HTTP/1.1\r\nHOST: localhost\r\n\r\n"), "200", MUST,
     "9110 5.1"},
    {"ninety headers", RAW(ASK MANY "\r\n"), "200", OURS, "9110 5.4", .unit = "X-A: b\r\n",
     .times = 89},
    {"value of 4,000 bytes", RAW(ASK "X: " MANY "\r\n\r\n"), "200", OURS, "9110 5.4", .unit = "a",
     .times = 4000},

    // Names
    {"no colon", LINE("abc"), "400!", SHOULD, "9112 2.2", .cut = true},
    {"empty name", LINE(": y"), "400!", SHOULD, "9112 2.2", .cut = true},
    {"colon alone", LINE(":"), "400!", SHOULD, "9112 2.2"},
    {"empty name in the first line", FIRST(": y\r\n"), "400!", SHOULD, "9112 2.2"},
    {"blank before the colon", LINE("X : y"), "400!", MUST, "9112 5.1", .cut = true},
    {"tab before the colon", LINE("X\t: y"), "400!", MUST, "9112 5.1"},
    {"blank in a name", LINE("X Y: z"), "400!", SHOULD, "9112 2.2"},
    {"tab in a name", LINE("X\tY: z"), "400!", SHOULD, "9112 2.2"},
    {"brackets in a name", LINE("a(b): z"), "400!", SHOULD, "9112 2.2"},
    {"square bracket in a name", LINE("a[b: z"), "400!", SHOULD, "9112 2.2"},
    {"quotation marks in a name", LINE("\"a\": z"), "400!", SHOULD, "9112 2.2"},
    {"slash in a name", LINE("a/b: z"), "400!", SHOULD, "9112 2.2"},
    {"at sign in a name", LINE("a@b: z"), "400!", SHOULD, "9112 2.2"},
    {"equals sign in a name", LINE("a=b: z"), "400!", SHOULD, "9112 2.2"},
    {"comma in a name", LINE("a,b: z"), "400!", SHOULD, "9112 2.2"},
    {"brace in a name", LINE("a{b: z"), "400!", SHOULD, "9112 2.2"},
    {"backslash in a name", LINE("a\\b: z"), "400!", SHOULD, "9112 2.2"},
    {"NUL in a name", LINE("a\0b: z"), "400!", SHOULD, "9112 2.2"},
    {"control character in a name",
     LINE("a\x1f"
          "b: z"),
     "400!", SHOULD, "9112 2.2"},
    {"DEL in a name", LINE("a\x7f: z"), "400!", SHOULD, "9112 2.2"},
    {"high byte in a name", LINE("a\xc3\xab: z"), "400!", SHOULD, "9112 2.2"},
    {"request line again", LINE("GET /things HTTP/1.1"), "400!", SHOULD, "9112 2.2"},

    // Values
    {"NUL in a value", LINE("X: a\0b"), "400!", MUST, "9110 5.5", .cut = true},
    {"NUL ends a value", LINE("X: a\0"), "400!", MUST, "9110 5.5"},
    {"bare CR in a value", LINE("X: a\rb"), "400!", MUST, "9112 2.2", .cut = true},
    {"bare CR begins a value", LINE("X:\ra"), "400!", MUST, "9112 2.2"},
    {"CR CR LF ends a value", LINE("X: a\r"), "400!", MUST, "9112 2.2"},
    {"control character in a value", LINE("X: a\x01"), "400!", OURS, "9110 5.5"},
    {"bell, backspace, vertical tab in a value", LINE("X: a\x07\x08\x0b"), "400!", OURS,
     "9110 5.5"},
    {"escape in a value", LINE("X: \x1b[31m"), "400!", OURS, "9110 5.5"},
    {"DEL in a value", LINE("X: a\x7f"), "400!", OURS, "9110 5.5"},

    // Line ends
    {"line ends in a bare LF", RAW(ASK "X: y\nZ: z\r\n\r\n"), "400!", OURS, "9112 2.2",
     .cut = true},
    {"last line ends in a bare LF", RAW(ASK "X: y\n\r\n"), "400!", OURS, "9112 2.2"},
    {"head ends in a bare LF", RAW(ASK "X: y\r\n\n"), "400!", OURS, "9112 2.2"},
    {"head ends in two bare LF", RAW(ASK "X: y\n\n"), "400!", OURS, "9112 2.2"},
    {"all lines end in bare LF", RAW("GET /things HTTP/1.1\nHost: localhost\n\n"), "400!", OURS,
     "9112 2.2"},
    {"line ends in LF CR", RAW(ASK "X: y\n\rZ: z\r\n\r\n"), "400!", MUST, "9112 2.2"},
    {"line ends in a bare CR", RAW(ASK "X: y\rZ: z\r\n\r\n"), "400!", MUST, "9112 2.2"},

    // Folds
    {"folded value", LINE("X: a\r\n b"), "400!", MUST, "9112 5.2", .cut = true},
    {"folded value, tab", LINE("X: a\r\n\tb"), "400!", MUST, "9112 5.2"},
    {"fold of blanks", LINE("X: a\r\n  "), "400!", MUST, "9112 5.2"},
    {"fold after a bare LF", LINE("X: a\n b"), "400!", MUST, "9112 5.2"},
    {"first line begins with a blank", FIRST(" X: y\r\n"), "400!", MUST, "9112 2.2", .cut = true},
    {"first line begins with a tab", FIRST("\tX: y\r\n"), "400!", MUST, "9112 2.2"},
    {"first line of blanks", FIRST(" \r\n"), "400!", MUST, "9112 2.2"},
    {"Host hidden by a blank", RAW("GET /things HTTP/1.1\r\n Host: localhost\r\n\r\n"), "400!",
     MUST, "9112 2.2"},

    // Sizes
    {"value of 1,000,000 bytes", RAW(ASK "X: " MANY "\r\n\r\n"), "4xx!", MUST, "9110 5.4",
     .unit = "a", .times = 1000000},
    {"name of 100,000 bytes", RAW(ASK MANY ": y\r\n\r\n"), "4xx!", MUST, "9110 5.4", .unit = "a",
     .times = 100000},
    {"500 headers", RAW(ASK MANY "\r\n"), "431!", OURS, "9110 5.4", .unit = "X-A: b\r\n",
     .times = 500},
    {"2,000 headers", RAW(ASK MANY "\r\n"), "431!", OURS, "9110 5.4", .unit = "X-A: b\r\n",
     .times = 2000},
    {"20,000 headers", RAW(ASK MANY "\r\n"), "4xx!", MUST, "9110 5.4", .unit = "X-A: b\r\n",
     .times = 20000},
    {"20,000 headers of one byte", RAW(ASK MANY "\r\n"), "4xx!", MUST, "9110 5.4", .unit = "a:\r\n",
     .times = 20000},
    {"header line without an end", RAW(ASK "X: " MANY), "4xx!", MUST, "9110 5.4", .unit = "a",
     .times = 1000000},
};

BATTERY(header, rows);
