// SPDX-License-Identifier: MIT
// Several requests on one connection, when it ends, Expect, Upgrade, HEAD and OPTIONS.

#include "tests/server/http/battery.h"

#define CLOSE "Connection: close\r\n"
#define FIVE_GOOD "200 200 200 200 200"
#define TWENTY FIVE_GOOD " " FIVE_GOOD " " FIVE_GOOD " " FIVE_GOOD
#define BAD "GET /things HTTP/1.1\r\n: x\r\n" HOST "\r\n"
#define HELLO_FIVE GIVE FIVE "\r\nhello"
#define HELLO_CHUNK IN_CHUNKS "5\r\nhello\r\n0\r\n\r\n"

static const struct battery_case rows[] = {
    // One after the other
    {"two at once", RAW(GOOD GOOD), "200 200", MUST, "9112 9.3.2", .cut = true},
    {"two of different kinds", RAW(HELLO_FIVE GOOD), "201 200", MUST, "9112 9.3.2", .echo = "hello",
     .cut = true},
    {"chunks first", RAW(HELLO_CHUNK GOOD), "201 200", MUST, "9112 9.3.2", .echo = "hello",
     .cut = true},
    {"chunks last", RAW(GOOD HELLO_CHUNK), "200 201", MUST, "9112 9.3.2"},
    {"trailer in the middle", RAW(IN_CHUNKS "5\r\nhello\r\n0\r\nA: b\r\n\r\n" HELLO_FIVE GOOD),
     "201 201 200", MUST, "9112 9.3.2", .echo = "hello"},
    {"empty line between", RAW(HELLO_FIVE "\r\n" GOOD), "201 200", SHOULD, "9112 2.2",
     .echo = "hello"},
    {"errors in the middle",
     RAW(GOOD "GET /nothing HTTP/1.1\r\n" HOST "\r\nDELETE /things HTTP/1.1\r\n" HOST "\r\n" GOOD),
     "200 404 405 200", OURS, "9112 9.3.2"},
    {"twenty", RAW(MANY), TWENTY, MUST, "9112 9.3.2", .unit = GOOD, .times = 20},
    {"twenty, each behind an empty line", RAW(MANY), TWENTY, SHOULD, "9112 2.2",
     .unit = "\r\n" GOOD, .times = 20},
    {"a DELETE that is asked for", RAW(GOOD DROP GOOD), "200 200 200", MUST, "9112 9.3.2",
     .drops = 1},
    {"the next after an answer", RAW(HELLO_FIVE), "201 201 200", MUST, "9112 9.3.2",
     .more = HELLO_CHUNK GOOD, .echo = "hello"},
    {"bad after good", RAW(GOOD BAD), "200 400!", SHOULD, "9112 2.2", .cut = true},
    {"bad after an answer", RAW(GOOD), "200 400!", SHOULD, "9112 2.2", .more = BAD},
    {"bad after chunks", RAW(HELLO_CHUNK BAD), "201 400!", SHOULD, "9112 2.2", .echo = "hello"},
    {"good after bad", RAW(BAD GOOD DROP), "400!", SHOULD, "9112 2.2", .cut = true},
    {"bad between good", RAW(GOOD BAD DROP), "200 400!", SHOULD, "9112 2.2"},
    {"wrong chunk, then good", RAW(IN_CHUNKS "5\r\nhelloX\r\n0\r\n\r\n" DROP), "400!", SHOULD,
     "9112 2.2"},
    {"good, then a wrong chunk", RAW(GOOD IN_CHUNKS "x\r\n" DROP), "200 400!", SHOULD, "9112 2.2"},
    {"good, then noise", RAW(GOOD "\x80\xff\x01\r\n\r\n"), "200 400!", SHOULD, "9112 2.2"},
    {"good, then half a head", RAW(GOOD "GET /thi"), "200 200!", OURS, "9112 8",
     .more = "ngs HTTP/1.1\r\n" HOST CLOSE "\r\n"},
    {"byte behind a length of nought", RAW(GIVE "Content-Length: 0\r\n\r\nX"), "201 4xx?|201 501?",
     MUST, "9112 6.3", .more = GOOD},

    // The end of a connection
    {"asked to close", RAW(ASK CLOSE "\r\n"), "200!", MUST, "9112 9.6"},
    {"asked to close in capitals", RAW(ASK "CONNECTION: CLOSE\r\n\r\n"), "200!", MUST, "9112 9.6"},
    {"asked to close in a list", RAW(ASK "Connection: x-a, close\r\n\r\n"), "200!", MUST,
     "9112 9.6"},
    {"asked to close by the second of two", RAW(ASK "Connection: x-a\r\n" CLOSE "\r\n"), "200!",
     MUST, "9112 9.6"},
    {"asked to close, then more", RAW(ASK CLOSE "\r\n" DROP), "200!", MUST, "9112 9.6",
     .cut = true},
    {"asked to close with a body, then more", RAW(GIVE FIVE CLOSE "\r\nhello" DROP), "201!", MUST,
     "9112 9.6", .echo = "hello"},
    {"asked to close with chunks, then more",
     RAW(GIVE CHUNKS CLOSE "\r\n5\r\nhello\r\n0\r\n\r\n" DROP), "201!", MUST, "9112 9.6",
     .echo = "hello"},
    {"asked to close, then bad", RAW(ASK CLOSE "\r\n" BAD), "200!", MUST, "9112 9.6"},
    {"HTTP/1.0, then more", RAW("GET /things HTTP/1.0\r\n" HOST "\r\n" DROP), "200!", MUST,
     "9112 9.3"},
    {"HTTP/1.0 with a body", RAW("POST /things HTTP/1.0\r\n" HOST FIVE "\r\nhello"), "201!", SHOULD,
     "9112 9.3", .echo = "hello"},
    {"asked to go on", RAW(ASK "Connection: keep-alive\r\n\r\n"), "200", OURS, "9112 9.3"},
    {"names of other headers in Connection", RAW(ASK "Connection: Host, Content-Length\r\n\r\n"),
     "200|4xx?", OURS, "9110 7.6.1"},

    // Expect
    {"waits for a word", RAW(GIVE FIVE "Expect: 100-continue\r\n\r\n"), "100 201", MUST,
     "9110 10.1.1", .more = "hello", .echo = "hello", .cut = true},
    {"waits for a word in capitals", RAW(GIVE FIVE "EXPECT: 100-Continue\r\n\r\n"), "100 201", MUST,
     "9110 10.1.1", .more = "hello", .echo = "hello"},
    {"waits for a word with chunks", RAW(GIVE CHUNKS "Expect: 100-continue\r\n\r\n"), "100 201",
     MUST, "9110 10.1.1", .more = "5\r\nhello\r\n0\r\n\r\n", .echo = "hello"},
    {"does not wait", RAW(GIVE FIVE "Expect: 100-continue\r\n\r\nhello" GOOD),
     "100 201 200|201 200", MUST, "9110 10.1.1", .echo = "hello"},
    {"waits without a body", RAW(ASK "Expect: 100-continue\r\n\r\n"), "200|100 200", SHOULD,
     "9110 10.1.1"},
    {"waits, too long", RAW(GIVE "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n"),
     "413!|417!", OURS, "9110 10.1.1"},
    {"waits, unknown path",
     RAW("POST /nothing HTTP/1.1\r\n" HOST FIVE "Expect: 100-continue\r\n\r\n"), "404!", OURS,
     "9110 10.1.1"},
    {"waits in HTTP/1.0",
     RAW("POST /things HTTP/1.0\r\n" HOST FIVE "Expect: 100-continue\r\n\r\nhello"), "201!", MUST,
     "9110 10.1.1", .echo = "hello"},
    {"waits with a wrong length", RAW(GIVE "Content-Length: +5\r\nExpect: 100-continue\r\n\r\n"),
     "400!", MUST, "9112 6.3"},
    {"unknown expectation", RAW(ASK "Expect: 200-ok\r\n\r\n"), "200|417?", OURS, "9110 10.1.1"},
    {"unknown expectation with a body", RAW(GIVE FIVE "Expect: x\r\n\r\nhello"), "201|417?", OURS,
     "9110 10.1.1", .echo = "hello"},

    // Upgrade
    {"upgrade to h2c",
     RAW(ASK "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
             "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"),
     "200", MUST, "9110 7.8"},
    {"upgrade to a web socket",
     RAW(ASK "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
     "200", MUST, "9110 7.8"},
    {"upgrade to something unknown", RAW(ASK "Connection: Upgrade\r\nUpgrade: x/9\r\n\r\n"), "200",
     MUST, "9110 7.8"},
    {"upgrade without Connection", RAW(ASK "Upgrade: h2c\r\n\r\n"), "200", MUST, "9110 7.8"},
    {"upgrade in HTTP/1.0",
     RAW("GET /things HTTP/1.0\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), "200?",
     MUST, "9110 7.8"},
    {"upgrade with a body", RAW(GIVE FIVE "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\nhello" GOOD),
     "201 200", MUST, "9110 7.8", .echo = "hello"},

    // Other methods
    {"HEAD", RAW("HEAD /things HTTP/1.1\r\n" HOST "\r\n"), "200", MUST, "9110 9.3.2",
     .bodyless = true, .cut = true},
    {"HEAD of an unknown path", RAW("HEAD /nothing HTTP/1.1\r\n" HOST "\r\n"), "404", MUST,
     "9110 9.3.2", .bodyless = true},
    {"HEAD where only POST is", RAW("HEAD /echo HTTP/1.1\r\n" HOST "\r\n"), "405", SHOULD,
     "9110 15.5.6", .bodyless = true},
    {"HEAD, then another", RAW("HEAD /things HTTP/1.1\r\n" HOST "\r\n" GOOD), "200 200", MUST,
     "9110 9.3.2", .bodyless = true},
    {"OPTIONS", RAW("OPTIONS /things HTTP/1.1\r\n" HOST "\r\n"), "204", SHOULD, "9110 9.3.7",
     .cut = true},
    {"OPTIONS of an unknown path", RAW("OPTIONS /nothing HTTP/1.1\r\n" HOST "\r\n"), "404", OURS,
     "9110 9.3.7"},
    {"TRACE", RAW("TRACE /things HTTP/1.1\r\n" HOST "X-Secret: y\r\n\r\n"), "405?|501?", OURS,
     "9110 9.3.8"},
    {"DELETE", RAW(DROP), "200", MUST, "9110 9.3.5", .drops = 1},

    // Headers that are not for us
    {"range", RAW(ASK "Range: bytes=0-1\r\n\r\n"), "200", OURS, "9110 14.2"},
    {"thousands of ranges", RAW(ASK "Range: bytes=" MANY "0-\r\n\r\n"), "200|4xx!", OURS,
     "9110 14.2", .unit = "0-,", .times = 1000},
    {"range of a POST", RAW(GIVE FIVE "Range: bytes=0-1\r\n\r\nhello"), "201", MUST, "9110 14.2",
     .echo = "hello"},
    {"condition", RAW(ASK "If-None-Match: *\r\nIf-Modified-Since: x\r\n\r\n"), "200|304", OURS,
     "9110 13.1"},
    {"type that nobody has", RAW(ASK "Accept: application/x-none\r\n\r\n"), "200|406", OURS,
     "9110 12.5.1"},
    {"two types of a body",
     RAW(GIVE FIVE "Content-Type: text/xml\r\nContent-Type: application/json\r\n\r\nhello"),
     "201|400?|415?", OURS, "9110 8.3"},
    {"cookies of any form", RAW(ASK "Cookie: =;;=a; b; =\r\nCookie: c=\"d\r\n\r\n"), "200", OURS,
     "6265 5.4"},
};

BATTERY(talk, rows);
