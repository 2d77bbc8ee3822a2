// SPDX-License-Identifier: MIT
// What is left to be done after a request, which may take long, such as undoing an upload that was
// cut off: who does it, and who waits for it.

#include "tests/server/http/edge.h"
#include "tests/harness.h"
#include "tests/heap.h"
#include "tests/server/http/peer.h"
#include "server/base/settings.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define QUICK "GET /things HTTP/1.1\r\n" H "\r\n"
#define SLOW "GET /slow HTTP/1.1\r\n" H "\r\n"
#define HEAVY "GET /heavy HTTP/1.1\r\n" H "\r\n"

// Begin an upload and hang up.
static void cut_off(struct http *h, const char *name)
{
    struct peer p;
    char head[100];
    int begun = atomic_load(&seen.begun);
    snprintf(head, sizeof head, "POST /sink?name=%s HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\nabc",
             name);
    peer_open(&p, http_port(h));
    peer_send(&p, head);
    edge_wait(&seen.begun, begun + 1);
    peer_close(&p);
}

static int ask(struct http *h, const char *request)
{
    struct response a;
    peer_ask(http_port(h), request, &a);
    return a.status;
}

static void send_slow(struct http *h, struct peer *p)
{
    peer_open(p, http_port(h));
    peer_send(p, SLOW);
}

// Neither does what is to be undone need a place among the long requests, nor take one.
TEST(http_undoes_uploads_though_long_requests_have_all_threads_and_places)
{
    enum { RUN = SETTINGS_SLOW_THREADS };
    struct http_limits limits = edge_limits();
    limits.slow_waiting = 1;
    struct http *h = edge_serve(&limits);
    static struct peer p[RUN + 2];
    struct pollfd told[2];
    struct response a;
    int busy = 0;
    for (int i = 0; i < RUN; i++) {
        send_slow(h, &p[i]);
        edge_wait(&seen.held, i + 1);
    }
    for (int i = 0; i < 5; i++)
        cut_off(h, "a");
    edge_wait(&seen.undone, 5);
    for (int i = 0; i < 2; i++) { // one of them waits, the other is told to come again
        send_slow(h, &p[RUN + i]);
        told[i] = (struct pollfd){.fd = p[RUN + i].fd, .events = POLLIN};
    }
    ck_assert_int_eq(poll(told, 2, PEER_SECONDS * 1000), 1);
    cut_off(h, "a");
    edge_wait(&seen.undone, 6);
    ck_assert(!atomic_load(&seen.polled));
    atomic_store(&seen.release, true);
    for (int i = 0; i < RUN + 2; i++) {
        peer_answer(&p[i], &a, false);
        ck_assert(a.status == 200 || a.status == 503);
        busy += a.status == 503;
        peer_close(&p[i]);
    }
    ck_assert_int_eq(busy, 1);
    http_stop(h);
}

static void *release_later(void *unused)
{
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    atomic_store(&seen.release, true);
    return unused;
}

TEST(http_keeps_nobody_waiting_for_what_is_to_be_undone_but_its_own_end)
{
    enum { MORE = 50 };
    struct http *h = edge_serve(NULL);
    pthread_t thread;
    cut_off(h, "large");
    edge_wait(&seen.held, 1);
    for (int i = 0; i < MORE; i++) // more than long requests may wait
        cut_off(h, "a");
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(ask(h, QUICK), 200);
        ck_assert_int_eq(ask(h, HEAVY), 200);
        ck_assert_int_eq(ask(h, HELLO), 201);
    }
    ck_assert_int_eq(atomic_load(&seen.undone), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, release_later, NULL), 0);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.undone), 1 + MORE);
    ck_assert(!atomic_load(&seen.polled));
    pthread_join(thread, NULL);
}

// Each still has its files open.
TEST(http_counts_uploads_among_the_requests_until_they_are_undone)
{
    struct http_limits limits = http_limits_default;
    limits.max_requests = 1;
    struct http *h = edge_serve(&limits);
    cut_off(h, "large");
    edge_wait(&seen.held, 1);
    ck_assert_int_eq(ask(h, "POST /sink?name=b HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\n"), 503);
    ck_assert_int_eq(ask(h, QUICK), 200);
    atomic_store(&seen.release, true);
    int status = 503;
    for (int i = 0; i < 5000 && status == 503; i++)
        status = ask(h, "POST /sink?name=b HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
    ck_assert_int_eq(status, 201);
    ck_assert_int_eq(atomic_load(&seen.undone), 1);
    http_stop(h);
}

#define LEAVE(path) "POST " path " HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"

// Also when the handler has failed, and when the server stops before it is done.
TEST(http_does_elsewhere_what_a_request_leaves_to_be_done)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    struct response a;
    pthread_t thread;
    peer_open(&p, http_port(h));
    for (int i = 0; i < 10; i++) { // on one connection
        peer_send(&p, i % 2 ? LEAVE("/leave/badly") : LEAVE("/leave"));
        peer_answer(&p, &a, false);
        ck_assert_int_eq(a.status, i % 2 ? 409 : 200);
        ck_assert_int_eq(ask(h, QUICK), 200);
    }
    edge_wait(&seen.held, 1);
    ck_assert_int_eq(atomic_load(&seen.cleaned), 0);
    peer_close(&p);
    ck_assert_int_eq(pthread_create(&thread, NULL, release_later, NULL), 0);
    http_stop(h);
    ck_assert_int_eq(atomic_load(&seen.cleaned), 10);
    ck_assert(!atomic_load(&seen.polled));
    pthread_join(thread, NULL);
}

TEST(http_needs_no_memory_to_undo_an_upload_elsewhere)
{
    struct http *h = edge_serve(NULL);
    struct peer p;
    peer_open(&p, http_port(h));
    peer_send(&p, "POST /sink?name=a HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\nabc");
    edge_wait(&seen.begun, 1);
    heap_fail_in_a_row(1000000);
    heap_fail_elsewhere(1);
    peer_close(&p);
    edge_wait(&seen.undone, 1);
    heap_fail_elsewhere(0);
    heap_fail_in_a_row(1);
    ck_assert(!atomic_load(&seen.polled));
    http_stop(h);
}
