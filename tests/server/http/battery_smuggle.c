// SPDX-License-Identifier: MIT
// Requests hidden in the body of another. Each of them is a DELETE that is counted: it must not
// run, however the length that hides it is disguised.

#include "tests/server/http/battery.h"

// One line of Transfer-Encoding beside a Content-Length, in both directions: who believes in the
// chunks sees a request behind the last one, who believes in the length sees one behind it.
#define BEHIND_CHUNKS(line) RAW(GIVE "Content-Length: 53\r\n" line "\r\n\r\n0\r\n\r\n" DROP)
#define BEHIND_LENGTH(line)                                                                        \
    RAW(GIVE "Content-Length: 4\r\n" line "\r\n\r\n" DROP_HEX "\r\n" DROP "\r\n0\r\n\r\n")
#define FAULTY "400!|501!", MUST, "9112 6.3"
#define PAIR(name, line)                                                                           \
    {name ", behind the chunks", BEHIND_CHUNKS(line), FAULTY},                                     \
    {                                                                                              \
        name ", behind the length", BEHIND_LENGTH(line), FAULTY                                    \
    }

// A body that is a request.
#define BODY_OF(head) RAW(head "Content-Length: " DROP_LEN "\r\n\r\n" DROP)

static const struct battery_case rows[] = {
    PAIR("chunked", "Transfer-Encoding: chunked"),
    PAIR("capitals", "TRANSFER-ENCODING: CHUNKED"),
    PAIR("blank before the colon", "Transfer-Encoding : chunked"),
    PAIR("tab before the colon", "Transfer-Encoding\t: chunked"),
    PAIR("blank behind", "Transfer-Encoding: chunked "),
    PAIR("tab before the value", "Transfer-Encoding:\tchunked"),
    PAIR("vertical tab", "Transfer-Encoding: \x0b"
                         "chunked"),
    PAIR("form feed", "Transfer-Encoding: \x0c"
                      "chunked"),
    PAIR("high byte", "Transfer-Encoding: \xff"
                      "chunked"),
    PAIR("NUL behind", "Transfer-Encoding: chunked\0"),
    PAIR("NUL before", "Transfer-Encoding: \0chunked"),
    PAIR("bare CR behind", "Transfer-Encoding: chunked\r"),
    PAIR("folded", "Transfer-Encoding:\r\n chunked"),
    PAIR("folded by a tab", "Transfer-Encoding:\r\n\tchunked"),
    PAIR("folded by a bare LF", "Transfer-Encoding:\n chunked"),
    PAIR("folded into a line before", "X: y\r\n Transfer-Encoding: chunked"),
    PAIR("after a bare LF", "X: y\nTransfer-Encoding: chunked"),
    PAIR("after a bare CR", "X: y\rTransfer-Encoding: chunked"),
    PAIR("begins with a blank", " Transfer-Encoding: chunked"),
    PAIR("CR in the name", "Transfer\r-Encoding: chunked"),
    PAIR("NUL in the name", "Transfer\0-Encoding: chunked"),
    PAIR("NUL ends the name", "Transfer-Encoding\0: chunked"),
    PAIR("blank for the hyphen", "Transfer Encoding: chunked"),
    PAIR("quotation marks", "Transfer-Encoding: \"chunked\""),
    PAIR("parameter", "Transfer-Encoding: chunked;a=b"),
    PAIR("comma before", "Transfer-Encoding: , chunked"),
    PAIR("comma behind", "Transfer-Encoding: chunked,"),
    PAIR("identity", "Transfer-Encoding: identity"),
    PAIR("chunked, identity", "Transfer-Encoding: chunked, identity"),
    PAIR("identity, chunked", "Transfer-Encoding: identity, chunked"),
    PAIR("twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    PAIR("two, identity last", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    PAIR("two, unknown first", "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked"),
    PAIR("unknown", "Transfer-Encoding: xchunked"),
    PAIR("empty", "Transfer-Encoding:"),
    PAIR("behind an empty name", ":\r\nTransfer-Encoding: chunked"),

    // Lengths that hide
    {"two lengths, the short first",
     RAW(GIVE "Content-Length: 0\r\nContent-Length: " DROP_LEN "\r\n\r\n" DROP), "400!", MUST,
     "9112 6.3"},
    {"two lengths, the long first",
     RAW(GIVE "Content-Length: " DROP_LEN "\r\nContent-Length: 0\r\n\r\n" DROP), "400!", MUST,
     "9112 6.3"},
    {"list of lengths", RAW(GIVE "Content-Length: 0, " DROP_LEN "\r\n\r\n" DROP), "400!", MUST,
     "9112 6.3"},
    {"folded length", RAW(GIVE "Content-Length:\r\n " DROP_LEN "\r\n\r\n" DROP), "400!", MUST,
     "9112 5.2", .cut = true},
    {"folded length, tab", RAW(GIVE "Content-Length:\r\n\t" DROP_LEN "\r\n\r\n" DROP), "400!", MUST,
     "9112 5.2"},
    {"length folded into a line before",
     RAW(GIVE "X: y\r\n Content-Length: " DROP_LEN "\r\n\r\n" DROP), "400!", MUST, "9112 5.2"},
    {"length in a first line that begins with a blank",
     RAW("POST /things HTTP/1.1\r\n Content-Length: " DROP_LEN "\r\n" HOST "\r\n" DROP), "400!",
     MUST, "9112 2.2"},
    {"folded chunks",
     RAW(GIVE "Transfer-Encoding:\r\n chunked\r\n\r\n" DROP_HEX "\r\n" DROP "\r\n0\r\n\r\n"),
     "400!", MUST, "9112 5.2", .cut = true},
    {"NUL cuts a length",
     RAW(GIVE "Content-Length: 4\0"
              "8\r\n\r\n" DROP),
     "400!", MUST, "9110 5.5"},
    {"plus before a length", RAW(GIVE "Content-Length: +" DROP_LEN "\r\n\r\n" DROP), "400!", MUST,
     "9112 6.3"},
    {"letters behind a length", RAW(GIVE "Content-Length: " DROP_LEN "x\r\n\r\n" DROP), "400!",
     MUST, "9112 6.3"},
    {"blank before the colon of a length", RAW(GIVE "Content-Length : " DROP_LEN "\r\n\r\n" DROP),
     "400!", MUST, "9112 5.1"},
    {"length after a bare LF", RAW(GIVE "X: y\nContent-Length: " DROP_LEN "\r\n\r\n" DROP), "400!",
     OURS, "9112 2.2"},
    {"length after a bare CR", RAW(GIVE "X: y\rContent-Length: " DROP_LEN "\r\n\r\n" DROP), "400!",
     MUST, "9112 2.2"},
    {"length behind an empty name", RAW(GIVE ":\r\nContent-Length: " DROP_LEN "\r\n\r\n" DROP),
     "400!", SHOULD, "9112 2.2"},

    // Heads that end too early
    {"line that begins with a colon", RAW(ASK ": y\r\n" DROP), "400!", SHOULD, "9112 2.2",
     .cut = true},
    {"colon alone", RAW(ASK ":\r\n" DROP), "400!", SHOULD, "9112 2.2"},
    {"bare LF LF in a value", RAW(ASK "X: y\n\n" DROP), "400!", OURS, "9112 2.2"},
    {"LF CR LF", RAW(ASK "X: y\n\r\n" DROP), "400!", OURS, "9112 2.2"},
    {"bare CR CR", RAW(ASK "X: y\r\r" DROP), "400!", MUST, "9112 2.2"},
    {"NUL NUL", RAW(ASK "X: y\0\0" DROP), "400!", MUST, "9110 5.5"},
    {"line of a blank", RAW(ASK "X: y\r\n \r\n" DROP), "400!", MUST, "9112 5.2"},

    // Bodies of requests that are answered without them
    {"body of a GET", BODY_OF(ASK), "200|4xx!", MUST, "9112 6.3"},
    {"body of a HEAD", BODY_OF("HEAD /things HTTP/1.1\r\n" HOST), "200|4xx!", MUST, "9112 6.3",
     .bodyless = true},
    {"body of an OPTIONS", BODY_OF("OPTIONS /things HTTP/1.1\r\n" HOST), "204|4xx!", MUST,
     "9112 6.3"},
    {"body of a TRACE", BODY_OF("TRACE /things HTTP/1.1\r\n" HOST), "4xx?|501?", MUST, "9112 6.3"},
    {"body of a CONNECT", BODY_OF("CONNECT localhost:80 HTTP/1.1\r\n" HOST), "4xx!|501!|4xx?", MUST,
     "9112 6.3"},
    {"body of an unknown method", BODY_OF("FROB /things HTTP/1.1\r\n" HOST), "4xx?|501?", MUST,
     "9112 6.3"},
    {"body where none is read", BODY_OF("POST /things/7/cancel HTTP/1.1\r\n" HOST), "202|4xx!",
     MUST, "9112 6.3"},
    {"body to an unknown path", BODY_OF("POST /nothing HTTP/1.1\r\n" HOST), "404?", MUST,
     "9112 6.3"},
    {"body of a wrong method", BODY_OF("PUT /things HTTP/1.1\r\n" HOST), "405?", MUST, "9112 6.3"},
    {"body of a wrong type", BODY_OF(GIVE "Content-Type: text/xml\r\n"), "415?", MUST, "9112 6.3"},
    {"body of a wrong target", BODY_OF("POST /things#x HTTP/1.1\r\n" HOST), "400!|4xx?", MUST,
     "9112 6.3"},
    {"body without Host", BODY_OF("POST /things HTTP/1.1\r\n"), "400!", MUST, "9112 6.3"},
    {"body that nobody waited for",
     RAW(GIVE "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n" DROP), "413!|417!", MUST,
     "9110 10.1.1"},
    {"chunks that nobody waited for",
     RAW("PUT /things HTTP/1.1\r\n" HOST CHUNKS "Expect: 100-continue\r\n\r\n" DROP_HEX "\r\n" DROP
         "\r\n0\r\n\r\n"),
     "405!|405?", MUST, "9110 10.1.1"},
    {"chunks where none is read",
     RAW("POST /things/7/cancel HTTP/1.1\r\n" HOST CHUNKS "\r\n" DROP_HEX "\r\n" DROP
         "\r\n0\r\n\r\n"),
     "202|4xx!", MUST, "9112 6.3"},
    {"chunks of a GET", RAW(ASK CHUNKS "\r\n" DROP_HEX "\r\n" DROP "\r\n0\r\n\r\n"), "200|4xx!",
     MUST, "9112 6.3"},
    {"body of a request that comes back", BODY_OF(GIVE), "201", MUST, "9112 6.3", .echo = DROP,
     .cut = true},
    {"chunk of a request that comes back", RAW(IN_CHUNKS DROP_HEX "\r\n" DROP "\r\n0\r\n\r\n"),
     "201", MUST, "9112 7.1", .echo = DROP, .cut = true},
    {"body of HTTP/1.0", BODY_OF("POST /things HTTP/1.0\r\n" HOST), "201!", MUST, "9112 6.3",
     .echo = DROP},
    {"length under an underscore",
     RAW(GIVE "Content-Length: " DROP_LEN "\r\nContent_Length: 0\r\n\r\n" DROP), "201", MUST,
     "9110 5.1", .echo = DROP},
    {"chunks under an underscore",
     RAW(GIVE "Content-Length: 53\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n" DROP), "201",
     MUST, "9110 5.1", .echo = "0\r\n\r\n" DROP},
    {"length in a trailer", RAW(IN_CHUNKS "5\r\nhello\r\n0\r\nContent-Length: 0\r\n\r\n"),
     "201|4xx!", MUST, "9110 6.5.1", .echo = "hello"},
    {"method by another header",
     RAW("GET /things/666 HTTP/1.1\r\n" HOST "X-HTTP-Method-Override: DELETE\r\n"
         "X-HTTP-Method: DELETE\r\nX-Method-Override: DELETE\r\n\r\n"),
     "200", OURS, "9110 9.1"},
};

BATTERY(smuggle, rows);
