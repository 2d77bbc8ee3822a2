// SPDX-License-Identifier: MIT
// The reaper alone, then slow clients against a real server.

#include "tests/server/http/edge.h"
#include "tests/harness.h"
#include "tests/server/http/peer.h"
#include "server/http/reaper.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int readable(int fd) // bytes read: 0 once the other end is shut down
{
    char byte;
    return (int)recv(fd, &byte, 1, 0);
}

TEST(reaper_cuts_those_that_are_late_and_no_others)
{
    struct reaper r;
    struct watch late, early;
    struct err e = {0};
    int a[2], b[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    ck_assert(reaper_start(
        &r, &(struct reaper_config){.tick_ms = 5, .gone_ms = 20, .linger_ms = 50}, &e));
    reaper_add(&r, &early, b[0], reaper_now() + 60000);
    reaper_add(&r, &late, a[0], reaper_now() + 10);
    ck_assert_int_eq(readable(a[1]), 0);
    ck_assert_int_eq(send(b[0], "x", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_eq(readable(b[1]), 1);
    reaper_remove(&r, &late, false);
    reaper_remove(&r, &early, false);
    reaper_stop(&r);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

// One that has ended its side, and may be waiting for an answer, is given a moment. What it sent
// before, and nobody reads, makes no difference.
TEST(reaper_tells_of_clients_that_are_gone)
{
    struct reaper r;
    struct watch left, stays;
    struct err e = {0};
    int a[2], b[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    ck_assert(reaper_start(
        &r, &(struct reaper_config){.tick_ms = 1, .gone_ms = 50, .linger_ms = 50}, &e));
    reaper_add(&r, &stays, b[0], INT64_MAX);
    reaper_add(&r, &left, a[0], INT64_MAX);
    int64_t start = reaper_now();
    ck_assert_int_eq(send(a[1], "\r\n", 2, MSG_NOSIGNAL), 2);
    close(a[1]);
    while (!atomic_load(&left.gone) && reaper_now() - start < 10000)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert(atomic_load(&left.gone));
    ck_assert_int_ge(reaper_now() - start, 50);
    ck_assert(!atomic_load(&stays.gone));
    reaper_give_up(&r);
    ck_assert(atomic_load(&stays.gone));
    reaper_remove(&r, &left, false);
    reaper_remove(&r, &stays, false);
    reaper_stop(&r);
    close(a[0]);
    close(b[0]);
    close(b[1]);
}

// Those that are slow with much of the memory have it for as long as nobody else is refused any.
TEST(reaper_lets_slow_holders_yield_once_the_memory_is_short)
{
    struct arena_budget memory = {.max = 1};
    struct reaper r;
    struct watch slow, quick;
    struct err e = {0};
    int a[2], b[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    ck_assert(reaper_start(
        &r,
        &(struct reaper_config){.tick_ms = 5, .gone_ms = 20, .linger_ms = 50, .memory = &memory},
        &e));
    reaper_add(&r, &slow, a[0], INT64_MAX);
    reaper_add(&r, &quick, b[0], INT64_MAX);
    watch_yield(&slow, reaper_now() - 1);
    watch_yield(&quick, reaper_now() + 60000);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    ck_assert_int_eq(send(a[0], "x", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_eq(readable(a[1]), 1);
    atomic_fetch_add(&memory.refused, 1);
    ck_assert_int_eq(readable(a[1]), 0);
    ck_assert_int_eq(send(b[0], "x", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_eq(readable(b[1]), 1);
    reaper_remove(&r, &slow, false);
    reaper_remove(&r, &quick, false);
    reaper_stop(&r);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

TEST(reaper_keeps_a_closed_socket_readable_for_a_moment)
{
    struct reaper r;
    struct watch w;
    struct peer p;
    struct address at;
    struct err e = {0};
    ck_assert(address_parse(&at, "127.0.0.1:0", &e));
    int listener = address_listen(&at, &e);
    peer_open(&p, at.port);
    int fd = accept(listener, NULL, NULL);
    ck_assert(reaper_start(
        &r, &(struct reaper_config){.tick_ms = 5, .gone_ms = 20, .linger_ms = 200}, &e));
    reaper_add(&r, &w, fd, INT64_MAX);
    ck_assert_int_eq(send(fd, "bye", 3, 0), 3);
    reaper_remove(&r, &w, true);
    close(fd);
    for (int i = 0; i < 20; i++) // somebody takes what is sent, so there is no reset
        ck_assert(peer_try(&p, "x", 1));
    ck_assert_int_eq(recv(p.fd, p.in, 3, MSG_WAITALL), 3);
    ck_assert(peer_at_end(&p));  // with nothing more to say
    while (peer_try(&p, "x", 1)) // and is gone after linger_ms
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    reaper_stop(&r);
    peer_close(&p);
    close(listener);
}

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
    struct http *h = edge_serve(&limits);
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
    limits.body_ms = 400;
    struct http *h = edge_serve(&limits);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100000\r\n\r\n");
    for (int i = 0; i < 25; i++) { // 4000 bytes per 20 ms: 200 kB/s, 500 ms in all
        peer_zeros(&p, 4000, false);
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
    limits.header_ms = limits.body_ms = 100;
    struct http *h = edge_serve(&limits);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, "GET /hold HTTP/1.1\r\n" H "\r\n");
    edge_wait(&seen.held, 1);
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    atomic_store(&seen.release, true);
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 200);
    peer_close(&p);
    http_stop(h);
}
