// SPDX-License-Identifier: MIT
#pragma once

// What the HTTP edge is given, and how patient and how large it is. Filled by whoever starts it;
// constant from then on, but for what http_start() says it fills in.

#include "engine/base/arena.h"
#include "server/base/log.h"
#include "server/base/settings.h"
#include "server/http/origin.h"
#include "server/http/router.h"

#include <stddef.h>

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
    const struct principal *caller; // who everybody is, until there are tokens; NULL: anonymous
    struct origin_policy callers;   // http_start() fills it in
};
