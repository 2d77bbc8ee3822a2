// SPDX-License-Identifier: MIT
#pragma once

// One request under way. http.c makes it, matches the route, gathers the body and runs the handler,
// on the polling thread that owns the connection or, where that may take long, on the pool; the
// handler fills in a reply and returns true, or returns false with an error. Everything in it lives
// in the call's arena, which ends with the request.

#include "api/json/fault.h"
#include "api/schema/route.h"
#include "engine/base/arena.h"
#include "engine/base/halt.h"
#include "server/http/pool.h"

#include <stdbool.h>
#include <stddef.h>

struct http;   // the HTTP edge (server/http/http.h)
struct server; // the daemon's parts, for handlers (server/handlers/server.h)
struct target; // the request's path and query, taken apart (server/http/router.h)

// What a request leaves to be done once it is over, as that may take long and the answer need not
// wait for it: undoing an upload, removing a file. It is embedded in what it needs, which outlives
// the request.
struct cleanup {
    void (*run)(struct cleanup *c); // exactly once, on any thread; frees what it is part of
    struct pool_task task;          // http.c's own, as is `http`
    struct http *http;
};

struct call {
    const struct route *route;
    const struct principal *caller; // who may do what the route needs
    struct server *server;
    struct arena *arena;
    struct faults faults; // what is wrong with the body, place by place; printed into the problem
                          // document when the handler fails
    const struct rendering *rendering;   // of those the route has, the chosen one
    const char *segment[ROUTE_SEGMENTS]; // values of the path's {segments}, percent-decoded
    const void *query;                   // parameters: the struct of the route's schema
    const char *body;                    // BODY_JSON: the whole body, NUL-terminated
    size_t body_len;
    void *stream; // BODY_STREAM: whatever begin() made
    const struct target *target;
    void *conn;              // http.c's own
    const struct halt *halt; // for long work: nobody waits for the answer any more
    enum pace pace;          // how long it may take where it runs now
    enum pace deferred;      // how long it has to, set by call_defer(); PACE_QUICK: it was not
    struct cleanup *cleanup; // from the heap; set by a handler, of a row without undo(); or NULL
    // The reply. A handler sets out and out_len (in the arena or constant); status starts as the
    // route's.
    int status;
    const char *out;
    size_t out_len;
    const char *location; // Location header, or NULL
    const char *replayed; // Idempotent-Replayed header, or NULL
    const char *media;    // media type; starts as the route's, or the rendering's
};

// How often the request header was sent, and its first value, or NULL.
int call_header(const struct call *c, const char *name, const char **value);

// The n-th path segment as a positive integer; fails with ERR_NOT_FOUND ("no such job ...") when it
// is not one.
bool call_id(const struct call *c, int n, const char *what, int64_t *id, struct err *e);

// For a handler that finds that it needs longer than c->pace allows: it gives back what it has
// taken, returns this (false, without an error), and is run again from its start where it may take
// its time.
bool call_defer(struct call *c, enum pace pace);

// Answer with text that lives at least as long as the arena. Always true, so a handler can end with
// it.
bool call_reply(struct call *c, const char *text, size_t len);
