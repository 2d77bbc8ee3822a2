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

#include "engine/base/err.h"
#include "server/http/http_config.h"

#include <stdbool.h>
#include <stdint.h>

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
