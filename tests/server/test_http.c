// SPDX-License-Identifier: MIT
// The edge against bytes on a socket: a real server on a free port, a route table of our own.

#include "http.h"

#include "call.h"
#include "harness.h"
#include "peer.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#undef fail // libcheck has a macro of that name

// ---- A small service ----

static struct {
    atomic_int begun, undone, ended, held;
    atomic_size_t bytes;
    atomic_bool release; // lets GET /hold go on
} seen;

static bool say(struct call *c, struct err *e)
{
    (void)e;
    return call_reply(c, "{\"ok\":true}", 11);
}

static bool echo(struct call *c, struct err *e)
{
    if (strlen(c->body) != c->body_len)
        return fail_at(e, ERR_INVALID, "/x", "a byte of the body is NUL");
    return call_reply(c, c->body, c->body_len);
}

static bool make(struct call *c, struct err *e)
{
    c->location = "/things/7";
    return echo(c, e);
}

static bool show(struct call *c, struct err *e)
{
    int64_t id;
    if (!call_id(c, 0, "thing", &id, e))
        return false;
    const char *name = call_query(c, "name"), *agent = call_header(c, "x-agent");
    char *text =
        arena_printf(c->arena, "%lld %s %s", (long long)id, name ? name : "-", agent ? agent : "-");
    return call_reply(c, text, strlen(text));
}

static bool broken(struct call *c, struct err *e)
{
    return fail(e, c->target->n > 1 ? ERR_BUSY : ERR_INTERNAL, "the thing fell apart");
}

static bool hold(struct call *c, struct err *e)
{
    atomic_fetch_add(&seen.held, 1);
    while (!atomic_load(&seen.release))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return say(c, e);
}

static bool sink_begin(struct call *c, struct err *e)
{
    const char *name = call_query(c, "name");
    if (!strcmp(name, "taken"))
        return fail(e, ERR_CONFLICT, "there is one already");
    atomic_fetch_add(&seen.begun, 1);
    return true;
}

static bool sink_piece(struct call *c, const char *data, size_t n, struct err *e)
{
    (void)c;
    atomic_fetch_add(&seen.bytes, n);
    return !memchr(data, '!', n) || fail(e, ERR_INVALID, "line 3 has two cells, not three");
}

static bool sink_end(struct call *c, struct err *e)
{
    if (!strcmp(call_query(c, "name"), "late"))
        return fail(e, ERR_NO_SPACE, "the disk is full");
    atomic_fetch_add(&seen.ended, 1);
    return say(c, e);
}

static void sink_undo(struct call *c)
{
    (void)c;
    atomic_fetch_add(&seen.undone, 1);
}

#define SINK                                                                                       \
    .body_kind = BODY_STREAM, .begin = sink_begin, .piece = sink_piece, .handle = sink_end,        \
    .undo = sink_undo, .status = 201

static const struct route rows[] = {
    {.method = GET, .path = "/things", .handle = say, .status = 200},
    {.method = POST,
     .path = "/things",
     .handle = make,
     .status = 201,
     .body_kind = BODY_JSON,
     .max_body = 1000},
    {.method = GET,
     .path = "/things/{id}",
     .handle = show,
     .status = 200,
     .query = {{.name = "name"}}},
    {.method = DELETE, .path = "/things/{id}", .handle = say, .status = 200},
    {.method = POST, .path = "/things/{id}/cancel", .handle = say, .status = 202},
    {.method = GET, .path = "/broken", .handle = broken, .status = 200},
    {.method = GET, .path = "/broken/busy", .handle = broken, .status = 200},
    {.method = GET, .path = "/hold", .handle = hold, .status = 200, .produces = "text/plain"},
    {.method = POST,
     .path = "/sink",
     SINK,
     .max_body = 100000,
     .query = {{.name = "name", .required = true}}},
};

static const struct log silent = {2, LEVEL_OFF};

static struct http *serve(const struct http_limits *limits)
{
    static struct settings s;
    struct err e = {0};
    settings_default(&s);
    s.address.port = 0;
    s.http_threads = 2;
    memset(&seen, 0, sizeof seen);
    struct http_config config = {.settings = &s,
                                 .router = {rows, sizeof rows / sizeof *rows},
                                 .log = &silent,
                                 .limits = limits ? *limits : http_limits_default};
    struct http *h = http_start(&config, &e);
    ck_assert_msg(h != NULL, "%s", e.text);
    return h;
}

static void wait_for(const atomic_int *count, int n)
{
    for (int i = 0; i < 5000 && atomic_load(count) < n; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert_int_eq(atomic_load(count), n);
}

#define H "Host: x\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

// ---- The battery: one request each, and whether the connection must end with it ----

static const struct {
    const char *name, *request;
    int status;
    enum {
        KEEPS,
        CLOSES,
        FOREIGN // closes, after a page of libmicrohttpd's own
    } then;
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
    {"signed length", "POST /things HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", 400, FOREIGN},
    {"negative length", "POST /things HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc", 400,
     FOREIGN},
    {"two hosts", "GET /things HTTP/1.1\r\n" H H "\r\n", 400, CLOSES},
    {"no host", "GET /things HTTP/1.1\r\n\r\n", 400, CLOSES},
    {"blank before the colon", "GET /things HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc", 400,
     CLOSES},
    {"header name that is no token", "GET /things HTTP/1.1\r\n" H "a(b): 3\r\n\r\n", 400, CLOSES},
    {"header without a colon", "GET /things HTTP/1.1\r\n" H "abc\r\n\r\n", 400, FOREIGN},
    {"control character in a value", "GET /things HTTP/1.1\r\n" H "a: b\x01\r\n\r\n", 400, CLOSES},
    {"HTTP/3", "GET /things HTTP/3.0\r\n" H "\r\n", 505, CLOSES},
    {"%00", "GET /things/7%00 HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"%00 in a parameter", "GET /things/7?name=a%00b HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"encoded dots", "GET /things/%2e%2e%2fetc HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"encoded dots alone", "GET /things/%2e%2E HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"dots", "GET /things/../things HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"broken escape", "GET /things/%4 HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"broken UTF-8", "GET /things/%c3%28 HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
    {"absolute URI", "GET http://evil/things HTTP/1.1\r\n" H "\r\n", 400, KEEPS},
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
     "POST /things HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 413, FOREIGN},
    {"failing handler", "GET /broken HTTP/1.1\r\n" H "\r\n", 500, KEEPS},
    {"busy handler", "GET /broken/busy HTTP/1.1\r\n" H "\r\n", 503, KEEPS},
};

LOOP_TEST(http_gate_answers_every_row_of_the_battery, sizeof battery / sizeof *battery)
{
    struct http *h = serve(NULL);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    peer_send(&p, battery[_i].request);
    peer_answer(&p, &a, false);
    ck_assert_msg(a.status == battery[_i].status, "%s: %d, not %d\n%s", battery[_i].name, a.status,
                  battery[_i].status, a.body);
    if (battery[_i].then == FOREIGN) {
        while (!peer_at_end(&p))
            p.len = 0;
    } else if (battery[_i].then == CLOSES) {
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

// ---- How a request arrives ----

static const char *const whole[] = {"POST /things HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello",
                                    "POST /things HTTP/1.1\r\n" H CHUNKED
                                    "\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n"};

LOOP_TEST(http_takes_a_request_byte_by_byte, 2)
{
    struct http *h = serve(NULL);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    for (const char *byte = whole[_i]; *byte; byte++)
        ck_assert(peer_try(&p, byte, 1));
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 201);
    ck_assert_str_eq(a.body, "hello");
    peer_close(&p);
    http_stop(h);
}

LOOP_TEST(http_takes_a_request_cut_in_two_anywhere, 2)
{
    struct http *h = serve(NULL);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    for (size_t cut = 1; cut < strlen(whole[_i]); cut++) {
        ck_assert(peer_try(&p, whole[_i], cut));
        peer_send(&p, whole[_i] + cut);
        peer_answer(&p, &a, false);
        ck_assert_int_eq(a.status, 201);
        ck_assert_str_eq(a.body, "hello");
    }
    peer_close(&p);
    http_stop(h);
}

TEST(http_answers_pipelined_requests_in_order)
{
    struct http *h = serve(NULL);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    for (int i = 1; i <= 50; i++) {
        char text[100];
        snprintf(text, sizeof text, "GET /things/%d HTTP/1.1\r\n" H "\r\n", i);
        peer_send(&p, text);
    }
    for (int i = 1; i <= 50; i++) {
        char want[20];
        peer_answer(&p, &a, false);
        snprintf(want, sizeof want, "%d - -", i);
        ck_assert_str_eq(a.body, want);
    }
    peer_close(&p);
    http_stop(h);
}

TEST(http_hands_segments_parameters_and_headers_to_the_handler)
{
    struct http *h = serve(NULL);
    struct answer a;
    peer_ask(http_port(h), "GET /things/12?name=a+b%26%c3%a9 HTTP/1.1\r\n" H "X-Agent: q\r\n\r\n",
             &a);
    ck_assert_str_eq(a.body, "12 a b&\xc3\xa9 q");
    http_stop(h);
}

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
};

LOOP_TEST(http_answers_carry_their_headers, sizeof carries / sizeof *carries)
{
    struct http *h = serve(NULL);
    struct answer a;
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

TEST(http_problem_documents_name_the_fault)
{
    struct http *h = serve(NULL);
    struct answer a;
    peer_ask(http_port(h), "GET /things?nmae=1 HTTP/1.1\r\n" H "\r\n", &a);
    ck_assert_ptr_nonnull(strstr(a.body, "unknown query parameter"));
    peer_ask(http_port(h), "GET /things/7?nmae=1 HTTP/1.1\r\n" H "\r\n", &a);
    ck_assert_ptr_nonnull(strstr(a.body, "did you mean"));
    http_stop(h);
}

// ---- Bodies that are too large, faulty, or never end ----

static void send_zeros(struct peer *p, size_t n, bool chunked)
{
    static char zeros[10000];
    memset(zeros, '0', sizeof zeros);
    while (n > 0) {
        size_t len = n < sizeof zeros ? n : sizeof zeros;
        char size[20];
        snprintf(size, sizeof size, "%zx\r\n", len);
        if (chunked && !peer_try(p, size, strlen(size)))
            return;
        if (!peer_try(p, zeros, len) || (chunked && !peer_try(p, "\r\n", 2)))
            return;
        n -= len;
    }
}

TEST(http_takes_a_body_of_exactly_the_limit_and_no_more)
{
    static const size_t sizes[] = {999, 1000, 1001};
    struct http *h = serve(NULL);
    for (size_t i = 0; i < 3; i++) {
        struct peer p;
        struct answer a;
        peer_open(&p, http_port(h));
        peer_send(&p, "POST /things HTTP/1.1\r\n" H CHUNKED "\r\n");
        send_zeros(&p, sizes[i], true);
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

// The client sends all of a body nobody wants before it reads: it must still find the answer.
LOOP_TEST(http_gets_its_refusal_through_to_a_client_that_sends_on, 3)
{
    static const char *const head[] = {"POST /things HTTP/1.1\r\n" H
                                       "Content-Length: 8000000\r\n\r\n",
                                       "POST /things HTTP/1.1\r\n" H CHUNKED "\r\n",
                                       "POST /sink?name=a HTTP/1.1\r\n" H CHUNKED "\r\n1\r\n!\r\n"};
    static const int status[] = {413, 413, 422};
    struct http *h = serve(NULL);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    peer_send(&p, head[_i]);
    send_zeros(&p, 8000000, _i > 0);
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
    struct http *h = serve(NULL);
    struct peer p;
    struct answer a;
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
    struct http *h = serve(NULL);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n");
    send_zeros(&p, 100000, false);
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
    struct http *h = serve(NULL);
    for (int i = 0; i < 3; i++) {
        struct peer p;
        peer_open(&p, http_port(h));
        peer_send(&p, head[i]);
        wait_for(&seen.begun, i + 1);
        peer_close(&p);
        wait_for(&seen.undone, i + 1);
    }
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.undone), 3);
    ck_assert_int_eq(atomic_load(&seen.ended), 0);
}

TEST(http_undoes_an_upload_whose_end_fails)
{
    struct http *h = serve(NULL);
    struct answer a;
    peer_ask(http_port(h), "POST /sink?name=late HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\na,b",
             &a);
    ck_assert_int_eq(a.status, 507);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.undone), 1);
}

TEST(http_undoes_an_upload_that_is_under_way_when_it_stops)
{
    struct http *h = serve(NULL);
    struct peer p;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\nabc");
    wait_for(&seen.begun, 1);
    http_stop(h);
    peer_close(&p);
    ck_assert_int_eq(atomic_load(&seen.undone), 1);
}

// ---- Slow clients ----

static struct http_limits impatient(void)
{
    struct http_limits l = http_limits_default;
    l.header_ms = l.body_ms = l.idle_ms = l.reply_ms = 150;
    l.tick_ms = 10;
    l.min_rate = 100000;
    return l;
}

static const char *const drips[] = {
    "",                            // says nothing
    "G",                           // then a byte now and then, for ever
    "GET /things HTTP/1.1\r\nA: ", // within a header
    "POST /things HTTP/1.1\r\n" H "Content-Length: 1000\r\n\r\n",
    "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 90000\r\n\r\n",
    "GET /things HTTP/1.1\r\n" H "\r\nGET /things HTTP/1.1\r\nA: ", // on a kept connection
};

LOOP_TEST(http_hangs_up_on_a_client_that_drips, sizeof drips / sizeof *drips)
{
    struct http_limits limits = impatient();
    struct http *h = serve(&limits);
    struct peer p;
    peer_open(&p, http_port(h));
    peer_send(&p, drips[_i]);
    int bytes = 0;
    while (bytes < 2000 && (!*drips[_i] || peer_try(&p, "x", 1))) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        bytes++;
        if (!*drips[_i] && peer_at_end(&p))
            break;
    }
    ck_assert_int_lt(bytes, 2000);
    peer_close(&p);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.undone), atomic_load(&seen.begun));
}

TEST(http_has_patience_with_an_upload_that_makes_progress)
{
    struct http_limits limits = impatient();
    struct http *h = serve(&limits);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n");
    for (int i = 0; i < 20; i++) { // 5000 bytes per 20 ms: 250 kB/s, 400 ms in all
        send_zeros(&p, 5000, false);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 201);
    peer_close(&p);
    http_stop(h);
}

TEST(http_gives_a_handler_all_the_time_it_needs)
{
    struct http_limits limits = impatient();
    limits.header_ms = limits.body_ms = 30;
    struct http *h = serve(&limits);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    peer_send(&p, "GET /hold HTTP/1.1\r\n" H "\r\n");
    wait_for(&seen.held, 1);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    atomic_store(&seen.release, true);
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 200);
    peer_close(&p);
    http_stop(h);
}

// ---- Many clients ----

enum { CLIENTS = 200 };

static void *client(void *http)
{
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(http));
    for (int i = 0; i < 5; i++) {
        peer_send(&p, i % 2 ? whole[0] : "GET /things HTTP/1.1\r\n" H "\r\n");
        peer_answer(&p, &a, false);
        ck_assert_int_eq(a.status, i % 2 ? 201 : 200);
    }
    peer_close(&p);
    return NULL;
}

TEST(http_answers_two_hundred_clients_at_once)
{
    struct http *h = serve(NULL);
    pthread_t t[CLIENTS];
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 20);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&t[i], &small, client, h), 0);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(t[i], NULL);
    http_stop(h);
}

TEST(http_tells_a_connection_too_many_to_come_back)
{
    struct http_limits limits = http_limits_default;
    limits.max_connections = 10;
    struct http *h = serve(&limits);
    static struct peer p[14];
    struct answer a;
    int good = 0, busy = 0;
    for (int i = 0; i < 14; i++)
        peer_open(&p[i], http_port(h));
    for (int i = 0; i < 14; i++) {
        peer_send(&p[i], "GET /things HTTP/1.1\r\n" H "\r\n");
        peer_answer(&p[i], &a, false);
        good += a.status == 200;
        busy += a.status == 503 && answer_header(&a, "Retry-After") && a.closes;
    }
    ck_assert_int_eq(good, 10);
    ck_assert_int_eq(busy, 4);
    for (int i = 0; i < 14; i++)
        peer_close(&p[i]);
    http_stop(h);
}

TEST(http_tells_a_request_too_many_to_come_back)
{
    struct http_limits limits = http_limits_default;
    limits.max_requests = 1;
    struct http *h = serve(&limits);
    struct peer p;
    struct answer a;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab");
    wait_for(&seen.begun, 1);
    peer_ask(http_port(h), "GET /things HTTP/1.1\r\n" H "\r\n", &a);
    ck_assert_int_eq(a.status, 503);
    peer_send(&p, "c");
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 201);
    peer_close(&p);
    http_stop(h);
}

// ---- The end ----

static void *release_later(void *arg)
{
    (void)arg;
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    atomic_store(&seen.release, true);
    return NULL;
}

TEST(http_drains_what_is_under_way_and_takes_nothing_new)
{
    struct http *h = serve(NULL);
    struct peer held, kept;
    struct answer a;
    pthread_t t;
    peer_open(&kept, http_port(h));
    peer_send(&kept, "GET /things HTTP/1.1\r\n" H "\r\n");
    peer_answer(&kept, &a, false);
    peer_open(&held, http_port(h));
    peer_send(&held, "GET /hold HTTP/1.1\r\n" H "\r\n");
    wait_for(&seen.held, 1);
    ck_assert(!http_drain(h, 1));
    peer_send(&kept, "GET /things/1 HTTP/1.1\r\n" H "\r\n");
    pthread_create(&t, NULL, release_later, NULL);
    ck_assert(http_drain(h, 5000));
    peer_answer(&held, &a, false);
    ck_assert_int_eq(a.status, 200);
    peer_answer(&kept, &a, false);
    ck_assert_int_eq(a.status, 503);
    pthread_join(t, NULL);
    http_stop(h);
    peer_close(&held);
    peer_close(&kept);
}

static int open_files(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

TEST(http_leaves_no_descriptor_open)
{
    int before = open_files();
    for (int i = 0; i < 4; i++) {
        struct http *h = serve(NULL);
        struct answer a;
        peer_ask(http_port(h), battery[i * 7].request, &a);
        if (i % 2)
            http_drain(h, 5000);
        http_stop(h);
    }
    ck_assert_int_eq(open_files(), before);
}

TEST(http_says_why_it_cannot_start)
{
    struct http *h = serve(NULL);
    struct settings s;
    struct err e = {0};
    settings_default(&s);
    s.address.port = http_port(h);
    struct http_config config = {.settings = &s, .log = &silent, .limits = http_limits_default};
    ck_assert_ptr_null(http_start(&config, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "could not listen on 127.0.0.1:"));
    http_stop(h);
}

TEST(http_serves_ipv6)
{
    struct settings s;
    struct err e = {0};
    settings_default(&s);
    ck_assert(address_parse(&s.address, "[::1]:0", &e));
    struct http_config config = {.settings = &s, .log = &silent, .limits = http_limits_default};
    struct http *h = http_start(&config, &e);
    ck_assert(h ? !strncmp(http_address(h), "[::1]:", 6) : *e.text);
    http_stop(h);
}
