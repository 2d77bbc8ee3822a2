// SPDX-License-Identifier: MIT
// Odd requests, each on a connection of its own: what is answered, and whether the connection ends.

#include "edge.h"
#include "harness.h"
#include "peer.h"

static const struct {
    const char *name, *request;
    int status;
    enum { KEEPS, CLOSES } then;
} battery[] = {
    {"plain", "GET /things HTTP/1.1\r\n" H "\r\n", 200, KEEPS},
    {"asked to close", "GET /things HTTP/1.1\r\n" H "Connection: close\r\n\r\n", 200, CLOSES},
    {"HTTP/1.0", "GET /things HTTP/1.0\r\n\r\n", 200, CLOSES},
    {"unknown path", "GET /nothing HTTP/1.1\r\n" H "\r\n", 404, KEEPS},
    {"prefix of a path", "GET /thing HTTP/1.1\r\n" H "\r\n", 404, KEEPS},
    {"path with more", "GET /things2 HTTP/1.1\r\n" H "\r\n", 404, KEEPS},
    {"trailing slash", "GET /things/ HTTP/1.1\r\n" H "\r\n", 404, KEEPS},
    {"double slash", "GET //things HTTP/1.1\r\n" H "\r\n", 404, KEEPS},
    {"id that is no number", "GET /things/x HTTP/1.1\r\n" H "\r\n", 404, KEEPS},
    {"unknown parameter", "GET /things?nmae=1 HTTP/1.1\r\n" H "\r\n", 422, KEEPS},
    {"wrong method", "PUT /things HTTP/1.1\r\n" H "\r\n", 405, KEEPS},
    {"wrong method with a body", "PUT /things HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 405,
     CLOSES},
    {"unknown method", "FOO /things HTTP/1.1\r\n" H "\r\n", 405, KEEPS},
    {"lower-case method", "get /things HTTP/1.1\r\n" H "\r\n", 405, KEEPS},
    {"length and chunks",
     "POST /things HTTP/1.1\r\n" H "Content-Length: 3\r\n" CHUNKED "\r\n0\r\n\r\n", 400, CLOSES},
    {"chunks and length",
     "POST /things HTTP/1.1\r\n" H CHUNKED "Content-Length: 3\r\n\r\n0\r\n\r\n", 400, CLOSES},
    {"smuggled second request",
     "POST /things HTTP/1.1\r\n" H "Content-Length: 47\r\n" CHUNKED
     "\r\n0\r\n\r\nGET /things HTTP/1.1\r\n" H "\r\n",
     400, CLOSES},
    {"gzip, chunked", "POST /things HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 400,
     CLOSES},
    {"identity", "POST /things HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 400, CLOSES},
    {"xchunked", "POST /things HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 400, CLOSES},
    {"chunked twice", "POST /things HTTP/1.1\r\n" H CHUNKED CHUNKED "\r\n0\r\n\r\n", 400, CLOSES},
    {"chunks in HTTP/1.0", "POST /things HTTP/1.0\r\n" H CHUNKED "\r\n0\r\n\r\n", 400, CLOSES},
    {"two lengths",
     "POST /things HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", 400,
     CLOSES},
    {"two equal lengths",
     "POST /things HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400,
     CLOSES},
    {"signed length", "POST /things HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", 400, CLOSES},
    {"negative length", "POST /things HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc", 400, CLOSES},
    {"two hosts", "GET /things HTTP/1.1\r\n" H H "\r\n", 400, CLOSES},
    {"no host", "GET /things HTTP/1.1\r\n\r\n", 400, CLOSES},
    {"blank before the colon", "GET /things HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc", 400,
     CLOSES},
    {"header name that is no token", "GET /things HTTP/1.1\r\n" H "a(b): 3\r\n\r\n", 400, CLOSES},
    {"header without a colon", "GET /things HTTP/1.1\r\n" H "abc\r\n\r\n", 400, CLOSES},
    {"control character in a value", "GET /things HTTP/1.1\r\n" H "a: b\x01\r\n\r\n", 400, CLOSES},
    {"HTTP/3", "GET /things HTTP/3.0\r\n" H "\r\n", 505, CLOSES},
    {"%00", "GET /things/7%00 HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"%00 in a parameter", "GET /things/7?name=a%00b HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"encoded dots", "GET /things/%2e%2e%2fetc HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"encoded dots alone", "GET /things/%2e%2E HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"dots", "GET /things/../things HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"broken escape", "GET /things/%4 HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"broken UTF-8", "GET /things/%c3%28 HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"absolute URI", "GET http://x/things HTTP/1.1\r\n" H "\r\n", 200, KEEPS},
    {"asterisk", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"page of another site", "DELETE /things/7 HTTP/1.1\r\n" H "Sec-Fetch-Site: cross-site\r\n\r\n",
     400, CLOSES},
    {"link from another site", "GET /things HTTP/1.1\r\n" H "Sec-Fetch-Site: cross-site\r\n\r\n",
     200, KEEPS},
    {"JSON",
     "POST /things HTTP/1.1\r\n" H "Content-Type: application/json; charset=utf-8\r\n"
     "Content-Length: 3\r\n\r\nabc",
     201, KEEPS},
    {"JSON as curl -d declares it",
     "POST /things HTTP/1.1\r\n" H "Content-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 3\r\n\r\nabc",
     201, KEEPS},
    {"JSON without a type", "POST /things HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 201,
     KEEPS},
    {"no JSON at all", "POST /things HTTP/1.1\r\n" H "\r\n", 201, KEEPS},
    {"JSON declared as XML",
     "POST /things HTTP/1.1\r\n" H "Content-Type: text/xml\r\nContent-Length: 3\r\n\r\nabc", 415,
     CLOSES},
    {"JSON declared as text",
     "POST /things HTTP/1.1\r\n" H "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc", 415,
     CLOSES},
    {"compressed JSON",
     "POST /things HTTP/1.1\r\n" H "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415,
     CLOSES},
    {"CSV",
     "POST /sink?name=a HTTP/1.1\r\n" H "Content-Type: text/csv\r\nContent-Length: 3\r\n\r\na,b",
     201, KEEPS},
    {"CSV declared as JSON",
     "POST /sink?name=a HTTP/1.1\r\n" H
     "Content-Type: application/json\r\nContent-Length: 3\r\n\r\na,b",
     415, CLOSES},
    {"stream without its parameter", "POST /sink HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\na,b",
     422, CLOSES},
    {"stream whose sink is taken",
     "POST /sink?name=taken HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\na,b", 409, CLOSES},
    {"stream with a fault", "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\na!b", 422,
     CLOSES},
    {"body where none is read",
     "POST /things/7/cancel HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}", 202, KEEPS},
    {"length beyond the limit, without the body",
     "POST /things HTTP/1.1\r\n" H "Content-Length: 1001\r\n\r\n", 413, CLOSES},
    {"length beyond the limit, waiting for a word",
     "POST /things HTTP/1.1\r\n" H "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", 413,
     CLOSES},
    {"length beyond all reason",
     "POST /things HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 413, CLOSES},
    {"failing handler", "GET /broken HTTP/1.1\r\n" H "\r\n", 500, KEEPS},
    {"busy handler", "GET /broken/busy HTTP/1.1\r\n" H "\r\n", 503, KEEPS},
};

LOOP_TEST(http_gate_answers_every_row_of_the_battery, sizeof battery / sizeof *battery)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    peer_send(&p, battery[_i].request);
    peer_answer(&p, &a, false);
    ck_assert_msg(a.status == battery[_i].status, "%s: %d, not %d\n%s", battery[_i].name, a.status,
                  battery[_i].status, a.body);
    if (battery[_i].then == CLOSES) {
        ck_assert_msg(peer_at_end(&p), "%s: more was answered: %s", battery[_i].name, p.in);
    } else {
        peer_send(&p, "GET /things HTTP/1.1\r\n" H "\r\n");
        peer_answer(&p, &a, false);
        ck_assert_msg(a.status == 200, "%s: the next request got %d", battery[_i].name, a.status);
    }
    peer_close(&p);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.begun),
                     atomic_load(&seen.ended) + atomic_load(&seen.undone));
}
