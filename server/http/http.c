// SPDX-License-Identifier: MIT
// The HTTP edge: see http.h.
//
// libmicrohttpd calls us several times per request: when the head is there, for each piece of the
// body, and at the end. All of that happens on the one polling thread that owns the connection, so
// a `struct http_conn` needs no lock. What a request means is in exchange.c; this file translates,
// counts, and sets deadlines.
//
// What the client sent is read by wire.c before the library sees it: recv.c takes its place between
// the two. A request that reached a handler past the wire ends the process.
//
// libmicrohttpd cannot queue an answer in the middle of a body. Past a bound of dropped bytes we
// write it to the socket ourselves and hang up; the reaper then keeps the socket open for a moment,
// so that the client gets to read it.

#include "server/http/http.h"

#include "engine/base/arena.h"
#include "server/http/descriptors.h"
#include "server/http/exchange.h"
#include "server/http/pool.h"
#include "server/http/reaper.h"
#include "server/http/recv.h"
#include "server/http/wire.h"

#include <microhttpd.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DRAIN_STEP_MS = 2, SLOW_NICENESS = 5, CLEANER_STACK = 256 << 10 };

struct http {
    struct http_config config;
    struct MHD_Daemon *daemon;
    struct reaper reaper;
    struct pool *pool;    // for long requests
    struct pool *cleaner; // for what requests leave to be done, one thread
    struct address address;
    char shown[ADDRESS_TEXT];
    int listener;
    atomic_int n_conn, n_request;
    atomic_bool draining, stopping;
};

struct http_conn {
    struct http *http;
    struct MHD_Connection *mhd;
    struct watch watch;
    struct wire wire;
    struct recv_claim claim; // of its descriptor
    struct arena arena;
    struct exchange exchange;
    struct pool_task task; // its handler, when that may take long
    int64_t start;         // reaper_now() of the request's head
    int64_t queued;        // ... of when it was given to the pool
    bool begun;            // a request is under way and counted in n_request
    bool ready;            // its answer is, and waits for the library to call again
    bool refused;          // one connection too many
    bool linger;           // answered while the client was still sending
};

static struct http_conn *conn_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

int call_header(const struct call *c, const char *name, const char **value)
{
    const struct http_conn *conn = c->conn;
    return head_value(&conn->wire.head, name, value);
}

// ---- What the library reads ----

static ssize_t from_socket(void *conn, void *to, size_t room)
{
    return recvfrom(((struct http_conn *)conn)->watch.fd, to, room, 0, NULL, NULL);
}

static ssize_t peek_socket(void *conn, void *to, size_t room)
{
    return recvfrom(((struct http_conn *)conn)->watch.fd, to, room, MSG_PEEK | MSG_DONTWAIT, NULL,
                    NULL);
}

static ssize_t read_wire(struct recv_claim *claim, void *to, size_t room)
{
    struct http_conn *c = (struct http_conn *)((char *)claim - offsetof(struct http_conn, claim));
    bool was_idle = wire_is_idle(&c->wire);
    ssize_t n = wire_read(&c->wire, from_socket, c, to, room);
    if (was_idle && !wire_is_idle(&c->wire))
        watch_until(&c->watch, reaper_now() + c->http->config.limits.header_ms);
    return n;
}

// ---- One request ----

// By when `bytes` must have gone through, if others need the memory.
static void yield_from(struct http_conn *c, int64_t start, size_t bytes)
{
    const struct http_limits *l = &c->http->config.limits;
    bool holds = arena_charged(&c->arena) > l->fair_hold;
    watch_yield(&c->watch,
                holds ? start + l->fair_ms + (int64_t)bytes * 1000 / l->fair_rate : INT64_MAX);
}

static enum MHD_Result http_answer(struct http_conn *c)
{
    struct header header[EXCHANGE_HEADERS];
    exchange_answer(&c->exchange, header);
    const struct call *call = &c->exchange.call;
    const struct http_limits *l = &c->http->config.limits;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(call->out_len, (void *)call->out, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    for (int i = 0; i < EXCHANGE_HEADERS; i++)
        if (header[i].value)
            MHD_add_response_header(response, header[i].name, header[i].value);
    watch_until(&c->watch,
                reaper_now() + l->reply_ms + (int64_t)call->out_len * 1000 / l->min_rate);
    yield_from(c, reaper_now(), call->out_len);
    enum MHD_Result queued = MHD_queue_response(c->mhd, (unsigned)call->status, response);
    MHD_destroy_response(response);
    return queued;
}

// Answer past libmicrohttpd and hang up. Nothing else is in the socket's buffer, so one send takes
// it all.
static enum MHD_Result last_word(struct http_conn *c)
{
    size_t len;
    const char *text = exchange_text(&c->exchange, &len);
    c->linger = true;
    send(c->watch.fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return MHD_NO;
}

static bool admit(struct http_conn *c, struct err *e)
{
    const struct http *h = c->http;
    if (atomic_load(&h->draining) || atomic_load(&h->stopping))
        return fail(e, ERR_BUSY, "the server is shutting down");
    if (atomic_load(&h->n_request) > h->config.limits.max_requests)
        exchange_crowd(&c->exchange);
    if (c->refused)
        return fail(e, ERR_BUSY, "the server is busy with other requests; try again");
    return true;
}

// A body may neither pause too long nor be too slow on the whole.
static void watch_body(struct http_conn *c)
{
    const struct http_limits *l = &c->http->config.limits;
    int64_t pause = reaper_now() + l->body_ms;
    int64_t pace = c->start + l->body_ms + (int64_t)c->exchange.received * 1000 / l->min_rate;
    watch_until(&c->watch, pause < pace ? pause : pace);
    yield_from(c, c->start, c->exchange.received);
}

static enum MHD_Result http_begin(struct http_conn *c)
{
    struct err busy = {0};
    BUG(c->wire.state == WIRE_REQUEST_LINE); // the library has read past the wire
    c->begun = true;
    c->start = reaper_now();
    atomic_store(&c->watch.idle_since, 0);
    atomic_fetch_add(&c->http->n_request, 1);
    admit(c, &busy);
    exchange_refuse(&c->exchange, &c->wire.fault);
    exchange_refuse(&c->exchange, &busy);
    watch_body(c);
    if (exchange_begin(&c->exchange, &c->wire.head, c))
        return MHD_YES;
    c->linger = true;
    return http_answer(c);
}

static enum MHD_Result piece(struct http_conn *c, const char *data, size_t n)
{
    exchange_piece(&c->exchange, data, n);
    watch_body(c);
    return c->exchange.dropped > c->http->config.limits.drain ? last_word(c) : MHD_YES;
}

static struct http_conn *conn_of_task(struct pool_task *task)
{
    return (struct http_conn *)((char *)task - offsetof(struct http_conn, task));
}

// The library does not touch a suspended connection, and may do anything to it from here on.
static void refuse_slow(struct http_conn *c, const char *why)
{
    struct err busy = {0};
    fail(&busy, ERR_BUSY, "%s", why);
    exchange_refuse(&c->exchange, &busy);
    exchange_finish(&c->exchange, PACE_QUICK);
    MHD_resume_connection(c->mhd);
}

static const char *given_up(const struct http_conn *c)
{
    return atomic_load(&c->http->stopping) ? "the server is shutting down"
           : atomic_load(&c->watch.gone)   ? "the work was given up: its client had hung up"
                                           : NULL;
}

static void put_slow(struct http_conn *c);

// On a thread of the pool.
static void run_slow(struct pool_task *task)
{
    struct http_conn *c = conn_of_task(task);
    const char *why = given_up(c);
    if (why)
        refuse_slow(c, why);
    else if (exchange_finish(&c->exchange, c->exchange.pace))
        MHD_resume_connection(c->mhd);
    else
        put_slow(c);
}

static void put_slow(struct http_conn *c)
{
    c->task = (struct pool_task){.run = run_slow, .lasting = c->exchange.pace == PACE_MINUTES};
    c->queued = reaper_now();
    if (!pool_put(c->http->pool, &c->task))
        refuse_slow(c, "too many long requests are waiting already; try again");
}

// Nothing of what waits has been begun, so it can be told to come again; but not to send all of a
// large body once more, and what brings one takes seconds, so its turn comes.
static bool leaves_queue(struct pool_task *task)
{
    struct http_conn *c = conn_of_task(task);
    const struct http_limits *l = &c->http->config.limits;
    bool cheap = task->lasting || c->exchange.received <= l->fair_hold;
    bool late = cheap && reaper_now() - c->queued >= l->slow_wait_ms;
    const char *why = given_up(c);
    if (!why && late)
        why = "other long requests have taken all the time until now; try again";
    if (why)
        refuse_slow(c, why);
    return why;
}

static void sweep_queue(void *http)
{
    pool_sweep(((struct http *)http)->pool, leaves_queue);
}

// Hand the request to the pool. The connection is suspended first: it may be resumed before
// pool_put() returns.
static enum MHD_Result run_elsewhere(struct http_conn *c)
{
    c->ready = true;
    MHD_suspend_connection(c->mhd);
    put_slow(c);
    return MHD_YES;
}

static enum MHD_Result http_finish(struct http_conn *c)
{
    if (c->ready)
        return http_answer(c);
    watch_until(&c->watch, INT64_MAX); // the handler's time is not the client's
    watch_yield(&c->watch, INT64_MAX);
    exchange_refuse(&c->exchange, &c->wire.fault);
    if (!exchange_finish(&c->exchange, PACE_QUICK))
        return run_elsewhere(c);
    c->linger = c->wire.fault.kind;
    return http_answer(c);
}

static void run_cleanup(struct pool_task *task)
{
    struct cleanup *left = (struct cleanup *)((char *)task - offsetof(struct cleanup, task));
    struct http *h = left->http;
    left->run(left);
    atomic_fetch_sub(&h->n_request, 1);
}

// Giving back the blocks of a large file takes the file system tenths of a second. It has a thread
// of its own: long requests may hold all of theirs for long, and would have to wait for it. It is
// counted as a request meanwhile, which bounds the files that are open.
static void clean_up_elsewhere(struct http *h, struct cleanup *left)
{
    left->http = h;
    left->task = (struct pool_task){.run = run_cleanup};
    BUG(!pool_put(h->cleaner, &left->task)); // never full, and closed last
}

static void end_request(struct http_conn *c)
{
    struct cleanup *left = exchange_take_cleanup(&c->exchange);
    exchange_clear(&c->exchange);
    watch_yield(&c->watch, INT64_MAX);
    if (left)
        clean_up_elsewhere(c->http, left);
    else if (c->begun)
        atomic_fetch_sub(&c->http->n_request, 1);
    c->begun = c->ready = false;
    wire_next(&c->wire);
}

// ---- What libmicrohttpd calls ----

static enum MHD_Result on_request(void *http, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **own)
{
    (void)http, (void)url, (void)method, (void)version, (void)own;
    struct http_conn *c = conn_of(mhd);
    if (!c)
        return MHD_NO;
    if (!c->begun)
        return http_begin(c);
    if (!*n)
        return http_finish(c);
    size_t len = *n;
    *n = 0;
    return piece(c, data, len);
}

// The library looks at a socket again only when something has changed there, and a next request
// that is here already changes nothing. Resuming a connection is what makes it look; done earlier,
// while the answer is not out, it looks too early where it has several connections.
static void look_again(const struct http_conn *c)
{
    MHD_suspend_connection(c->mhd);
    MHD_resume_connection(c->mhd);
}

static void on_completed(void *http, struct MHD_Connection *mhd, void **own,
                         enum MHD_RequestTerminationCode why)
{
    (void)own;
    const struct http *h = http;
    struct http_conn *c = conn_of(mhd);
    if (!c)
        return;
    bool next = why == MHD_REQUEST_TERMINATED_COMPLETED_OK && c->wire.stays && !c->exchange.last &&
                wire_has_more(&c->wire, peek_socket, c);
    end_request(c);
    if (next)
        look_again(c);
    const struct http_limits *l = &h->config.limits;
    atomic_store(&c->watch.idle_since, reaper_now());
    watch_until(&c->watch, reaper_now() + (wire_is_idle(&c->wire) ? l->idle_ms : l->header_ms));
}

static bool http_make_room(struct http *h)
{
    return reaper_shed(&h->reaper, reaper_now() - h->config.limits.shed_ms);
}

static void *conn_open(struct http *h, struct MHD_Connection *mhd)
{
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct http_conn *c = fd < RECV_DESCRIPTORS ? calloc(1, sizeof *c) : NULL;
    if (!c || !wire_init(&c->wire)) {
        free(c);
        return NULL; // on_request() closes it
    }
    c->http = h;
    c->mhd = mhd;
    c->claim.read = read_wire;
    c->refused =
        atomic_fetch_add(&h->n_conn, 1) >= h->config.limits.max_connections && !http_make_room(h);
    exchange_init(&c->exchange, &h->config, &c->arena, &c->watch.gone);
    reaper_add(&h->reaper, &c->watch, fd, reaper_now() + h->config.limits.header_ms);
    recv_claim(fd, &c->claim);
    return c;
}

static void conn_close(struct http *h, struct http_conn *c)
{
    if (!c)
        return;
    recv_drop(c->watch.fd);
    end_request(c);
    wire_release(&c->wire);
    reaper_remove(&h->reaper, &c->watch, c->linger);
    arena_release(&c->arena);
    atomic_fetch_sub(&h->n_conn, 1);
    free(c);
}

// A connection that is refused takes a descriptor too, until it has its answer. Beyond some of
// those, new ones are closed at once: were the last descriptor taken, accept() would fail without
// taking the connection from its queue, and the library would try again without end. All may have
// come at once, when none had been idle for long; idle ones give way as soon as they have been.
static enum MHD_Result on_accept(void *http, const struct sockaddr *from, socklen_t len)
{
    (void)from, (void)len;
    struct http *h = http;
    int over = atomic_load(&h->n_conn) - h->config.limits.max_connections;
    return over < DESCRIPTORS_OVERFLOW || (http_make_room(h) && over < 2 * DESCRIPTORS_OVERFLOW)
               ? MHD_YES
               : MHD_NO;
}

static void on_connection(void *http, struct MHD_Connection *mhd, void **socket,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *socket = conn_open(http, mhd);
    else
        conn_close(http, *socket);
}

// ---- Life ----

// libmicrohttpd divides its connection limit among its threads and lets what is beyond hang without
// an answer, so its limit leaves room for all of ours on any one thread.
static struct MHD_Daemon *start_daemon(struct http *h)
{
    const struct http_limits *limits = &h->config.limits;
    unsigned threads = (unsigned)h->config.settings->http_threads;
    unsigned room = ((unsigned)limits->max_connections + DESCRIPTORS_SPARE) * threads;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, 0, on_accept, h,
        on_request, h, MHD_OPTION_LISTEN_SOCKET, h->listener, MHD_OPTION_THREAD_POOL_SIZE,
        threads > 1 ? threads : 0, MHD_OPTION_CONNECTION_LIMIT, room, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_END);
}

static bool start_pools(struct http *h, struct err *e)
{
    size_t waiting = (size_t)h->config.limits.slow_waiting;
    h->pool = pool_new(SETTINGS_SLOW_THREADS, waiting, SLOW_NICENESS, 0, e);
    h->cleaner = h->pool ? pool_new(1, SIZE_MAX, 0, CLEANER_STACK, e) : NULL;
    return h->cleaner;
}

// It looks after the pool's queue, too, so it lives within the pool's time.
static bool start_reaper(struct http *h, struct err *e)
{
    const struct http_limits *l = &h->config.limits;
    const struct reaper_config config = {.tick_ms = l->tick_ms,
                                         .gone_ms = l->gone_ms,
                                         .linger_ms = l->linger_ms,
                                         .memory = h->config.memory,
                                         .on_tick = sweep_queue,
                                         .arg = h};
    return reaper_start(&h->reaper, &config, e);
}

static bool http_start_threads(struct http *h, struct err *e)
{
    if (start_pools(h, e) && start_reaper(h, e)) {
        h->daemon = start_daemon(h);
        if (h->daemon)
            return true;
        reaper_stop(&h->reaper);
        fail(e, ERR_INTERNAL, "could not start to serve on %s", h->shown);
    }
    pool_free(h->cleaner);
    pool_free(h->pool);
    return false;
}

static bool start_all(struct http *h, struct err *e)
{
    if (!descriptors_share(&h->config.limits, h->config.settings, e))
        return false;
    h->listener = address_listen(&h->address, e);
    if (h->listener < 0)
        return false;
    h->config.callers = (struct origin_policy){h->config.settings, &h->address};
    address_print(&h->address, h->shown);
    if (http_start_threads(h, e))
        return true;
    close(h->listener);
    return false;
}

struct http *http_start(const struct http_config *config, struct err *e)
{
    struct http *h = calloc(1, sizeof *h);
    BUG(!h);
    h->config = *config;
    h->address = config->settings->address;
    if (start_all(h, e))
        return h;
    free(h);
    return NULL;
}

const char *http_address(const struct http *h)
{
    return h->shown;
}

uint16_t http_port(const struct http *h)
{
    return h->address.port;
}

bool http_drain(struct http *h, int ms)
{
    int64_t end = reaper_now() + ms;
    if (!atomic_exchange(&h->draining, true)) {
        // A polling thread may still be about to take it out of its set, and aborts when it is
        // closed by then: so it only stops listening here.
        MHD_quiesce_daemon(h->daemon);
        shutdown(h->listener, SHUT_RD);
    }
    while (atomic_load(&h->n_request) > 0 && reaper_now() < end)
        nanosleep(&(struct timespec){.tv_nsec = DRAIN_STEP_MS * 1000000}, NULL);
    return atomic_load(&h->n_request) == 0;
}

void http_stop(struct http *h)
{
    if (!h)
        return;
    // No connection may be suspended when the library stops: what waits is refused, what runs ends.
    atomic_store(&h->stopping, true);
    reaper_give_up(&h->reaper);
    pool_close(h->pool);
    MHD_stop_daemon(h->daemon);
    pool_free(h->cleaner);
    if (atomic_load(&h->draining))
        close(h->listener);
    reaper_stop(&h->reaper);
    pool_free(h->pool);
    free(h);
}
