// SPDX-License-Identifier: MIT
// What the service itself says to requests whose form is right: paths, methods, media types,
// limits.

#include "tests/server/http/battery.h"

#define TYPE(type) "Content-Type: " type "\r\n"
#define SITE(site) "Sec-Fetch-Site: " site "\r\n"
#define THREE "Content-Length: 3\r\n"
#define SINK "POST /sink?name=a HTTP/1.1\r\n" HOST

static const struct battery_case rows[] = {
    // Paths and parameters
    {"unknown path", RAW("GET /nothing HTTP/1.1\r\n" HOST "\r\n"), "404", OURS, "9110 15.5.5"},
    {"prefix of a path", RAW("GET /thing HTTP/1.1\r\n" HOST "\r\n"), "404", OURS, "9110 15.5.5"},
    {"path with more", RAW("GET /things2 HTTP/1.1\r\n" HOST "\r\n"), "404", OURS, "9110 15.5.5"},
    {"trailing slash", RAW("GET /things/ HTTP/1.1\r\n" HOST "\r\n"), "404", OURS, "9110 15.5.5"},
    {"id that is no number", RAW("GET /things/x HTTP/1.1\r\n" HOST "\r\n"), "404", OURS,
     "9110 15.5.5"},
    {"id with an escape", RAW("GET /things/%37 HTTP/1.1\r\n" HOST "\r\n"), "200", MUST,
     "3986 6.2.2", .echo = "7 - -"},
    {"path with an escape", RAW("GET /thin%67s HTTP/1.1\r\n" HOST "\r\n"), "200", MUST,
     "3986 6.2.2"},
    {"unknown parameter", RAW("GET /things?nmae=1 HTTP/1.1\r\n" HOST "\r\n"), "422", OURS,
     "9110 15.5.21"},
    {"empty query", RAW("GET /things? HTTP/1.1\r\n" HOST "\r\n"), "200", OURS, "3986 3.4"},
    {"%00", RAW("GET /things/7%00 HTTP/1.1\r\n" HOST "\r\n"), "400", OURS, "3986 7.3"},
    {"encoded dots alone", RAW("GET /things/%2e%2E HTTP/1.1\r\n" HOST "\r\n"), "400", OURS,
     "3986 7.6"},
    {"broken UTF-8", RAW("GET /things/%c3%28 HTTP/1.1\r\n" HOST "\r\n"), "400", OURS, "3629 3"},

    // Methods
    {"wrong method", RAW("PUT /things HTTP/1.1\r\n" HOST "\r\n"), "405", MUST, "9110 15.5.6"},
    {"wrong method with a body", RAW("PUT /things HTTP/1.1\r\n" HOST THREE "\r\nabc"), "405!", OURS,
     "9110 15.5.6"},
    {"unknown method", RAW("FOO /things HTTP/1.1\r\n" HOST "\r\n"), "405|501", SHOULD, "9110 9.1"},
    {"DELETE where only GET is", RAW("DELETE /broken HTTP/1.1\r\n" HOST "\r\n"), "405", MUST,
     "9110 15.5.6"},

    // Pages of other sites
    {"page of another site", RAW("DELETE /things/7 HTTP/1.1\r\n" HOST SITE("cross-site") "\r\n"),
     "400!|403!|403", OURS, "9110 15.5.4"},
    {"link from another site", RAW(ASK SITE("cross-site") "\r\n"), "200", OURS, "9110 15.5.4"},
    {"page of our own", RAW("DELETE /things/7 HTTP/1.1\r\n" HOST SITE("same-origin") "\r\n"), "200",
     OURS, "9110 15.5.4", .drops = 1},

    // Media types
    {"JSON", RAW(GIVE TYPE("application/json; charset=utf-8") THREE "\r\nabc"), "201", OURS,
     "9110 8.3", .echo = "abc"},
    {"JSON as curl -d declares it",
     RAW(GIVE TYPE("application/x-www-form-urlencoded") THREE "\r\nabc"), "201", OURS, "9110 8.3",
     .echo = "abc"},
    {"JSON without a type", RAW(GIVE THREE "\r\nabc"), "201", OURS, "9110 8.3", .echo = "abc"},
    {"JSON declared as XML", RAW(GIVE TYPE("text/xml") THREE "\r\nabc"), "415!", OURS,
     "9110 15.5.16"},
    {"JSON declared as text", RAW(GIVE TYPE("text/plain") THREE "\r\nabc"), "415!", OURS,
     "9110 15.5.16"},
    {"compressed JSON", RAW(GIVE "Content-Encoding: gzip\r\n" THREE "\r\nabc"), "415!", SHOULD,
     "9110 15.5.16"},
    {"CSV", RAW(SINK TYPE("text/csv") THREE "\r\na,b"), "201", OURS, "9110 8.3"},
    {"CSV in chunks", RAW(SINK TYPE("text/csv") CHUNKS "\r\n2\r\na,\r\n1\r\nb\r\n0\r\n\r\n"), "201",
     OURS, "9110 8.3"},
    {"CSV declared as JSON", RAW(SINK TYPE("application/json") THREE "\r\na,b"), "415!", OURS,
     "9110 15.5.16"},

    // Bodies that end badly
    {"stream without its parameter", RAW("POST /sink HTTP/1.1\r\n" HOST THREE "\r\na,b"), "422!",
     OURS, "9110 15.5.21"},
    {"stream whose sink is taken", RAW("POST /sink?name=taken HTTP/1.1\r\n" HOST THREE "\r\na,b"),
     "409!", OURS, "9110 15.5.10"},
    {"stream with a fault", RAW(SINK THREE "\r\na!b"), "422!", OURS, "9110 15.5.21"},
    {"stream in chunks with a fault", RAW(SINK CHUNKS "\r\n3\r\na!b\r\n0\r\n\r\n"), "422!", OURS,
     "9110 15.5.21"},
    {"stream with a fault, then a wrong chunk", RAW(SINK CHUNKS "\r\n3\r\na!b\r\nx\r\n" DROP),
     "422!|400!", OURS, "9110 15.5.21"},
    {"stream and a wrong chunk", RAW(SINK CHUNKS "\r\n3\r\na,b\r\nx\r\n" DROP), "400!", SHOULD,
     "9112 2.2"},
    {"body where none is read",
     RAW("POST /things/7/cancel HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}"), "202", OURS,
     "9110 9.3.3"},
    {"body at the limit", RAW(GIVE "Content-Length: 1000\r\n\r\n" MANY), "201", OURS,
     "9110 15.5.14", .unit = "0123456789", .times = 100},
    {"chunks at the limit", RAW(IN_CHUNKS "3e8\r\n" MANY "\r\n0\r\n\r\n"), "201", OURS,
     "9110 15.5.14", .unit = "0123456789", .times = 100},
    {"body beyond the limit", RAW(GIVE "Content-Length: 1001\r\n\r\n" MANY "a"), "413!", OURS,
     "9110 15.5.14", .unit = "0123456789", .times = 100},

    // Our own faults
    {"failing handler", RAW("GET /broken HTTP/1.1\r\n" HOST "\r\n"), "500", OURS, "9110 15.6.1"},
    {"busy handler", RAW("GET /broken/busy HTTP/1.1\r\n" HOST "\r\n"), "503", OURS, "9110 15.6.4"},
};

BATTERY(service, rows);
