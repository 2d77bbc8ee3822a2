// SPDX-License-Identifier: MIT
#pragma once

// The shape of a row of the route table: everything that is promised about one method on one path.
// server/handlers/routes.def holds the table; server/http/http.c dispatches over it,
// api/docs/openapi.c prints it, the tests walk it.

#include "api/schema/scope.h"
#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum method { GET, POST, PUT, PATCH, DELETE, METHOD_COUNT };

// What a request's body is. JSON and none are gathered before the handler runs; a stream is handed
// on piece by piece. A file is gathered too, and may be JSON or bytes of another kind.
enum body_kind { BODY_NONE, BODY_JSON, BODY_FILE, BODY_STREAM };

// How long a handler may take. A quick one runs on the polling thread, where it stands in the way
// of other connections; the others on a pool (server/http/pool.h), whose threads are never all
// given to those that may take minutes.
enum pace { PACE_QUICK, PACE_SECONDS, PACE_MINUTES };

enum { ROUTE_FAILS = 8, ROUTE_SEGMENTS = 2 };

struct call;      // one request under way (server/http/call.h)
struct rendering; // a form of a reply (api/schema/rendering.h)
struct schema;    // fields of an object (api/schema/schema.h)

struct route {
    enum method method;
    enum scope scope; // what its caller must have
    const char *path; // "/jobs/{id}": a segment in braces matches any one segment
    const char *id;   // OpenAPI's operationId: "create_job"
    const char *doc;  // one sentence
    bool (*handle)(struct call *, struct err *); // when the whole body is there
    const struct schema *body, *reply;           // NULL: free form or none
    const char *produces;                        // media type of the reply; NULL: application/json
    // The forms it may answer in, NULL at the end, the usual one first; `reply` describes that
    // one. NULL: `produces` alone. Only of a GET whose path ends in a word, which may then have a
    // suffix.
    const struct rendering *const *rendering;
    int status;         // of success
    const char *replay; // sentence: when the answer is 200 with the same reply; NULL: never
    enum body_kind body_kind;
    size_t max_body;   // bytes; 0: the kind's default
    enum pace pace;    // of handle(), which may find out that it needs longer: call_defer()
    size_t slow_over;  // bytes of a body with which it is quick nevertheless
    size_t reply_room; // bytes of memory for the reply beyond what every request may use
    // Streams only: open the sink before the first byte, take each piece, and undo all of it when
    // the client vanishes or a piece failed. handle() ends a good one. undo() runs after the
    // request, on any thread: of the call it has the server and the stream.
    bool (*begin)(struct call *, struct err *);
    bool (*piece)(struct call *, const char *, size_t, struct err *);
    void (*undo)(struct call *);
    const struct schema *query;       // parameters, read into call->query; NULL: none
    enum err_kind fails[ROUTE_FAILS]; // what it may answer besides success and the kinds every
                                      // route may raise
};

const char *method_name(enum method m); // "GET"
