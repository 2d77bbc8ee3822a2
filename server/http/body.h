// SPDX-License-Identifier: MIT
#pragma once

// A request's body, gathered in memory while it arrives. One thread at a time, the connection's.
//
// A short body of announced length lies in the request's arena. Any other has a block of its own
// that grows in place, so that an unfinished body of n bytes costs about n. What has arrived is
// charged to the budget of all requests, not what was announced: an announcement costs its sender
// nothing, and would lock others out for as long as it is not kept. For the same reason nobody
// waits for memory: of many half-read bodies that would fill the budget, each waiting for the
// others, the first to need more is refused and what it held is free for the rest.

#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct body {
    struct arena *arena;
    char *text;       // NULL until there is some
    size_t len, room; // bytes there, bytes of the block
    size_t most;      // that may come
    bool own;         // the block is not the arena's
};

// `announced` is 0 for a body of unknown length, which may have `limit` bytes. ERR_BUSY when the
// announced length does not fit beside the requests under way, ERR_TOO_LARGE when it never would:
// then nothing needs to be read.
bool body_open(struct body *b, struct arena *a, size_t announced, size_t limit, struct err *e);

// Append; at most `most` bytes altogether. The same errors; what was there stays.
bool body_put(struct body *b, const char *data, size_t n, struct err *e);

// The whole of it, NUL-terminated; good until body_close().
const char *body_text(struct body *b);

void body_close(struct body *b); // gives the memory back; may be repeated, zeroes are closed
