// SPDX-License-Identifier: MIT
// The HTTP edge: see http.h.
//
// libmicrohttpd calls us several times per request: with the raw URI, when the head is there, for
// each piece of the body, and at the end. All of that happens on the one polling thread that owns
// the connection, so a `struct conn` needs no lock. What a request means is in exchange.c; this
// file translates, counts, and sets deadlines.
//
// libmicrohttpd cannot queue an answer in the middle of a body. Past a bound of dropped bytes we
// write it to the socket ourselves and hang up; the reaper then keeps the socket open for a moment,
// so that the client gets to read it.

#include "http.h"

#include "arena.h"
#include "exchange.h"
#include "gate.h"
#include "reaper.h"

#include <microhttpd.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SPARE_FILES = 256, DRAIN_STEP_MS = 2 };

struct http {
    struct http_config config;
    struct MHD_Daemon *daemon;
    struct reaper reaper;
    struct address address;
    char shown[ADDRESS_TEXT];
    int listener;
    atomic_int n_conn, n_request;
    atomic_bool draining;
};

struct conn {
    struct http *http;
    struct MHD_Connection *mhd;
    struct watch watch;
    struct arena arena;
    struct exchange exchange;
    int64_t start; // reaper_now() of the request's head
    bool begun;    // a request is under way and counted in n_request
    bool refused;  // one connection too many
    bool linger;   // answered while the client was still sending
};

const struct http_limits http_limits_default = {
    .header_ms = 10000,
    .idle_ms = 60000,
    .body_ms = 30000,
    .reply_ms = 30000,
    .min_rate = 4096,
    .tick_ms = 250,
    .linger_ms = 2000,
    .max_connections = 1024,
    .max_requests = 512,
    .drain = 4 << 20,
};

static struct conn *conn_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

const char *call_header(const struct call *c, const char *name)
{
    const struct conn *conn = c->conn;
    return MHD_lookup_connection_value(conn->mhd, MHD_HEADER_KIND, name);
}

// ---- One request ----

static enum MHD_Result answer(struct conn *c)
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
    enum MHD_Result queued = MHD_queue_response(c->mhd, (unsigned)call->status, response);
    MHD_destroy_response(response);
    return queued;
}

// Answer past libmicrohttpd and hang up. Nothing else is in the socket's buffer, so one send takes
// it all.
static enum MHD_Result last_word(struct conn *c)
{
    size_t len;
    const char *text = exchange_text(&c->exchange, &len);
    c->linger = true;
    send(c->watch.fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return MHD_NO;
}

static enum MHD_Result note_header(void *head, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    gate_header(head, name, name_len, value ? value : "", value ? value_len : 0);
    return MHD_YES;
}

static bool admit(const struct conn *c, struct err *e)
{
    const struct http *h = c->http;
    if (atomic_load(&h->draining))
        return fail(e, ERR_BUSY, "the server is shutting down");
    if (c->refused || atomic_load(&h->n_request) > h->config.limits.max_requests)
        return fail(e, ERR_BUSY, "the server is busy with other requests; try again");
    return true;
}

// A body may neither pause too long nor be too slow on the whole.
static void watch_body(struct conn *c)
{
    const struct http_limits *l = &c->http->config.limits;
    int64_t pause = reaper_now() + l->body_ms;
    int64_t pace = c->start + l->body_ms + (int64_t)c->exchange.received * 1000 / l->min_rate;
    watch_until(&c->watch, pause < pace ? pause : pace);
}

static enum MHD_Result begin(struct conn *c, const char *method, const char *version)
{
    struct head head = {.version = version,
                        .changes = strcmp(method, "GET") && strcmp(method, "HEAD") &&
                                   strcmp(method, "OPTIONS")};
    c->begun = true;
    c->start = reaper_now();
    atomic_fetch_add(&c->http->n_request, 1);
    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, note_header, &head);
    admit(c, &c->exchange.err);
    watch_body(c);
    if (exchange_begin(&c->exchange, method, &head, c))
        return MHD_YES;
    c->linger = true;
    return answer(c);
}

static enum MHD_Result piece(struct conn *c, const char *data, size_t n)
{
    exchange_piece(&c->exchange, data, n);
    watch_body(c);
    return c->exchange.dropped > c->http->config.limits.drain ? last_word(c) : MHD_YES;
}

static enum MHD_Result finish(struct conn *c)
{
    watch_until(&c->watch, INT64_MAX); // the handler's time is not the client's
    exchange_finish(&c->exchange);
    return answer(c);
}

static void end_request(struct conn *c)
{
    exchange_clear(&c->exchange);
    if (c->begun)
        atomic_fetch_sub(&c->http->n_request, 1);
    c->begun = false;
}

// ---- What libmicrohttpd calls ----

static void *on_uri(void *http, const char *uri, struct MHD_Connection *mhd)
{
    const struct http *h = http;
    struct conn *c = conn_of(mhd);
    if (!c)
        return NULL;
    end_request(c);
    exchange_open(&c->exchange, uri);
    watch_until(&c->watch, reaper_now() + h->config.limits.header_ms);
    return NULL;
}

static enum MHD_Result on_request(void *http, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **own)
{
    (void)http, (void)url, (void)own;
    struct conn *c = conn_of(mhd);
    if (!c)
        return MHD_NO;
    if (!c->begun)
        return begin(c, method, version);
    if (!*n)
        return finish(c);
    size_t len = *n;
    *n = 0;
    return piece(c, data, len);
}

static void on_completed(void *http, struct MHD_Connection *mhd, void **own,
                         enum MHD_RequestTerminationCode why)
{
    (void)own, (void)why;
    const struct http *h = http;
    struct conn *c = conn_of(mhd);
    if (!c)
        return;
    end_request(c);
    watch_until(&c->watch, reaper_now() + h->config.limits.idle_ms);
}

static void *conn_open(struct http *h, struct MHD_Connection *mhd)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL; // on_request() closes it
    c->http = h;
    c->mhd = mhd;
    c->refused = atomic_fetch_add(&h->n_conn, 1) >= h->config.limits.max_connections;
    exchange_init(&c->exchange, &h->config, &c->arena);
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    reaper_add(&h->reaper, &c->watch, fd, reaper_now() + h->config.limits.header_ms);
    return c;
}

static void conn_close(struct http *h, struct conn *c)
{
    if (!c)
        return;
    end_request(c);
    reaper_remove(&h->reaper, &c->watch, c->linger);
    arena_release(&c->arena);
    atomic_fetch_sub(&h->n_conn, 1);
    free(c);
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

// A descriptor for every connection and for what handlers open.
static void raise_file_limit(const struct http_limits *limits)
{
    struct rlimit r;
    rlim_t want = (rlim_t)limits->max_connections * 2 + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= want)
        return;
    r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

// libmicrohttpd divides its connection limit among its threads and lets what is beyond hang without
// an answer, so its limit leaves room for all of ours on any one thread. Its strict mode stays off:
// the gate finds the same faults and answers with problem documents, where 0.9.75 sends its own
// pages, their head twice.
static struct MHD_Daemon *start_daemon(struct http *h)
{
    const struct http_limits *limits = &h->config.limits;
    unsigned threads = (unsigned)h->config.settings->http_threads;
    unsigned room = ((unsigned)limits->max_connections + SPARE_FILES) * threads;
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request,
                            h, MHD_OPTION_LISTEN_SOCKET, h->listener, MHD_OPTION_THREAD_POOL_SIZE,
                            threads > 1 ? threads : 0, MHD_OPTION_CONNECTION_LIMIT, room,
                            MHD_OPTION_URI_LOG_CALLBACK, on_uri, h, MHD_OPTION_NOTIFY_COMPLETED,
                            on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
                            MHD_OPTION_END);
}

static bool start(struct http *h, struct err *e)
{
    raise_file_limit(&h->config.limits);
    h->listener = address_listen(&h->address, e);
    if (h->listener < 0)
        return false;
    address_print(&h->address, h->shown);
    if (!reaper_start(&h->reaper, h->config.limits.tick_ms, h->config.limits.linger_ms, e)) {
        close(h->listener);
        return false;
    }
    h->daemon = start_daemon(h);
    if (h->daemon)
        return true;
    reaper_stop(&h->reaper);
    close(h->listener);
    return fail(e, ERR_INTERNAL, "could not start to serve on %s", h->shown);
}

struct http *http_start(const struct http_config *config, struct err *e)
{
    struct http *h = calloc(1, sizeof *h);
    BUG(!h);
    h->config = *config;
    h->address = config->settings->address;
    if (start(h, e))
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
    MHD_stop_daemon(h->daemon);
    if (atomic_load(&h->draining))
        close(h->listener);
    reaper_stop(&h->reaper);
    free(h);
}
