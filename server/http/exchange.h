// SPDX-License-Identifier: MIT
#pragma once

// One request on its way from head to answer, without any socket: the head passes the gate and
// finds its row, the body is gathered or handed on, the handler runs, and whatever went wrong
// becomes a problem document. http.c feeds it on the polling thread that owns the connection; the
// struct is part of the connection and used again by the next request.
//
// Order of calls: begin, piece (any number), finish, answer; refuse may come before each of the
// first three, clear at any point, which ends it. After begin() has said false, answer follows at
// once.

#include "engine/base/arena.h"
#include "server/http/body.h"
#include "server/http/call.h"
#include "server/http/gate.h"
#include "server/http/http_config.h"
#include "server/http/router.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct undo; // what is to be done when a stream ends unfinished

struct exchange {
    const struct http_config *config;
    struct arena *arena;
    const atomic_bool *gone; // nobody waits for the answer any more
    struct halt halt;        // asks for it
    struct arena_mark clean; // where the arena stands between requests
    const struct head *head;
    struct target target;
    struct call call;
    struct err err;      // the first thing that went wrong
    const char *granted; // the page of another origin that may read the answer, or NULL
    char allow[ALLOW_TEXT];
    struct body body;  // BODY_JSON and BODY_FILE
    size_t limit;      // bytes that the body may have
    size_t received;   // bytes of the body so far
    size_t dropped;    // those after something went wrong
    enum pace pace;    // how long the handler needs, once that is known
    bool options;      // asks for Allow only
    bool varies;       // Accept has a say in the form of the answer
    struct undo *undo; // of the stream; from before that is there, so nothing can stand in its way
    bool opened;       // the row's begin() succeeded, neither handle() nor undo() has ended it
    bool refused;      // by what stands before the handler
    bool crowded;      // only what is small may come in
    bool last;         // the connection must close after this answer
};

enum { EXCHANGE_OWN = 9, EXCHANGE_HEADERS = EXCHANGE_OWN + ORIGIN_HEADERS };

// Once per connection, before anything else; `x` must stay where it is. The arena is the caller's,
// who releases it. *gone may become true at any time; NULL: never.
void exchange_init(struct exchange *x, const struct http_config *config, struct arena *arena,
                   const atomic_bool *gone);

// Something is wrong with the request that the handler cannot know of (its framing, no room for
// it): it counts as the first error, and the connection closes after the answer.
void exchange_refuse(struct exchange *x, const struct err *why);

// As many requests are under way as may be: of those with a body only small ones may come in.
// Before exchange_begin().
void exchange_crowd(struct exchange *x);

// The head is there; it lives as long as the request. `conn` is handed to the call. False: answer
// now, do not read on.
bool exchange_begin(struct exchange *x, const struct head *head, void *conn);

void exchange_piece(struct exchange *x, const char *data, size_t n);
// The body is complete: run the handler, which may take so long. False: it needs longer, x->pace
// says how long, and it has not been done: to be asked again where it may. That may be another
// thread, as long as nothing else is done with the exchange meanwhile.
bool exchange_finish(struct exchange *x, enum pace pace);

// Make the call's status, out and media final and list the headers.
void exchange_answer(struct exchange *x, struct header out[EXCHANGE_HEADERS]);

// The whole answer as text in the arena, for a connection that closes after it.
const char *exchange_text(struct exchange *x, size_t *len);

// What is left to be done: undoing a stream that was not finished, or what the handler has left;
// NULL if nothing is. The caller must see to its run(), where that may take long.
struct cleanup *exchange_take_cleanup(struct exchange *x);

// The request is over, or its client is gone: do what is left to be done, forget all.
void exchange_clear(struct exchange *x);
