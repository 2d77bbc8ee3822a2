// SPDX-License-Identifier: MIT
// One request's way, seen from the wire: what answers carry, and bodies of all kinds.

#include "tests/server/http/edge.h"
#include "tests/harness.h"
#include "tests/server/http/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- What an answer carries ----

static const struct {
    const char *request;
    int status;
    const char *header, *value;
} carries[] = {
    {"GET /things", 200, "Content-Type", "application/json"},
    {"GET /things", 200, "X-Content-Type-Options", "nosniff"},
    {"GET /things", 200, "Cache-Control", "no-store"},
    {"GET /things", 200, "Content-Length", "11"},
    {"GET /things", 200, "Retry-After", NULL},
    {"POST /things", 201, "Location", "/things/7"},
    {"HEAD /things", 200, "Content-Length", "11"},
    {"HEAD /things", 200, "Content-Type", "application/json"},
    {"HEAD /nothing", 404, "Content-Type", "application/problem+json"},
    {"OPTIONS /things", 204, "Allow", "GET, HEAD, POST, OPTIONS"},
    {"OPTIONS /things/7", 204, "Allow", "GET, HEAD, DELETE, OPTIONS"},
    {"OPTIONS /things", 204, "Content-Type", NULL},
    {"OPTIONS /nothing", 404, "Allow", NULL},
    {"PUT /things", 405, "Allow", "GET, HEAD, POST, OPTIONS"},
    {"FOO /things/7/cancel", 405, "Allow", "POST, OPTIONS"},
    {"PUT /things", 405, "Content-Type", "application/problem+json"},
    {"GET /broken/busy", 503, "Retry-After", "1"},
    {"GET /broken", 500, "X-Content-Type-Options", "nosniff"},
    {"GET /things", 200, "Cross-Origin-Resource-Policy", "same-origin"},
    {"GET /nothing", 404, "Cross-Origin-Resource-Policy", "same-origin"},
    {"GET /things", 200, "Content-Security-Policy",
     "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
    {"GET /things", 200, "Access-Control-Allow-Origin", NULL},
    {"GET /things", 200, "Vary", NULL},
};

LOOP_TEST(http_answers_carry_their_headers, sizeof carries / sizeof *carries)
{
    struct http *h = edge_serve(NULL);
    struct response a;
    char text[200];
    snprintf(text, sizeof text, "%s HTTP/1.1\r\n" H "\r\n", carries[_i].request);
    peer_ask(http_port(h), text, &a);
    ck_assert_int_eq(a.status, carries[_i].status);
    const char *value = answer_header(&a, carries[_i].header);
    if (carries[_i].value)
        ck_assert_pstr_eq(value, carries[_i].value);
    else
        ck_assert_ptr_null(value);
    http_stop(h);
}

// ---- In which form ----

static const struct {
    const char *method, *path, *headers;
    int status;
    const char *media, *vary, *body; // body: a part of it
} formed[] = {
    {"GET", "", "", 200, "application/json", "Accept", "{\"it\":\"round\"}"},
    {"GET", "", "Accept: */*\r\n", 200, "application/json", "Accept", "{\"it\":\"round\"}"},
    {"GET", "", "Accept: text/*\r\n", 200, "text/plain; charset=utf-8", "Accept", "round"},
    {"GET", "", "Accept: a/b\r\nAccept: text/plain\r\n", 200, "text/plain; charset=utf-8", "Accept",
     "round"},
    {"HEAD", "", "Accept: text/*\r\n", 200, "text/plain; charset=utf-8", "Accept", ""},
    {"GET", ".txt", "", 200, "text/plain; charset=utf-8", NULL, "round"},
    {"HEAD", ".txt", "", 200, "text/plain; charset=utf-8", NULL, ""},
    {"GET", ".json", "Accept: text/plain\r\n", 200, "application/json", NULL, "{"},
    {"GET", "?format=txt", "", 200, "text/plain; charset=utf-8", NULL, "round"},
    {"GET", "?format=txt", "Accept: application/json\r\n", 200, "text/plain; charset=utf-8", NULL,
     "round"},
    {"GET", ".json?format=txt", "", 200, "application/json", NULL, "{"},
    {"GET", ".json", "Accept: audio/mp3\r\n", 200, "application/json", NULL, "{"},
    {"GET", "", "Accept: audio/mp3\r\n", 406, "application/problem+json", "Accept",
     "Accept must allow application/json or text/plain"},
    {"GET", "", "Accept: */*;q=0\r\n", 406, "application/problem+json", "Accept",
     "\"code\":\"not_acceptable\""},
    {"HEAD", "", "Accept: audio/mp3\r\n", 406, "application/problem+json", "Accept", ""},
    {"GET", "?format=pdf", "", 422, "application/problem+json", NULL,
     "\\\"format\\\" must be json or txt, got \\\"pdf\\\""},
    {"GET", ".json?format=pdf", "", 422, "application/problem+json", NULL, "must be json or txt"},
    {"GET", ".pdf", "", 404, "application/problem+json", NULL,
     "what follows the dot must be json or txt"},
    {"GET", ".txt?word=", "", 200, "text/plain; charset=utf-8", NULL, ""}, // empty, yet a text
    {"GET", ".txt?word=huge", "", 413, "application/problem+json", NULL, "this does not fit"},
    {"POST", ".txt", "", 405, "application/problem+json", NULL, "Allow"},
    {"POST", ".pdf", "", 404, "application/problem+json", NULL, "the dot"},
    {"GET", "?colour=red", "Accept: audio/mp3\r\n", 422, "application/problem+json", NULL,
     "is unknown"},
};

LOOP_TEST(http_answers_in_the_form_that_is_wanted, sizeof formed / sizeof *formed)
{
    struct http *h = edge_serve(NULL);
    struct response a;
    char text[300];
    snprintf(text, sizeof text, "%s /things/7/shape%s HTTP/1.1\r\n" H "%s\r\n", formed[_i].method,
             formed[_i].path, formed[_i].headers);
    peer_ask(http_port(h), text, &a);
    ck_assert_msg(a.status == formed[_i].status, "%s: %d %s", text, a.status, a.body);
    ck_assert_pstr_eq(answer_header(&a, "Content-Type"), formed[_i].media);
    ck_assert_pstr_eq(answer_header(&a, "Vary"), formed[_i].vary);
    ck_assert_pstr_eq(answer_header(&a, "X-Content-Type-Options"), "nosniff");
    ck_assert_ptr_nonnull(strstr(a.body, formed[_i].body));
    if (strcmp(formed[_i].method, "HEAD") == 0)
        ck_assert_uint_eq(a.body_len, 0);
    http_stop(h);
}

TEST(http_problem_documents_name_the_fault)
{
    struct http *h = edge_serve(NULL);
    struct response a;
    peer_ask(http_port(h), "GET /things?nmae=1 HTTP/1.1\r\n" H "\r\n", &a);
    ck_assert_ptr_nonnull(strstr(a.body, "query parameter \\\"nmae\\\" is unknown"));
    peer_ask(http_port(h), "GET /things/7?nmae=1 HTTP/1.1\r\n" H "\r\n", &a);
    ck_assert_ptr_nonnull(strstr(a.body, "did you mean"));
    http_stop(h);
}

// ---- Pages ----

#define APP "Origin: http://localhost:3000\r\n"
#define EVIL "Origin: http://evil.example\r\n"
#define ME "Host: localhost\r\n"

static const struct {
    const char *request;
    int status;
    const char *header, *value;
} pages[] = {
    {"GET /things HTTP/1.1\r\n" ME APP, 200, "Access-Control-Allow-Origin",
     "http://localhost:3000"},
    {"GET /things HTTP/1.1\r\n" ME APP, 200, "Access-Control-Expose-Headers",
     "Location, Retry-After, Idempotent-Replayed"},
    {"GET /things HTTP/1.1\r\n" ME APP, 200, "Access-Control-Allow-Methods", NULL},
    {"GET /things HTTP/1.1\r\n" ME APP, 200, "Vary", "Origin"},
    {"GET /things HTTP/1.1\r\n" ME, 200, "Vary", "Origin"},
    {"GET /things HTTP/1.1\r\n" ME, 200, "Access-Control-Allow-Origin", NULL},
    {"GET /broken/busy HTTP/1.1\r\n" ME APP, 503, "Access-Control-Allow-Origin",
     "http://localhost:3000"},
    {"GET /nothing HTTP/1.1\r\n" ME APP, 404, "Access-Control-Allow-Origin",
     "http://localhost:3000"},
    {"POST /things HTTP/1.1\r\n" ME APP "Content-Length: 1001\r\n", 413,
     "Access-Control-Allow-Origin", "http://localhost:3000"},
    {"OPTIONS /things HTTP/1.1\r\n" ME APP "Access-Control-Request-Method: POST\r\n", 204,
     "Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"},
    {"OPTIONS /things/7 HTTP/1.1\r\n" ME APP, 204, "Access-Control-Allow-Methods",
     "GET, HEAD, DELETE, OPTIONS"},
    {"OPTIONS /things HTTP/1.1\r\n" ME APP, 204, "Access-Control-Allow-Origin",
     "http://localhost:3000"},
    {"OPTIONS /things HTTP/1.1\r\n" ME APP, 204, "Access-Control-Allow-Headers",
     "Content-Type, Idempotency-Key"},
    {"OPTIONS /things HTTP/1.1\r\n" ME APP, 204, "Access-Control-Max-Age", "7200"},
    {"OPTIONS /things HTTP/1.1\r\n" ME, 204, "Access-Control-Allow-Methods", NULL},
    {"OPTIONS /things HTTP/1.1\r\n" ME EVIL, 403, "Access-Control-Allow-Origin", NULL},
    {"OPTIONS /things HTTP/1.1\r\n" ME EVIL, 403, "Allow", NULL},
    {"GET /things HTTP/1.1\r\n" ME EVIL, 403, "Content-Type", "application/problem+json"},
    {"GET /nothing HTTP/1.1\r\n" ME EVIL, 403, "Vary", "Origin"},
    {"GET /things HTTP/1.1\r\nHost: evil.example\r\n" APP, 421, "Access-Control-Allow-Origin",
     NULL},
    {"PUT /nothing HTTP/1.1\r\nHost: evil.example\r\n", 421, "Allow", NULL},
};

LOOP_TEST(http_lets_listed_pages_read_its_answers, sizeof pages / sizeof *pages)
{
    struct http *h = edge_serve_as(NULL, "--cors-origin=http://localhost:3000");
    struct response a;
    char text[300];
    snprintf(text, sizeof text, "%s\r\n", pages[_i].request);
    peer_ask(http_port(h), text, &a);
    ck_assert_int_eq(a.status, pages[_i].status);
    ck_assert_pstr_eq(answer_header(&a, pages[_i].header), pages[_i].value);
    http_stop(h);
}

// The next request of the connection is an honest one.
TEST(http_forgets_who_called_with_the_request)
{
    struct http *h = edge_serve_as(NULL, "--cors-origin=http://localhost:3000");
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, "GET /things HTTP/1.1\r\n" ME EVIL "\r\n");
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 403);
    peer_send(&p, "GET /things HTTP/1.1\r\n" ME APP "\r\n");
    peer_answer(&p, &a, false);
    ck_assert_ptr_nonnull(answer_header(&a, "Access-Control-Allow-Origin"));
    peer_send(&p, "GET /things HTTP/1.1\r\n" ME "\r\n");
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 200);
    ck_assert_ptr_null(answer_header(&a, "Access-Control-Allow-Origin"));
    peer_close(&p);
    http_stop(h);
}

// "0" is how some write 0.0.0.0: what counts is what it stands for.
TEST(http_knows_the_address_that_its_host_stands_for)
{
    static const struct {
        const char *host;
        int status;
    } row[] = {{"10.1.2.3", 404}, {"0", 404}, {"box.lan", 421}};
    struct settings s;
    struct err e = {0};
    settings_default(&s);
    ck_assert(address_parse(&s.address, "0:0", &e));
    const struct http_config config = {
        .settings = &s, .log = &edge_silent, .limits = http_limits_default};
    struct http *h = http_start(&config, &e);
    ck_assert_msg(h != NULL, "%s", e.text);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct response a;
        char text[100];
        snprintf(text, sizeof text, "GET /x HTTP/1.1\r\nHost: %s\r\n\r\n", row[i].host);
        peer_ask(http_port(h), text, &a);
        ck_assert_int_eq(a.status, row[i].status);
    }
    http_stop(h);
}

TEST(http_opens_no_sink_for_a_page_that_may_not_call)
{
    struct http *h = edge_serve_as(NULL, NULL);
    struct response a;
    peer_ask(http_port(h),
             "POST /sink?name=a HTTP/1.1\r\n" ME EVIL CHUNKED "\r\n3\r\na,b\r\n0\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 403);
    ck_assert(a.closes);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.begun), 0);
}

// ---- Bodies that are too large, faulty, or never end ----

TEST(http_takes_a_body_of_exactly_the_limit_and_no_more)
{
    static const size_t sizes[] = {999, 1000, 1001};
    struct http *h = edge_serve(NULL);
    for (size_t i = 0; i < 3; i++) {
        struct peer p;
        struct response a;
        peer_open(&p, http_port(h));
        peer_send(&p, "POST /things HTTP/1.1\r\n" H CHUNKED "\r\n");
        peer_zeros(&p, sizes[i], true);
        peer_send(&p, "0\r\n\r\n");
        peer_answer(&p, &a, false);
        ck_assert_int_eq(a.status, sizes[i] > 1000 ? 413 : 201);
        if (sizes[i] <= 1000)
            ck_assert_uint_eq(a.body_len, sizes[i]);
        else
            ck_assert(peer_at_end(&p));
        peer_close(&p);
    }
    http_stop(h);
}

static const size_t growths[] = {1, 4095, 4096, 4097, 8192, 9000, 65535, 65536};

LOOP_TEST(http_gathers_a_chunked_body_of_any_length, sizeof growths / sizeof *growths)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /echo HTTP/1.1\r\n" H CHUNKED "\r\n1\r\n<\r\n");
    peer_zeros(&p, growths[_i] - 1, true);
    peer_send(&p, "0\r\n\r\n");
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_eq(a.body_len, growths[_i]);
    ck_assert_uint_eq(1 + strspn(a.body + 1, "0"), growths[_i]);
    ck_assert_int_eq(a.body[0], '<');
    peer_close(&p);
    http_stop(h);
}

// The client sends all of a body nobody wants before it reads: it must still find the answer.
LOOP_TEST(http_gets_its_refusal_through_to_a_client_that_sends_on, 3)
{
    static const char *const head[] = {"POST /things HTTP/1.1\r\n" H
                                       "Content-Length: 8000000\r\n\r\n",
                                       "POST /things HTTP/1.1\r\n" H CHUNKED "\r\n",
                                       "POST /sink?name=a HTTP/1.1\r\n" H CHUNKED "\r\n1\r\n!\r\n"};
    static const int status[] = {413, 413, 422};
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, head[_i]);
    peer_zeros(&p, 8000000, _i > 0);
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, status[_i]);
    ck_assert_str_eq(answer_header(&a, "Content-Type"), "application/problem+json");
    ck_assert(a.closes);
    peer_close(&p);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.undone), atomic_load(&seen.begun));
}

TEST(http_says_continue_to_a_client_that_waits_for_it)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /things HTTP/1.1\r\n" H "Content-Length: 5\r\n"
                  "Expect: 100-continue\r\n\r\n");
    peer_answer(&p, &a, true);
    ck_assert_int_eq(a.status, 100);
    peer_send(&p, "hello");
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 201);
    peer_close(&p);
    http_stop(h);
}

TEST(http_streams_a_body_piece_by_piece)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n");
    peer_zeros(&p, 100000, false);
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 201);
    ck_assert_uint_eq(atomic_load(&seen.bytes), 100000);
    peer_close(&p);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.ended), 1);
    ck_assert_int_eq(atomic_load(&seen.undone), 0);
}

TEST(http_undoes_an_upload_that_is_cut_off_exactly_once)
{
    static const char *const head[] = {
        "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\nabc",
        "POST /sink?name=a HTTP/1.1\r\n" H CHUNKED "\r\n3\r\nabc\r\n5\r\nab",
        "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\nab!"};
    struct http *h = edge_serve(NULL);
    for (int i = 0; i < 3; i++) {
        struct peer p;
        peer_open(&p, http_port(h));
        peer_send(&p, head[i]);
        edge_wait(&seen.begun, i + 1);
        peer_close(&p);
        edge_wait(&seen.undone, i + 1);
    }
    ck_assert(!atomic_load(&seen.polled)); // which may take long
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.undone), 3);
    ck_assert_int_eq(atomic_load(&seen.ended), 0);
}

TEST(http_undoes_an_upload_whose_end_fails)
{
    struct http *h = edge_serve(NULL);
    struct response a;
    peer_ask(http_port(h), "POST /sink?name=late HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\na,b",
             &a);
    ck_assert_int_eq(a.status, 507);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.undone), 1);
}

TEST(http_undoes_an_upload_that_is_under_way_when_it_stops)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\nabc");
    edge_wait(&seen.begun, 1);
    http_stop(h);
    peer_close(&p);
    ck_assert_int_eq(atomic_load(&seen.undone), 1);
}
