// SPDX-License-Identifier: MIT
#pragma once

// The HTTP edge: sockets on one side, rows of a route table on the other. main() starts it once
// everything that handlers use is there, and stops it before any of that goes.
//
// Each request is read by the connection's wire (wire.h), matched to a row (router.h), has its body
// gathered or streamed, and is answered from the row's handler or with a problem document. Polling
// threads run handlers to completion, so one that waits would stop the other connections of its
// thread: rows that may take long say so, and run on a small pool (pool.h), never all of its
// threads on what may take minutes. Nobody waits there for long: whose turn has not come after some
// seconds is told to come again, whose client has left makes room. http.c is the only file that
// includes microhttpd.h.
//
// For a row with a stream: once begin() has returned true, either handle() returns true or undo()
// is called, exactly once, whatever happens.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "server/base/log.h"
#include "server/http/origin.h"
#include "server/http/router.h"
#include "server/base/settings.h"

#include <stddef.h>
#include <stdint.h>

struct server;

// Patience and room. Times in milliseconds, sizes in bytes.
struct http_limits {
    int header_ms; // from a request's first line (or the connection's start) to its last header
    int idle_ms;   // between two requests of a connection
    int body_ms;   // for a body's first bytes, and for any pause within it
    int reply_ms;  // for reading an answer, beyond what min_rate allows
    int min_rate;  // bytes per second that a client must keep up on average
    // Requests that hold memory of the budget, more than fair_hold, are kept to these while others
    // are refused for want of it.
    int fair_ms;         // for a body or an answer, beyond what fair_rate allows
    int fair_rate;       // bytes per second
    size_t fair_hold;    // bytes
    int tick_ms;         // how often deadlines are looked at
    int shed_ms;         // idle for so long, a connection may be closed to make room for others
    int gone_ms;         // after a client has ended its side, until long work for it is given up
    int linger_ms;       // how long the rest of a refused body is swallowed after the answer
    int max_connections; // beyond them the longest idle ones are closed, or new ones answered 503
    int max_files;       // descriptors of the process; 0: as many as the system allows
    int max_requests;    // under way at once; beyond them exchange_crowd()
    int slow_waiting;    // requests that may take seconds and wait for a thread, and as many that
                         // may take minutes; more are answered 503
    int slow_wait_ms;    // how long they may wait before they are answered 503
    size_t drain;        // bytes of a faulty body that are read before it is answered in the middle
};

extern const struct http_limits http_limits_default;

struct http_config {
    const struct settings *settings; // address, threads, max_upload
    struct arena_budget *memory;     // of all requests together; NULL: no bound
    struct router router;
    struct server *server; // handed to handlers as call->server
    const struct log *log;
    struct http_limits limits;
    struct origin_policy callers; // http_start() fills it in
};

struct http;

// Listen and serve. The config is copied; what it points to stays the caller's and must outlive the
// server. NULL on failure, with the reason in words. http_stop() frees.
struct http *http_start(const struct http_config *config, struct err *e);

// "127.0.0.1:8080", with the port really in use; lives as long as the server.
const char *http_address(const struct http *h);
uint16_t http_port(const struct http *h);

// Stop accepting and let requests under way finish, for at most `ms`. False when some did not.
// Requests that arrive meanwhile on open connections are answered 503.
bool http_drain(struct http *h, int ms);

// Close every connection, undo unfinished uploads, do what requests have left to be done, end the
// threads and free. NULL is fine.
void http_stop(struct http *h);
