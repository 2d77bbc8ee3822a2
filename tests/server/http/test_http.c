// SPDX-License-Identifier: MIT
// Requests in pieces, in rows and in crowds; starting and stopping.

#include "tests/server/http/edge.h"
#include "tests/harness.h"
#include "tests/server/http/peer.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <time.h>

// ---- How a request arrives ----

static const char *const whole[] = {"POST /things HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello",
                                    "POST /things HTTP/1.1\r\n" H CHUNKED
                                    "\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n"};

LOOP_TEST(http_takes_a_request_byte_by_byte, 2)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
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
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
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

// Of several connections of a polling thread none may be forgotten while its next request is here
// already.
TEST(http_answers_what_several_connections_pipeline)
{
    enum { CONNECTIONS = 8, REQUESTS = 3 };
    static const char get[] = "GET /things HTTP/1.1\r\n" H "\r\n";
    static const char last[] = "GET /things HTTP/1.1\r\n" H "Connection: close\r\n\r\n";
    struct http *h = edge_serve(NULL);
    static struct peer p[CONNECTIONS];
    char all[REQUESTS * sizeof last] = "";
    for (int i = 1; i < REQUESTS; i++)
        strcat(all, get);
    strcat(all, last);
    for (int i = 0; i < CONNECTIONS; i++)
        peer_open(&p[i], http_port(h));
    for (int i = 0; i < CONNECTIONS; i++)
        peer_send(&p[i], all);
    for (int i = 0; i < CONNECTIONS; i++) {
        struct response a;
        for (int k = 0; k < REQUESTS; k++) {
            peer_answer(&p[i], &a, false);
            ck_assert_int_eq(a.status, 200);
        }
        peer_close(&p[i]);
    }
    http_stop(h);
}

TEST(http_answers_pipelined_requests_in_order)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
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
    struct http *h = edge_serve(NULL);
    struct response a;
    peer_ask(http_port(h), "GET /things/12?name=a+b%26%c3%a9 HTTP/1.1\r\n" H "X-Agent: q\r\n\r\n",
             &a);
    ck_assert_str_eq(a.body, "12 a b&\xc3\xa9 q");
    http_stop(h);
}

// ---- Many clients ----

enum { CLIENTS = 200 };

static void *client(void *http)
{
    struct peer p;
    struct response a;
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
    struct http *h = edge_serve(NULL);
    pthread_t t[CLIENTS];
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 2 << 20);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&t[i], &small, client, h), 0);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(t[i], NULL);
    http_stop(h);
}

// One with a request under way is never closed for others.
TEST(http_tells_a_connection_too_many_to_come_back)
{
    struct http_limits limits = http_limits_default;
    limits.max_connections = 10;
    struct http *h = edge_serve(&limits);
    static struct peer p[14];
    struct response a;
    for (int i = 0; i < 14; i++) {
        peer_open(&p[i], http_port(h));
        peer_send(&p[i], "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab");
        if (i < 10)
            edge_wait(&seen.begun, i + 1);
    }
    for (int i = 13; i >= 0; i--) {
        if (i < 10)
            peer_send(&p[i], "c");
        peer_answer(&p[i], &a, false);
        ck_assert_int_eq(a.status, i < 10 ? 201 : 503);
        ck_assert(i < 10 || (answer_header(&a, "Retry-After") && a.closes));
        peer_close(&p[i]);
    }
    http_stop(h);
}

// Half of them have been used, half have never said anything.
TEST(http_closes_the_longest_idle_connections_to_make_room)
{
    enum { IDLE = 60, ROOM = 20 };
    struct http_limits limits = http_limits_default;
    limits.max_connections = ROOM;
    limits.shed_ms = -1;
    struct http *h = edge_serve(&limits);
    static struct peer idle[IDLE];
    struct response a;
    for (int i = 0; i < IDLE; i++) {
        peer_open(&idle[i], http_port(h));
        if (i % 2)
            continue;
        peer_send(&idle[i], "GET /things HTTP/1.1\r\n" H "\r\n");
        peer_answer(&idle[i], &a, false);
        ck_assert_int_eq(a.status, 200);
    }
    for (int i = 0; i < 100; i++) {
        peer_ask(http_port(h), "GET /things HTTP/1.1\r\n" H "Connection: close\r\n\r\n", &a);
        ck_assert_int_eq(a.status, 200);
    }
    ck_assert(peer_at_end(&idle[0]));
    ck_assert(peer_at_end(&idle[1]));
    for (int i = 0; i < IDLE; i++)
        peer_close(&idle[i]);
    http_stop(h);
}

static bool is_served(uint16_t port)
{
    static const char request[] = "GET /things HTTP/1.1\r\n" H "Connection: close\r\n\r\n";
    static const char served[] = "HTTP/1.1 200 ";
    char text[sizeof served] = "";
    struct peer p;
    peer_open(&p, port);
    ssize_t n = peer_try(&p, request, strlen(request)) ? recv(p.fd, text, sizeof text, 0) : 0;
    peer_close(&p);
    return n > 0 && !strncmp(text, served, strlen(served));
}

// More than there is room for, all of them too fresh to be closed when they come.
TEST(http_is_not_locked_up_by_a_crowd_that_comes_at_once)
{
    enum { ROOM = 10, CROWD = 300 };
    struct http_limits limits = http_limits_default;
    limits.max_connections = ROOM;
    limits.shed_ms = 1000;
    limits.header_ms = 3600000;
    struct http *h = edge_serve(&limits);
    static struct peer crowd[CROWD];
    for (int i = 0; i < CROWD; i++)
        peer_open(&crowd[i], http_port(h));
    bool served = false;
    for (int tries = 0; !served && tries < 1000; tries++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        served = is_served(http_port(h));
    }
    ck_assert(served);
    for (int i = 0; i < CROWD; i++)
        peer_close(&crowd[i]);
    http_stop(h);
}

TEST(http_makes_room_when_a_connection_closes)
{
    struct http_limits limits = http_limits_default;
    limits.max_connections = 2;
    struct http *h = edge_serve(&limits);
    for (int i = 0; i < 10; i++) {
        struct response a = {0};
        for (int tries = 0; tries < 1000 && a.status != 200; tries++)
            peer_ask(http_port(h), "GET /things HTTP/1.1\r\n" H "Connection: close\r\n\r\n", &a);
        ck_assert_int_eq(a.status, 200);
    }
    http_stop(h);
}

TEST(http_tells_a_request_too_many_to_come_back)
{
    struct http_limits limits = http_limits_default;
    limits.max_requests = 1;
    struct http *h = edge_serve(&limits);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab");
    edge_wait(&seen.begun, 1);
    peer_ask(http_port(h), "POST /sink?name=b HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 503);
    peer_ask(http_port(h), "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 503);
    peer_ask(http_port(h), "POST /bulk HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 503);
    peer_ask(http_port(h), HELLO, &a); // is over in a moment
    ck_assert_int_eq(a.status, 201);
    peer_ask(http_port(h), "GET /things HTTP/1.1\r\n" H "\r\n", &a);
    ck_assert_int_eq(a.status, 200);
    peer_send(&p, "c");
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 201);
    peer_close(&p);
    http_stop(h);
}

// ---- Requests that take long ----

#define SLOW "GET /slow HTTP/1.1\r\n" H "\r\n"
#define QUICK "GET /things HTTP/1.1\r\n" H "\r\n"

static void *release_later(void *arg)
{
    (void)arg;
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    atomic_store(&seen.release, true);
    return NULL;
}

// More of them than polling threads, so that one of those would be held if any could be.
TEST(http_answers_others_while_long_requests_run)
{
    enum { HELD = 6 };
    struct http *h = edge_serve(NULL);
    static struct peer p[HELD];
    struct response a;
    for (int i = 0; i < HELD; i++) {
        peer_open(&p[i], http_port(h));
        peer_send(&p[i], SLOW);
    }
    edge_wait(&seen.held, SETTINGS_SLOW_THREADS);
    for (int i = 0; i < 20; i++) {
        peer_ask(http_port(h), QUICK, &a);
        ck_assert_int_eq(a.status, 200);
    }
    ck_assert_int_eq(atomic_load(&seen.held), SETTINGS_SLOW_THREADS);
    atomic_store(&seen.release, true);
    for (int i = 0; i < HELD; i++) {
        peer_answer(&p[i], &a, false);
        ck_assert_int_eq(a.status, 200);
        peer_close(&p[i]);
    }
    ck_assert_int_eq(atomic_load(&seen.patient), HELD);
    ck_assert_int_eq(atomic_load(&seen.quick), 0);
    ck_assert(!atomic_load(&seen.polled));
    http_stop(h);
}

// Of three that come while all threads are taken, one may wait.
TEST(http_tells_a_long_request_too_many_to_come_back)
{
    enum { RUN = SETTINGS_SLOW_THREADS, ALL = RUN + 3 };
    struct http_limits limits = edge_limits();
    limits.slow_waiting = 1;
    struct http *h = edge_serve(&limits);
    static struct peer p[ALL];
    struct pollfd told[3];
    struct response a;
    int busy = 0;
    for (int i = 0; i < ALL; i++) {
        peer_open(&p[i], http_port(h));
        peer_send(&p[i], SLOW);
        if (i < RUN)
            edge_wait(&seen.held, i + 1);
        else
            told[i - RUN] = (struct pollfd){.fd = p[i].fd, .events = POLLIN};
    }
    for (int i = 0; i < 5000 && poll(told, 3, 1) < 2; i++)
        ;
    atomic_store(&seen.release, true);
    for (int i = 0; i < ALL; i++) {
        peer_answer(&p[i], &a, false);
        busy += a.status == 503;
        if (a.status == 503)
            ck_assert_str_eq(answer_header(&a, "Retry-After"), "1");
        else
            ck_assert_int_eq(a.status, 200);
        peer_close(&p[i]);
    }
    ck_assert_int_eq(busy, 2);
    http_stop(h);
}

#define LASTING "GET /lasting HTTP/1.1\r\n" H "\r\n"
#define HEAVIER "GET /heavier HTTP/1.1\r\n" H "\r\n"

static void send_each(struct http *h, struct peer *p, int n, const char *request)
{
    for (int i = 0; i < n; i++) {
        peer_open(&p[i], http_port(h));
        peer_send(&p[i], request);
    }
}

// One after the other, so that each has a thread of the pool.
static void hold_threads(struct http *h, struct peer *p, int n)
{
    for (int i = 0; i < n; i++) {
        send_each(h, &p[i], 1, SLOW);
        edge_wait(&seen.held, i + 1);
    }
}

static void expect_each(struct peer *p, int n, int status)
{
    struct response a;
    for (int i = 0; i < n; i++) {
        peer_answer(&p[i], &a, false);
        ck_assert_int_eq(a.status, status);
        peer_close(&p[i]);
    }
}

// The first long ones take all that they get; one that finds out only then that it is one waits
// behind them.
TEST(http_keeps_a_thread_for_requests_that_take_seconds)
{
    enum { LONG = SETTINGS_SLOW_THREADS - 1, MANY = 20 };
    struct http *h = edge_serve(NULL);
    static struct peer p[MANY], last;
    struct response a;
    send_each(h, p, MANY, LASTING);
    edge_wait(&seen.held, LONG);
    send_each(h, &last, 1, HEAVIER);
    edge_wait(&seen.patient, LONG + 1);
    for (int i = 0; i < 5; i++) {
        peer_ask(http_port(h), "GET /heavy HTTP/1.1\r\n" H "\r\n", &a);
        ck_assert_int_eq(a.status, 200);
    }
    ck_assert_int_eq(atomic_load(&seen.held), LONG);
    ck_assert_int_eq(atomic_load(&seen.patient), LONG + 1 + 5);
    atomic_store(&seen.release, true);
    expect_each(p, MANY, 200);
    expect_each(&last, 1, 200);
    ck_assert_int_eq(atomic_load(&seen.patient), MANY + 2 + 5);
    ck_assert(!atomic_load(&seen.polled));
    http_stop(h);
}

// Its turn has not come, so nothing of it has been done: its body is dropped.
TEST(http_tells_a_long_request_that_has_waited_to_come_back)
{
    enum { RUN = SETTINGS_SLOW_THREADS };
    struct http_limits limits = http_limits_default;
    limits.tick_ms = 10;
    limits.slow_wait_ms = 1000; // for a thread that is free to be awake
    struct http *h = edge_serve(&limits);
    static struct peer p[RUN], waits;
    struct response a;
    hold_threads(h, p, RUN);
    peer_open(&waits, http_port(h));
    peer_send(&waits, "POST /sometimes HTTP/1.1\r\n" H "Content-Length: 101\r\n\r\n");
    peer_zeros(&waits, 101, false);
    peer_answer(&waits, &a, false);
    ck_assert_int_eq(a.status, 503);
    ck_assert_str_eq(answer_header(&a, "Retry-After"), "1");
    ck_assert_ptr_nonnull(strstr(a.body, "other long requests"));
    peer_close(&waits);
    ck_assert_int_eq(atomic_load(&seen.held), RUN);
    atomic_store(&seen.release, true);
    expect_each(p, RUN, 200);
    ck_assert_int_eq(atomic_load(&seen.patient), RUN);
    http_stop(h);
}

TEST(http_lets_a_long_request_wait_whose_large_body_is_here)
{
    enum { RUN = SETTINGS_SLOW_THREADS };
    struct http_limits limits = http_limits_default;
    limits.tick_ms = 10;
    limits.slow_wait_ms = 1000; // for a thread that is free to be awake
    limits.fair_hold = 100;
    struct http *h = edge_serve(&limits);
    static struct peer p[RUN], waits;
    struct response a;
    hold_threads(h, p, RUN);
    peer_open(&waits, http_port(h));
    peer_send(&waits, "POST /sometimes HTTP/1.1\r\n" H "Content-Length: 101\r\n\r\n");
    peer_zeros(&waits, 101, false);
    usleep(1500000);
    atomic_store(&seen.release, true);
    peer_answer(&waits, &a, false);
    ck_assert_int_eq(a.status, 200);
    peer_close(&waits);
    expect_each(p, RUN, 200);
    http_stop(h);
}

// This client has only ended its own side, so it can be told.
TEST(http_does_not_begin_long_requests_whose_client_has_left)
{
    enum { RUN = SETTINGS_SLOW_THREADS };
    struct http_limits limits = edge_limits();
    limits.tick_ms = limits.gone_ms = 10;
    limits.slow_waiting = 1;
    struct http *h = edge_serve(&limits);
    static struct peer p[RUN], leaves, comes;
    struct response a;
    hold_threads(h, p, RUN);
    send_each(h, &leaves, 1, SLOW);
    shutdown(leaves.fd, SHUT_WR);
    peer_answer(&leaves, &a, false);
    ck_assert_int_eq(a.status, 503);
    ck_assert_ptr_nonnull(strstr(a.body, "hung up"));
    peer_close(&leaves);
    ck_assert_int_eq(atomic_load(&seen.held), RUN);
    send_each(h, &comes, 1, SLOW); // in its place
    atomic_store(&seen.release, true);
    expect_each(p, RUN, 200);
    expect_each(&comes, 1, 200);
    ck_assert_int_eq(atomic_load(&seen.patient), RUN + 1);
    http_stop(h);
}

TEST(http_takes_time_only_for_bodies_over_the_rows_bound)
{
    struct http *h = edge_serve(NULL);
    for (size_t n = 99; n <= 101; n++) {
        struct peer p;
        struct response a;
        char head[100];
        snprintf(head, sizeof head, "POST /sometimes HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n",
                 n);
        peer_open(&p, http_port(h));
        peer_send(&p, head);
        peer_zeros(&p, n, false);
        peer_answer(&p, &a, false);
        ck_assert_int_eq(a.status, 200);
        ck_assert_uint_eq(a.body_len, n);
        peer_close(&p);
    }
    ck_assert_int_eq(atomic_load(&seen.quick), 2);
    ck_assert_int_eq(atomic_load(&seen.patient), 1);
    http_stop(h);
}

TEST(http_runs_a_handler_again_that_needs_time)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    for (int i = 1; i <= 30; i++) { // the memory of the first try is given back
        peer_send(&p, "GET /heavy HTTP/1.1\r\n" H "\r\n");
        peer_answer(&p, &a, false);
        ck_assert_int_eq(a.status, 200);
        ck_assert_int_eq(atomic_load(&seen.quick), i);
        ck_assert_int_eq(atomic_load(&seen.patient), i);
    }
    ck_assert(!atomic_load(&seen.polled));
    peer_close(&p);
    http_stop(h);
}

TEST(http_answers_pipelined_requests_in_order_when_some_take_long)
{
    static const char *const request[] = {QUICK, "GET /heavy HTTP/1.1\r\n" H "\r\n", HELLO, SLOW};
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
    atomic_store(&seen.release, true);
    peer_open(&p, http_port(h));
    for (int i = 0; i < 40; i++)
        peer_send(&p, request[i % 4]);
    for (int i = 0; i < 40; i++) {
        peer_answer(&p, &a, false);
        ck_assert_int_eq(a.status, i % 4 == 2 ? 201 : 200);
    }
    peer_close(&p);
    http_stop(h);
}

#define ENDLESS "GET /endless HTTP/1.1\r\n" H "\r\n"

// The first only ends its own side, and is still told.
TEST(http_gives_up_long_work_whose_client_is_gone)
{
    struct http_limits limits = http_limits_default;
    limits.tick_ms = limits.gone_ms = 10;
    struct http *h = edge_serve(&limits);
    struct peer p;
    struct response a;
    peer_open(&p, http_port(h));
    peer_send(&p, ENDLESS);
    shutdown(p.fd, SHUT_WR);
    peer_answer(&p, &a, false);
    ck_assert_int_eq(a.status, 503);
    peer_close(&p);
    peer_open(&p, http_port(h));
    peer_send(&p, ENDLESS);
    edge_wait(&seen.held, 2);
    peer_close(&p);
    edge_wait(&seen.ended, 2);
    http_stop(h);
}

TEST(http_gives_up_long_work_when_it_stops)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    peer_open(&p, http_port(h));
    peer_send(&p, ENDLESS);
    edge_wait(&seen.held, 1);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.ended), 1);
    peer_close(&p);
}

// The library must not stop while a connection is suspended.
TEST(http_stops_while_long_requests_run_and_wait)
{
    struct http *h = edge_serve(NULL);
    static struct peer p[8];
    pthread_t t;
    for (int i = 0; i < 8; i++) {
        peer_open(&p[i], http_port(h));
        peer_send(&p[i], SLOW);
    }
    edge_wait(&seen.held, SETTINGS_SLOW_THREADS);
    pthread_create(&t, NULL, release_later, NULL);
    http_stop(h);
    pthread_join(t, NULL);
    ck_assert_int_eq(atomic_load(&seen.held), SETTINGS_SLOW_THREADS);
    for (int i = 0; i < 8; i++)
        peer_close(&p[i]);
}

// ---- The end ----

TEST(http_drains_what_is_under_way_and_takes_nothing_new)
{
    struct http *h = edge_serve(NULL);
    struct peer held, kept;
    struct response a;
    pthread_t t;
    peer_open(&kept, http_port(h));
    peer_send(&kept, "GET /things HTTP/1.1\r\n" H "\r\n");
    peer_answer(&kept, &a, false);
    peer_open(&held, http_port(h));
    peer_send(&held, "GET /hold HTTP/1.1\r\n" H "\r\n");
    edge_wait(&seen.held, 1);
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
    static const char *const request[] = {HELLO, "GET /nothing HTTP/1.1\r\n" H "\r\n",
                                          "GET /things HTTP/1.1\r\n\r\n",
                                          "PUT /things HTTP/1.1\r\n" H CHUNKED "\r\n"};
    int before = open_files();
    for (int i = 0; i < 4; i++) {
        struct http *h = edge_serve(NULL);
        struct response a;
        peer_ask(http_port(h), request[i], &a);
        if (i % 2)
            http_drain(h, 5000);
        http_stop(h);
    }
    ck_assert_int_eq(open_files(), before);
}

#define UNFINISHED "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab"

// With few descriptors there are fewer connections and requests, and accepting never runs out of
// them.
TEST(http_leaves_descriptors_for_others)
{
    struct response a;
    enum { CLIENTS_ASKED = 150, FILES = 480 };
    static struct peer p[CLIENTS_ASKED];
    struct http_limits limits = http_limits_default;
    limits.max_files = FILES;
    limits.shed_ms = 3600000;
    struct http *h = edge_serve(&limits);
    int answered = 0;
    for (int i = 0; i < CLIENTS_ASKED; i++) {
        peer_open(&p[i], http_port(h));
        peer_try(&p[i], UNFINISHED, strlen(UNFINISHED));
    }
    edge_wait(&seen.begun, 24);
    ck_assert_int_lt(open_files(), FILES - 100);
    for (int i = 0; i < CLIENTS_ASKED; i++)
        peer_close(&p[i]);
    for (int tries = 0; tries < 1000 && !answered; tries++) { // once those are noticed
        peer_ask(http_port(h), "GET /things HTTP/1.1\r\n" H "Connection: close\r\n\r\n", &a);
        answered = a.status == 200;
    }
    ck_assert(answered);
    http_stop(h);
}

TEST(http_says_how_many_descriptors_it_needs)
{
    struct settings s;
    struct err e = {0};
    settings_default(&s);
    s.address.port = 0;
    struct http_config config = {
        .settings = &s, .log = &edge_silent, .limits = http_limits_default};
    config.limits.max_files = 200;
    ck_assert_ptr_null(http_start(&config, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "ulimit -n"));
}

TEST(http_says_why_it_cannot_start)
{
    struct http *h = edge_serve(NULL);
    struct settings s;
    struct err e = {0};
    settings_default(&s);
    s.address.port = http_port(h);
    struct http_config config = {
        .settings = &s, .log = &edge_silent, .limits = http_limits_default};
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
    struct http_config config = {
        .settings = &s, .log = &edge_silent, .limits = http_limits_default};
    struct http *h = http_start(&config, &e);
    ck_assert(h ? !strncmp(http_address(h), "[::1]:", 6) : *e.text);
    http_stop(h);
}

// What a client that does nothing may cost. Seconds, with room for another choice but not for
// another unit.
static const struct {
    const char *name;
    size_t at;
    int most_s;
} patience[] = {
#define AT(member) #member, offsetof(struct http_limits, member)
    {AT(header_ms), 30}, {AT(idle_ms), 120}, {AT(body_ms), 60},
    {AT(reply_ms), 60},  {AT(fair_ms), 10},  {AT(tick_ms), 1},
    {AT(shed_ms), 5},    {AT(gone_ms), 5},   {AT(linger_ms), 5},
#undef AT
};

LOOP_TEST(the_daemon_has_patience_for_a_while, sizeof patience / sizeof *patience)
{
    int ms = *(const int *)((const char *)&http_limits_default + patience[_i].at);
    ck_assert_msg(ms >= http_limits_default.tick_ms && ms <= patience[_i].most_s * 1000, "%s: %d",
                  patience[_i].name, ms);
}
