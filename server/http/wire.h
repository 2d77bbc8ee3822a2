// SPDX-License-Identifier: MIT
#pragma once

// What a client sends, on its way to libmicrohttpd. Every byte of a connection passes here first: a
// head is held back until it is complete and found sound (head.h), and is then said again in a form
// that no two readers can read differently: method HEAD or GET, path "/", a Host, one kind of
// framing. Chunked bodies lose their extensions and trailers. The library thereby keeps what it is
// good at, sockets, waiting, answers, and never sees a byte whose meaning could be in doubt.
//
// A fault becomes a small request of our own in the faulty one's place (or the end of the body that
// is under way) with `fault` set, so that the answer takes the same way, in its turn, as every
// other. Nothing that follows it is read.
//
// One per connection, embedded in it; used by the polling thread that owns the connection. While a
// request is under way other threads may read `head`. No sockets here: bytes come from a callback.

#include "server/http/head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum wire_state {
    WIRE_REQUEST_LINE,
    WIRE_HEAD,
    WIRE_BODY,       // of known length
    WIRE_CHUNK_SIZE, // the line before a chunk
    WIRE_CHUNK,
    WIRE_CHUNK_END, // the line end after a chunk
    WIRE_TRAILER,
    WIRE_WHOLE,  // the request is; the next one waits for wire_next()
    WIRE_REFUSED // nothing more will be read
};

enum {
    WIRE_HEAD_BYTES = 16 << 10, // of a head, and of a trailer section
    WIRE_LINE_BYTES = 4 << 10,  // of the line before a chunk, and of a trailer line
    WIRE_BUFFER = WIRE_HEAD_BYTES + WIRE_LINE_BYTES,
    WIRE_SAID = 192 // what a request's head becomes
};

struct wire {
    enum wire_state state;
    struct head head; // of the request under way; strings lie in `in`
    struct err fault; // why it was refused; ERR_NONE: it was not
    uint64_t left;    // bytes of the body or chunk still to come
    size_t trailer;   // bytes of the trailer section so far
    // Bytes from the client: the head under way is [0, kept), what was not looked at is [at, end).
    char *in;
    size_t kept, at, end;
    char said[WIRE_SAID]; // for the library, [said_at, said_len) not yet taken
    size_t said_at, said_len;
    int blank_lines; // before the request line
    bool more;       // the socket may hold more than was read
    bool stays;      // the client wants the connection for further requests
};

// As recv(): bytes read, 0 at the end, -1 with errno.
typedef ssize_t wire_source(void *ctx, void *to, size_t room);

bool wire_init(struct wire *w); // false: no memory
void wire_release(struct wire *w);

// What the library reads in place of the socket, with recv()'s results. Returns less than `room`
// only when the source has no more for now or the request is whole.
ssize_t wire_read(struct wire *w, wire_source *source, void *ctx, void *to, size_t room);

// The request is answered: the next one may come.
void wire_next(struct wire *w);

// Whether no byte of a next request is here yet.
bool wire_is_idle(const struct wire *w);

// Whether bytes beyond the whole request may have arrived that no event will tell of: the library
// waits for a change of the socket, and these came before. `source` must only peek.
bool wire_has_more(const struct wire *w, wire_source *peek, void *ctx);
