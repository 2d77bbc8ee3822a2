// SPDX-License-Identifier: MIT
// Bodies while they arrive: what they say, what they cost, and who gets none.

#include "server/http/body.h"

#include "tests/server/http/edge.h"
#include "tests/harness.h"
#include "tests/server/http/peer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MIB = 1 << 20, ALLOWANCE = 1000 };

// ---- One body ----

static const struct {
    size_t announced, limit, len, piece;
} bodies[] = {
    {5, 100, 5, 5},
    {5, 100, 5, 1},
    {65536, 1 << 20, 65536, 1000},
    {65537, 1 << 20, 65537, 1000},
    {0, 1 << 20, 0, 1},
    {0, 1 << 20, 1, 1},
    {0, 1 << 20, 4095, 100},
    {0, 1 << 20, 4096, 100},
    {0, 1 << 20, 1 << 20, 7777},
    {0, 8 << 20, 5000000, 32768},
    {8 << 20, 8 << 20, 8 << 20, 32768},
};

static char sample(size_t i)
{
    return (char)('a' + (i * 7 + i / 1000) % 26);
}

static void put_samples(struct body *b, size_t from, size_t to, size_t piece)
{
    static char text[32768];
    struct err e = {0};
    for (; from < to; from += piece) {
        size_t n = to - from < piece ? to - from : piece;
        for (size_t i = 0; i < n; i++)
            text[i] = sample(from + i);
        ck_assert_msg(body_put(b, text, n, &e), "%s", e.text);
    }
}

LOOP_TEST(body_is_what_was_put_into_it, sizeof bodies / sizeof *bodies)
{
    struct arena_budget all = {.max = 64 * MIB};
    struct arena a;
    struct body b;
    struct err e = {0};
    arena_init(&a, SIZE_MAX / 8);
    arena_share(&a, &all, ALLOWANCE);
    ck_assert(body_open(&b, &a, bodies[_i].announced, bodies[_i].limit, &e));
    put_samples(&b, 0, bodies[_i].len, bodies[_i].piece);
    const char *text = body_text(&b);
    ck_assert_uint_eq(strlen(text), bodies[_i].len);
    ck_assert_uint_eq(b.len, bodies[_i].len);
    for (size_t i = 0; i < bodies[_i].len; i++)
        if (text[i] != sample(i))
            ck_abort_msg("byte %zu", i);
    body_close(&b);
    body_close(&b);
    arena_release(&a);
    ck_assert_uint_eq(all.used, 0);
}

static const struct {
    size_t announced, limit;
} unfinished[] = {{60 * MIB, 64 * MIB}, {0, 64 * MIB}};

LOOP_TEST(body_costs_what_has_arrived_and_no_more, sizeof unfinished / sizeof *unfinished)
{
    struct arena_budget all = {.max = 64 * MIB};
    struct arena a;
    struct body b;
    struct err e = {0};
    arena_init(&a, SIZE_MAX / 8);
    arena_share(&a, &all, 0);
    ck_assert(body_open(&b, &a, unfinished[_i].announced, unfinished[_i].limit, &e));
    ck_assert_uint_eq(all.used, 0);
    for (size_t n = 0; n < 20 * MIB; n += MIB) {
        put_samples(&b, n, n + MIB, 32768);
        ck_assert_uint_ge(all.used, b.len);
        ck_assert_uint_le(all.used, b.len + b.len / 8 + MIB);
    }
    body_close(&b);
    ck_assert_uint_eq(all.used, 0);
}

// ---- Many requests ----

static const struct {
    const char *what, *request;
    size_t memory, held; // of the budget; by others
    size_t zeros;        // bytes of the body beyond the request's text
    bool chunked;
    int status;
    const char *says;
} admissions[] = {
    {"a question", "GET /things HTTP/1.1\r\n" H "\r\n", MIB, MIB, 0, false, 200, "ok"},
    {"a small body", HELLO, MIB, MIB, 0, false, 201, "hello"},
    {"as much as a small request may hold",
     "POST /echo HTTP/1.1\r\n" H "Content-Length: 65536\r\n\r\n", MIB, MIB, 65536, false, 200, "0"},
    {"the same in chunks", "POST /echo HTTP/1.1\r\n" H CHUNKED "\r\n", MIB, MIB, 65536, true, 200,
     "0"},
    {"a larger one", "POST /bulk HTTP/1.1\r\n" H "Content-Length: 2000000\r\n\r\n", 4 * MIB,
     3 * MIB, 0, false, 503, "no memory left"},
    {"the same in chunks", "POST /bulk HTTP/1.1\r\n" H CHUNKED "\r\n", 4 * MIB, 3 * MIB, 2000000,
     true, 503, "no memory left"},
    {"the same when there is room", "POST /bulk HTTP/1.1\r\n" H CHUNKED "\r\n", 4 * MIB, MIB,
     2000000, true, 200, "2000000"},
    {"one that never fits", "POST /bulk HTTP/1.1\r\n" H "Content-Length: 5000000\r\n\r\n", 4 * MIB,
     0, 0, false, 413, "all requests together"},
    {"the same in chunks", "POST /bulk HTTP/1.1\r\n" H CHUNKED "\r\n", 4 * MIB, 0, 5000000, true,
     413, "all requests together"},
    {"the same when it fits", "POST /bulk HTTP/1.1\r\n" H "Content-Length: 5000000\r\n\r\n",
     6 * MIB, 0, 5000000, false, 200, "5000000"},
    {"an answer", "GET /wide?bytes=100000 HTTP/1.1\r\n" H "\r\n", MIB, MIB, 0, false, 200, "w"},
    {"a large answer", "GET /wide?bytes=2000000 HTTP/1.1\r\n" H "\r\n", 4 * MIB, 3 * MIB, 0, false,
     503, "no memory left"},
    {"an answer that never fits", "GET /wide?bytes=5000000 HTTP/1.1\r\n" H "\r\n", 4 * MIB, 0, 0,
     false, 413, "all requests together"},
    {"one that is too large by itself", "GET /wide?bytes=90000000 HTTP/1.1\r\n" H "\r\n",
     1000 * MIB, 0, 0, false, 413, "too wide"},
};

LOOP_TEST(http_takes_what_the_memory_of_all_requests_allows, sizeof admissions / sizeof *admissions)
{
    struct http *h = edge_serve_within(NULL, admissions[_i].memory);
    struct peer p;
    struct response a;
    atomic_store(&edge_memory.used, admissions[_i].held);
    peer_open(&p, http_port(h));
    peer_send(&p, admissions[_i].request);
    if (admissions[_i].zeros)
        peer_zeros(&p, admissions[_i].zeros, admissions[_i].chunked);
    if (admissions[_i].chunked)
        peer_try(&p, "0\r\n\r\n", 5);
    peer_answer(&p, &a, false);
    ck_assert_msg(a.status == admissions[_i].status, "%s: %d %s", admissions[_i].what, a.status,
                  a.body);
    ck_assert_ptr_nonnull(strstr(a.body, admissions[_i].says));
    if (a.status == 503)
        ck_assert_str_eq(answer_header(&a, "Retry-After"), "1");
    if (a.status >= 400 && strstr(admissions[_i].request, "POST"))
        ck_assert(a.closes && peer_at_end(&p));
    peer_close(&p);
    http_stop(h);
    ck_assert_uint_eq(edge_memory.used, admissions[_i].held);
}

static void await_used(size_t least, size_t most)
{
    size_t used = 0;
    for (int i = 0; i < 5000; i++) {
        used = atomic_load(&edge_memory.used);
        if (used >= least && used <= most)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_abort_msg("%zu bytes in place of %zu to %zu", used, least, most);
}

static const char BULK[] = "POST /bulk HTTP/1.1\r\n" H "Content-Length: 3000000\r\n\r\n";

// Three unfinished bodies of 2.2 of their 3 MB fit, a fourth does not; when one leaves it does.
TEST(http_gives_the_memory_of_those_who_leave_to_others)
{
    enum { N = 3, SENT = 2200000 };
    struct http *h = edge_serve_within(NULL, 8000000);
    struct peer p[N], q;
    struct response a;
    for (int i = 0; i < N; i++) {
        peer_open(&p[i], http_port(h));
        peer_send(&p[i], BULK);
        peer_zeros(&p[i], SENT, false);
    }
    await_used(N * (SENT - (256 << 10)), N * (SENT + SENT / 8));
    peer_open(&q, http_port(h));
    peer_send(&q, BULK);
    peer_answer(&q, &a, false);
    ck_assert_int_eq(a.status, 503);
    peer_close(&q);
    peer_ask(http_port(h), HELLO, &a);
    ck_assert_int_eq(a.status, 201);
    peer_close(&p[0]);
    await_used(1, (N - 1) * (SENT + SENT / 8));
    peer_open(&q, http_port(h));
    peer_send(&q, BULK);
    peer_zeros(&q, 3000000, false);
    peer_answer(&q, &a, false);
    ck_assert_int_eq(a.status, 200);
    for (int i = 1; i < N; i++)
        peer_close(&p[i]);
    await_used(0, 0);
    peer_close(&q);
    http_stop(h);
}

// A body that stalls, and an answer that nobody reads, give way to a request that needs the memory.
static const char *const slow[] = {BULK, "GET /wide?bytes=60000000 HTTP/1.1\r\n" H "\r\n"};

LOOP_TEST(http_takes_the_memory_of_slow_clients_when_others_need_it, 2)
{
    struct http_limits limits = http_limits_default;
    limits.fair_ms = 1;
    limits.fair_rate = 1 << 30;
    limits.tick_ms = 5;
    struct http *h = edge_serve_within(&limits, _i ? 62 * MIB : 4 * MIB);
    struct peer p, q;
    struct response a = {0};
    peer_open(&p, http_port(h));
    peer_send(&p, slow[_i]);
    if (_i == 0)
        peer_zeros(&p, 2000000, false);
    await_used(1500000, SIZE_MAX);
    for (int i = 0; i < 1000 && a.status != 200; i++) {
        peer_open(&q, http_port(h));
        peer_send(&q, BULK);
        peer_zeros(&q, 3000000, false);
        peer_answer(&q, &a, false);
        peer_close(&q);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert_int_eq(a.status, 200);
    peer_close(&p);
    http_stop(h);
    ck_assert_uint_eq(edge_memory.used, 0);
}
