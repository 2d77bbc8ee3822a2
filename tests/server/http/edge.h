// SPDX-License-Identifier: MIT
#pragma once

// A small service behind the real edge, for tests of the edge: a few rows, a server on a free port,
// and counts of what its handlers saw.
//
//     GET, POST /things          POST takes JSON up to 1000 bytes and sends it back
//     POST /echo                 the same with the default limit
//     GET, DELETE /things/{id}   GET answers "id name x-agent"
//     POST /things/{id}/cancel
//     POST /sink?name=           a stream up to 100000 bytes; "!" is a fault, name=taken a
//                                conflict, name=late fails at its end, undoing name=large takes
//                                until seen.release
//     POST /bulk                 JSON up to 64 MiB; answers its length
//     GET /wide?bytes=           so many, from the request's memory
//     GET /broken, /broken/busy, /hold (until seen.release)
//     GET /slow                  as /hold, on the pool
//     POST /sometimes            slow when its body is over 100 bytes
//     GET /endless               until its client is gone, or the server stops
//     GET /lasting               as /slow, of those that may take minutes
//     POST /leave, /leave/badly  leaves something to be done that takes until seen.release; the
//                                second answers with an error
//     GET /heavy                 finds out by itself that it is slow
//     GET /heavier               ... and then that it may take minutes

#include "server/http/http.h"

#include <stdatomic.h>
#include <stdbool.h>

struct edge_seen {
    atomic_int begun, undone, ended, held, cleaned;
    atomic_int dropped; // DELETE requests that ran
    atomic_size_t bytes;
    atomic_bool release;
    atomic_int quick, patient; // handlers of the rows from /slow on, by how they were run
    atomic_bool polled; // what may take long, undoing or cleaning up, ran on a polling thread
};

extern struct edge_seen seen; // zeroed by edge_serve()
extern const struct log edge_silent;

// The defaults, but that a long request may wait for its turn for as long as a test likes.
struct http_limits edge_limits(void);

// Serve with these limits, NULL for those of edge_limits(), as a daemon with this flag or NULL.
// Without a choice of flag the host x is its own.
struct http *edge_serve(const struct http_limits *limits);
struct http *edge_serve_as(const struct http_limits *limits, const char *flag);

// With so many bytes of memory for all requests together, counted in edge_memory.
struct http *edge_serve_within(const struct http_limits *limits, size_t memory);

// Another table of routes, for that caller, without a daemon behind.
struct http *edge_serve_table(const struct route *row, size_t n, const struct principal *caller);
extern struct arena_budget edge_memory;

void edge_wait(const atomic_int *count, int n); // until it has reached exactly n

#define H "Host: x\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define HELLO "POST /things HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"
