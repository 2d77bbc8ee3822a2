// SPDX-License-Identifier: MIT
// What libmicrohttpd gets to read for what a client sends, cut in every way.

#include "server/http/wire.h"

#include "tests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAID "GET / HTTP/1.1\r\nHost: x\r\n"
#define REFUSAL SAID "Connection: close\r\n\r\n"
#define CHUNKED "POST /a HTTP/1.1\r\nHost: y\r\nTransfer-Encoding: chunked\r\n\r\n"
#define SAID_CHUNKED SAID "Transfer-Encoding: chunked\r\n\r\n"

// A socket that gives `step` bytes at a time, then nothing for now.
struct script {
    const char *text;
    size_t at, len, step;
    bool ends; // the client hangs up at the end
};

static ssize_t give(void *ctx, void *to, size_t room)
{
    struct script *s = ctx;
    size_t n = s->len - s->at < s->step ? s->len - s->at : s->step;
    n = n < room ? n : room;
    if (!n && s->ends)
        return 0;
    if (!n) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(to, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

// All that can be read for the script's text, `room` bytes at a time, over all its requests.
static size_t read_all(struct wire *w, struct script *s, size_t room, char *out)
{
    size_t n = 0, stuck = 0;
    while (stuck < 2) {
        ssize_t got = wire_read(w, give, s, out + n, room);
        if (got > 0)
            n += (size_t)got;
        if (got == 0 || (got < 0 && w->state == WIRE_REFUSED))
            break;
        if (got < 0)
            ck_assert_int_eq(errno, EAGAIN);
        bool next = w->state == WIRE_WHOLE;
        if (next)
            wire_next(w);
        stuck = got < 0 && !next && s->at == s->len ? stuck + 1 : 0;
    }
    out[n] = '\0';
    return n;
}

static const struct {
    const char *name, *sent, *read;
    enum err_kind fault;
} streams[] = {
    {"a request", "GET /a HTTP/1.1\r\nHost: y\r\nA: b\r\n\r\n", SAID "\r\n", ERR_NONE},
    {"HEAD", "HEAD /a HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.0\r\nHost: x\r\n\r\n", ERR_NONE},
    {"empty lines before it", "\r\n\r\nGET /a HTTP/1.1\r\nHost: y\r\n\r\n", SAID "\r\n", ERR_NONE},
    {"closing", "GET /a HTTP/1.1\r\nHost: y\r\nConnection: x,CLOSE\r\n\r\n", REFUSAL, ERR_NONE},
    {"staying", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     "GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", ERR_NONE},
    {"a body", "POST /a HTTP/1.1\r\nHost: y\r\nContent-Length: 0005\r\n\r\nhello",
     SAID "Content-Length: 5\r\n\r\nhello", ERR_NONE},
    {"waiting to be told",
     "POST /a HTTP/1.1\r\nHost: y\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\nhi",
     SAID "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhi", ERR_NONE},
    {"two requests",
     "POST /a HTTP/1.1\r\nHost: y\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nHost: y\r\n\r\n",
     SAID "Content-Length: 2\r\n\r\nhi" SAID "\r\n", ERR_NONE},
    {"chunks", CHUNKED "2\r\nhe\r\n003\r\nllo\r\n0\r\n\r\n",
     SAID_CHUNKED "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", ERR_NONE},
    {"chunks with extensions and trailers",
     CHUNKED "A ; a = \"b;\\\"\"; c;d=e\r\n0123456789\r\n0;x\r\nA: b\r\nHost: z\r\n\r\n",
     SAID_CHUNKED "a\r\n0123456789\r\n0\r\n\r\n", ERR_NONE},
    {"a request after chunks", CHUNKED "0\r\n\r\nGET /b HTTP/1.1\r\nHost: y\r\n\r\n",
     SAID_CHUNKED "0\r\n\r\n" SAID "\r\n", ERR_NONE},
    {"a bare LF", "GET /a HTTP/1.1\nHost: y\n\n", REFUSAL, ERR_MALFORMED},
    {"a bare CR", "GET /a HTTP/1.1\r\nHost: y\rA: b\r\n\r\n", REFUSAL, ERR_MALFORMED},
    {"a NUL", "GET /a HTTP/1.1\r\nHost: y\x01\r\n\r\n", REFUSAL, ERR_MALFORMED},
    {"a line without a version", "GET /a\r\n", REFUSAL, ERR_MALFORMED},
    {"nine empty lines", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", REFUSAL,
     ERR_MALFORMED},
    {"a folded length", "POST /a HTTP/1.1\r\nHost: y\r\nContent-Length:\r\n 5\r\n\r\nhello",
     REFUSAL, ERR_MALFORMED},
    {"a line that begins with a colon",
     "POST /a HTTP/1.1\r\nHost: y\r\n:\r\nContent-Length: 5\r\n\r\nhello", REFUSAL, ERR_MALFORMED},
    {"a bad HEAD", "HEAD /a HTTP/1.1\r\n\r\n",
     "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", ERR_MALFORMED},
    {"a good one before a bad one",
     "GET /a HTTP/1.1\r\nHost: y\r\n\r\nGET /a HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\nHost: y\r\n\r\n",
     SAID "\r\n" REFUSAL, ERR_MALFORMED},
    {"a size that is none", CHUNKED "2\r\nhi\r\nx\r\n", SAID_CHUNKED "2\r\nhi\r\n0\r\n\r\n",
     ERR_MALFORMED},
    {"a signed size", CHUNKED "+2\r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n", ERR_MALFORMED},
    {"a size in another base", CHUNKED "0x2\r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n", ERR_MALFORMED},
    {"a size beyond 60 bits", CHUNKED "1000000000000000\r\n", SAID_CHUNKED "0\r\n\r\n",
     ERR_MALFORMED},
    {"a blank before the size", CHUNKED " 2\r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n", ERR_MALFORMED},
    {"a blank after the size", CHUNKED "2 \r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n", ERR_MALFORMED},
    {"an extension without a name", CHUNKED "2;\r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n",
     ERR_MALFORMED},
    {"an extension without a value", CHUNKED "2;a=\r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n",
     ERR_MALFORMED},
    {"an extension whose quotes stay open", CHUNKED "2;a=\"b\r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n",
     ERR_MALFORMED},
    {"a bare LF in an extension", CHUNKED "2;a\n\r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n",
     ERR_MALFORMED},
    {"a bare CR in an extension", CHUNKED "2;a\rb\r\nhi\r\n", SAID_CHUNKED "0\r\n\r\n",
     ERR_MALFORMED},
    {"a size that ends in LF", CHUNKED "2\nhi\r\n", SAID_CHUNKED "0\r\n\r\n", ERR_MALFORMED},
    {"more than the size says", CHUNKED "2\r\nhi!\r\n", SAID_CHUNKED "2\r\nhi\r\n0\r\n\r\n",
     ERR_MALFORMED},
    {"a chunk that ends in LF", CHUNKED "2\r\nhi\n0\r\n\r\n", SAID_CHUNKED "2\r\nhi\r\n0\r\n\r\n",
     ERR_MALFORMED},
    {"a trailer that is none", CHUNKED "0\r\nA b\r\n\r\n", SAID_CHUNKED "0\r\n\r\n", ERR_MALFORMED},
    {"a folded trailer", CHUNKED "0\r\nA: b\r\n c\r\n\r\n", SAID_CHUNKED "0\r\n\r\n",
     ERR_MALFORMED},
};
enum { STREAMS = sizeof streams / sizeof *streams };

static void check(int i, size_t step, size_t room)
{
    char out[4096];
    struct wire w;
    struct script s = {.text = streams[i].sent, .len = strlen(streams[i].sent), .step = step};
    ck_assert(wire_init(&w));
    read_all(&w, &s, room, out);
    ck_assert_msg(!strcmp(out, streams[i].read), "%s, by %zu into %zu: \"%s\"", streams[i].name,
                  step, room, out);
    ck_assert_msg(w.fault.kind == streams[i].fault, "%s, by %zu: %s", streams[i].name, step,
                  w.fault.text);
    wire_release(&w);
}

LOOP_TEST(wire_says_requests_again_however_they_are_cut, STREAMS)
{
    for (size_t step = 1; step <= strlen(streams[_i].sent); step++) {
        check(_i, step, 1);
        check(_i, step, 7);
        check(_i, step, 4096);
    }
}

TEST(wire_sees_a_nul)
{
    static const char text[] = "GET /a HTTP/1.1\r\nHost: y\0z\r\n\r\n";
    char out[200];
    struct wire w;
    struct script s = {.text = text, .len = sizeof text - 1, .step = 100};
    ck_assert(wire_init(&w));
    read_all(&w, &s, 100, out);
    ck_assert_str_eq(out, REFUSAL);
    wire_release(&w);
}

TEST(wire_reads_nothing_after_a_fault)
{
    static const char text[] = "GET\r\n\r\nGET /a HTTP/1.1\r\nHost: y\r\n\r\n";
    char out[200];
    struct wire w;
    struct script s = {.text = text, .len = sizeof text - 1, .step = 7};
    ck_assert(wire_init(&w));
    ck_assert_int_eq(wire_read(&w, give, &s, out, sizeof out), strlen(REFUSAL));
    wire_next(&w);
    ck_assert_int_eq(wire_read(&w, give, &s, out, sizeof out), -1);
    ck_assert_int_eq(w.state, WIRE_REFUSED);
    wire_release(&w);
}

TEST(wire_takes_no_rest_of_a_body_for_a_request)
{
    static const char text[] = "POST /a HTTP/1.1\r\nHost: y\r\nContent-Length: 99\r\n\r\n"
                               "GET /a HTTP/1.1\r\nHost: y\r\n\r\n";
    char out[200];
    struct wire w;
    struct script s = {.text = text, .len = sizeof text - 1, .step = 56};
    ck_assert(wire_init(&w));
    ck_assert_int_gt(wire_read(&w, give, &s, out, sizeof out), 0);
    wire_next(&w); // answered early
    ck_assert_int_eq(wire_read(&w, give, &s, out, sizeof out), -1);
    wire_release(&w);
}

TEST(wire_tells_the_end_of_the_stream)
{
    char out[200];
    struct wire w;
    struct script s = {.text = "GET /a", .len = 6, .step = 6, .ends = true};
    ck_assert(wire_init(&w));
    ck_assert(wire_is_idle(&w));
    ck_assert_int_eq(wire_read(&w, give, &s, out, sizeof out), -1);
    ck_assert(!wire_is_idle(&w));
    ck_assert_int_eq(wire_read(&w, give, &s, out, sizeof out), 0);
    wire_release(&w);
}

static ssize_t peek_one(void *ctx, void *to, size_t room)
{
    (void)to, (void)room;
    return *(bool *)ctx ? 1 : -1;
}

TEST(wire_knows_of_a_request_that_is_here_already)
{
    static const char one[] = "GET /a HTTP/1.1\r\nHost: y\r\n\r\n";
    char text[100], out[200];
    struct wire w;
    bool yes = true;
    for (size_t more = 0; more < 3; more++) {
        snprintf(text, sizeof text, "%s%.*s", one, (int)more, one);
        struct script s = {.text = text, .len = strlen(text), .step = 99};
        ck_assert(wire_init(&w));
        ck_assert_int_gt(wire_read(&w, give, &s, out, sizeof out), 0);
        ck_assert_int_eq(w.state, WIRE_WHOLE);
        ck_assert(wire_has_more(&w, peek_one, &yes) == (more > 0));
        wire_release(&w);
    }
    // a body that is read in full may be followed by something that was not
    struct script s = {.text = "POST /a HTTP/1.1\r\nHost: y\r\nContent-Length: 2\r\n\r\nhi",
                       .len = 50,
                       .step = 48};
    ck_assert(wire_init(&w));
    while (w.state != WIRE_WHOLE)
        wire_read(&w, give, &s, out, sizeof out);
    ck_assert(wire_has_more(&w, peek_one, &yes));
    yes = false;
    ck_assert(!wire_has_more(&w, peek_one, &yes));
    wire_release(&w);
}

// Each is a byte below its limit, then at it.
static const struct {
    const char *before, *after;
    size_t most;
    enum err_kind kind;
} limits[] = {
    {"GET /", " HTTP/1.0\r\n\r\n", WIRE_HEAD_BYTES, ERR_TARGET_TOO_LONG},
    {"GET / HTTP/1.0\r\nA: ", "\r\n\r\n", WIRE_HEAD_BYTES, ERR_HEAD_TOO_LARGE},
    {CHUNKED "2;", "\r\n", WIRE_LINE_BYTES, ERR_MALFORMED},
    {CHUNKED "0\r\nA: ", "\r\n", WIRE_LINE_BYTES, ERR_MALFORMED},
};

LOOP_TEST(wire_gives_up_a_line_that_does_not_end, sizeof limits / sizeof *limits)
{
    static char text[3 * WIRE_BUFFER], out[3 * WIRE_BUFFER];
    struct wire w;
    size_t n = (size_t)snprintf(text, sizeof text, "%s%0*d", limits[_i].before,
                                (int)limits[_i].most + 100, 0);
    struct script s = {.text = text, .len = n, .step = 1000};
    ck_assert(wire_init(&w));
    read_all(&w, &s, sizeof out - 1, out);
    ck_assert_int_eq(w.fault.kind, limits[_i].kind);
    ck_assert_int_eq(w.state, WIRE_REFUSED);
    wire_release(&w);
}

TEST(wire_gives_up_a_trailer_section_that_does_not_end)
{
    static char text[3 * WIRE_BUFFER] = CHUNKED "0\r\n", out[WIRE_BUFFER];
    struct wire w;
    for (size_t i = strlen(text); i + 10 < sizeof text; i += 6)
        strcpy(text + i, "A: b\r\n");
    struct script s = {.text = text, .len = strlen(text), .step = 1000};
    ck_assert(wire_init(&w));
    read_all(&w, &s, sizeof out - 1, out);
    ck_assert_str_eq(out, SAID_CHUNKED "0\r\n\r\n");
    ck_assert_int_eq(w.fault.kind, ERR_MALFORMED);
    wire_release(&w);
}

// A long head that came with the end of the request before has the same limit as any other, and
// leaves room for the line before a chunk.
TEST(wire_measures_a_head_that_came_with_the_chunks_before_it)
{
    static char text[2 * WIRE_BUFFER], out[2 * WIRE_BUFFER];
    for (int over = 0; over < 2; over++) {
        struct wire w;
        size_t before = strlen(CHUNKED);
        size_t pad = WIRE_HEAD_BYTES - (strlen(CHUNKED) + strlen("A: \r\n")) + (size_t)over;
        snprintf(text, sizeof text, CHUNKED "0\r\n\r\n%.*sA: %0*d\r\n\r\n0;%0200d\r\n\r\n",
                 (int)before - 2, CHUNKED, (int)pad, 0, 0);
        struct script s = {.text = text, .len = before, .step = sizeof text};
        ck_assert(wire_init(&w));
        ck_assert_int_gt(wire_read(&w, give, &s, out, sizeof out), 0);
        s.len = strlen(text);
        read_all(&w, &s, sizeof out / 2, out);
        ck_assert_str_eq(out, over ? "0\r\n\r\n" REFUSAL : "0\r\n\r\n" SAID_CHUNKED "0\r\n\r\n");
        ck_assert_int_eq(w.fault.kind, over ? ERR_HEAD_TOO_LARGE : ERR_NONE);
        wire_release(&w);
    }
}

TEST(wire_carries_long_bodies_unchanged)
{
    enum { LEN = 100000 };
    static char body[LEN + 200], out[2 * LEN];
    for (int chunked = 0; chunked < 2; chunked++) {
        struct wire w;
        int head =
            snprintf(body, sizeof body, "%s",
                     chunked ? CHUNKED "186A0\r\n"
                             : "POST /a HTTP/1.1\r\nHost: y\r\nContent-Length: 100000\r\n\r\n");
        for (int i = 0; i < LEN; i++)
            body[head + i] = (char)(i * 7 + i / 256);
        memcpy(body + head + LEN, "\r\n0\r\n\r\n", 7);
        struct script s = {.text = body, .len = (size_t)(head + LEN + 7 * chunked), .step = 9999};
        ck_assert(wire_init(&w));
        size_t n = read_all(&w, &s, 16000, out);
        size_t said =
            strlen(chunked ? SAID_CHUNKED "186a0\r\n" : SAID "Content-Length: 100000\r\n\r\n");
        ck_assert_uint_eq(n, said + LEN + 7 * (size_t)chunked);
        ck_assert_mem_eq(out + said, body + head, LEN);
        ck_assert_int_eq(w.fault.kind, ERR_NONE);
        wire_release(&w);
    }
}
