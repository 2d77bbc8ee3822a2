// SPDX-License-Identifier: MIT
// Transfer-Encoding: which values mean chunks, and everything that only looks like it. Whether a
// disguised one hides a request is asked in battery_smuggle.c.

#include "tests/server/http/battery.h"

#define BODY "\r\n5\r\nhello\r\n0\r\n\r\n"
#define CODING(value) RAW(GIVE "Transfer-Encoding:" value "\r\n" BODY)
#define CODED(line) RAW(GIVE line "\r\n" BODY)

// 501 is what RFC 9112 6.1 recommends for a coding that is not known, 400 what 6.3 demands where
// the last coding is not chunked.
#define REFUSED "400!|501!"

static const struct battery_case rows[] = {
    {"chunked", CODING(" chunked"), "201", MUST, "9112 7.1", .echo = "hello", .cut = true},
    {"in capitals", CODED("TRANSFER-ENCODING: CHUNKED"), "201", MUST, "9112 7", .echo = "hello"},
    {"in mixed letters", CODED("tRANSFER-eNCODING: cHuNkEd"), "201", MUST, "9112 7",
     .echo = "hello"},
    {"no blank", CODING("chunked"), "201", MUST, "9112 5", .echo = "hello"},
    {"tab before", CODING("\tchunked"), "201", MUST, "9112 5.1", .echo = "hello"},
    {"blanks before", CODING("   chunked"), "201", MUST, "9112 5.1", .echo = "hello"},
    {"blank behind", CODING(" chunked "), "201", MUST, "9112 5.1", .echo = "hello"},
    {"tab behind", CODING(" chunked\t"), "201", MUST, "9112 5.1", .echo = "hello"},
    {"header TE", RAW(ASK "TE: trailers, deflate;q=0.5\r\n\r\n"), "200", MUST, "9110 10.1.4"},

    {"gzip", CODING(" gzip"), REFUSED, MUST, "9112 6.3", .cut = true},
    {"deflate", CODING(" deflate"), REFUSED, MUST, "9112 6.3"},
    {"identity", CODING(" identity"), REFUSED, MUST, "9112 6.3"},
    {"xchunked", CODING(" xchunked"), REFUSED, MUST, "9112 6.3"},
    {"chunkedx", CODING(" chunkedx"), REFUSED, MUST, "9112 6.3"},
    {"chunk", CODING(" chunk"), REFUSED, MUST, "9112 6.3"},
    {"gzip, chunked", CODING(" gzip, chunked"), REFUSED, SHOULD, "9112 6.1"},
    {"identity, chunked", CODING(" identity, chunked"), REFUSED, SHOULD, "9112 6.1"},
    {"chunked, gzip", CODING(" chunked, gzip"), REFUSED, MUST, "9112 6.3"},
    {"chunked, identity", CODING(" chunked, identity"), REFUSED, MUST, "9112 6.3"},
    {"chunked, chunked", CODING(" chunked, chunked"), REFUSED, SHOULD, "9112 6.1"},
    {"chunked,chunked", CODING(" chunked,chunked"), REFUSED, SHOULD, "9112 6.1"},
    {"words without commas", CODING(" gzip chunked x"), REFUSED, MUST, "9112 6.3"},
    {"chunked twice without a comma", CODING(" chunked chunked"), REFUSED, MUST, "9112 6.3"},
    {"comma before", CODING(" , chunked"), "201|" REFUSED, OURS, "9110 5.6.1", .echo = "hello"},
    {"comma behind", CODING(" chunked,"), "201|" REFUSED, OURS, "9110 5.6.1", .echo = "hello"},
    {"parameter", CODING(" chunked;q=1"), REFUSED, SHOULD, "9112 7"},
    {"semicolon behind", CODING(" chunked;"), REFUSED, MUST, "9112 6.3"},
    {"quotation marks", CODING(" \"chunked\""), REFUSED, MUST, "9112 6.3"},
    {"apostrophes", CODING(" 'chunked'"), REFUSED, MUST, "9112 6.3"},
    {"empty", CODING(""), REFUSED, MUST, "9112 6.3"},
    {"blanks", CODING("  "), REFUSED, MUST, "9112 6.3"},
    {"comma alone", CODING(" ,"), REFUSED, MUST, "9112 6.3"},
    {"vertical tab before",
     CODING(" \x0b"
            "chunked"),
     REFUSED, MUST, "9112 6.3"},
    {"form feed before",
     CODING(" \x0c"
            "chunked"),
     REFUSED, MUST, "9112 6.3"},
    {"high byte before",
     CODING(" \xff"
            "chunked"),
     REFUSED, MUST, "9112 6.3"},
    {"no-break space before",
     CODING(" \xc2\xa0"
            "chunked"),
     REFUSED, MUST, "9112 6.3"},
    {"control character behind", CODING(" chunked\x01"), REFUSED, MUST, "9112 6.3"},
    {"high byte inside", CODING(" ch\x96nked"), REFUSED, MUST, "9112 6.3"},
    {"NUL behind", CODING(" chunked\0"), "400!", MUST, "9110 5.5", .cut = true},
    {"NUL and more behind", CODING(" chunked\0, gzip"), "400!", MUST, "9110 5.5"},
    {"NUL before", CODING(" \0chunked"), "400!", MUST, "9110 5.5"},
    {"bare CR behind", CODING(" chunked\r"), "400!", MUST, "9112 2.2"},
    {"bare CR before", CODING("\rchunked"), "400!", MUST, "9112 2.2"},

    {"twice", CODED("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), REFUSED, SHOULD,
     "9112 6.1"},
    {"two, the first gzip", CODED("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), REFUSED,
     SHOULD, "9112 6.1"},
    {"two, the last identity", CODED("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
     REFUSED, MUST, "9112 6.3", .cut = true},
    {"two, the last empty", CODED("Transfer-Encoding: chunked\r\nTransfer-Encoding:"), REFUSED,
     OURS, "9112 6.1"},
    {"folded", CODING("\r\n chunked"), "400!", MUST, "9112 5.2", .cut = true},
    {"folded by a tab", CODING("\r\n\tchunked"), "400!", MUST, "9112 5.2"},
    {"folded behind", CODING(" chunked\r\n , gzip"), "400!", MUST, "9112 5.2"},
    {"fold of blanks behind", CODING(" chunked\r\n "), "400!", MUST, "9112 5.2"},
    {"folded into the line before", CODED("X: y\r\n Transfer-Encoding: chunked"), "400!", MUST,
     "9112 5.2"},
    {"folded by a bare LF", CODING("\n chunked"), "400!", MUST, "9112 5.2"},
    {"blank before the colon", CODED("Transfer-Encoding : chunked"), "400!", MUST, "9112 5.1",
     .cut = true},
    {"tab before the colon", CODED("Transfer-Encoding\t: chunked"), "400!", MUST, "9112 5.1"},
    {"blank for the hyphen", CODED("Transfer Encoding: chunked"), "400!", SHOULD, "9112 2.2"},
    {"CR in the name", CODED("Transfer\r-Encoding: chunked"), "400!", MUST, "9112 2.2"},
    {"high byte in the name", CODED("Transf\x82r-Encoding: chunked"), "400!", SHOULD, "9112 2.2"},
    {"after a bare LF", CODED("X: y\nTransfer-Encoding: chunked"), "400!", OURS, "9112 2.2"},
    {"after a bare CR", CODED("X: y\rTransfer-Encoding: chunked"), "400!", MUST, "9112 2.2"},
    {"with a length", CODED(FIVE "Transfer-Encoding: chunked"), "400!", OURS, "9112 6.1",
     .cut = true},
    {"before a length", CODED("Transfer-Encoding: chunked\r\nContent-Length: 5"), "400!", OURS,
     "9112 6.1"},
    {"with a length of nought", CODED("Content-Length: 0\r\nTransfer-Encoding: chunked"), "400!",
     OURS, "9112 6.1"},
    {"with a wrong length", CODED("Content-Length: +5\r\nTransfer-Encoding: chunked"), "400!", OURS,
     "9112 6.1"},
    {"in HTTP/1.0", RAW("POST /things HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" BODY),
     "400!", MUST, "9112 6.1", .cut = true},
    {"in HTTP/1.0 with a length",
     RAW("POST /things HTTP/1.0\r\n" HOST FIVE "Transfer-Encoding: chunked\r\n\r\nhello"), "400!",
     MUST, "9112 6.1"},
    {"with a GET", RAW(ASK "Transfer-Encoding: chunked\r\n" BODY), "200|4xx!", MUST, "9112 6.3"},
    {"unknown with a GET", RAW(ASK "Transfer-Encoding: gzip\r\n\r\n"), REFUSED, MUST, "9112 6.3"},
    {"named by Connection", CODED("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked"),
     "201|4xx!", OURS, "9110 7.6.1", .echo = "hello"},
    {"as a coding of the content", RAW(GIVE "Content-Encoding: chunked\r\n" FIVE "\r\nhello"),
     "415!", SHOULD, "9110 8.4"},
};

BATTERY(coding, rows);
