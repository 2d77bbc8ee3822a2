// SPDX-License-Identifier: MIT
#pragma once

// Hard deadlines for connections, word of clients that are gone, room where there are too many, and
// a last moment for those that are closed while the client still sends. libmicrohttpd's own timeout
// only measures silence: a client that sends a byte per second holds its connection for ever. Used
// by http.c alone.
//
// Every connection carries a `struct watch`. Polling threads move its deadline with one atomic
// store; the reaper's thread looks at all of them every tick and shuts down the sockets of those
// that are late, upon which libmicrohttpd sees the end of the stream and cleans up as usual. A lock
// keeps a descriptor from being closed, and given to somebody else, between look and shutdown.

#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LINGER_MAX = 64 };

struct watch { // embedded in the connection, which outlives its place in the list
    struct watch *prev, *next;
    int fd;
    _Atomic int64_t deadline;   // reaper_now() at which it is cut
    _Atomic int64_t yield;      // from then on, if others were refused memory
    _Atomic int64_t idle_since; // reaper_now() of when it had no request any more; 0: has one
    int64_t ended;              // reaper_now() of when the client's side had ended; 0: it has not
    atomic_bool gone;           // nobody waits for an answer any more
};

struct reaper_config {
    int tick_ms;
    int gone_ms;   // a client that has ended its side for so long counts as gone
    int linger_ms; // how long a closed connection's unread input is swallowed, so that the client
                   // gets to read its answer instead of a reset
    // What connections share, or NULL: whenever it has refused somebody, those that hold much of it
    // and are slow have to yield.
    struct arena_budget *memory;
    void (*on_tick)(void *arg); // after each look at the connections, on the reaper's thread; NULL:
    void *arg;                  // nothing
};

struct reaper {
    pthread_mutex_t lock; // guards the list and linger
    struct watch head;    // of a ring
    struct reaper_config config;
    unsigned refused; // by the budget until the last tick
    struct {
        int fd;
        int64_t deadline;
    } linger[LINGER_MAX];
    int n_linger;
    int bell; // eventfd: look now
    atomic_bool stop;
    pthread_t thread;
};

int64_t reaper_now(void); // monotonic milliseconds

// Start the thread. `r` must stay where it is until reaper_stop(); the config is copied.
bool reaper_start(struct reaper *r, const struct reaper_config *config, struct err *e);
void reaper_stop(struct reaper *r); // all connections must have been removed

// When a connection opens, and before its descriptor is closed. With `linger` the socket is kept
// for a moment, half closed, unless too many are kept already.
void reaper_add(struct reaper *r, struct watch *w, int fd, int64_t deadline);
void reaper_remove(struct reaper *r, struct watch *w, bool linger);

// Make room: cut the connection that has been without a request for longest, and since `before` at
// least. False: there is none.
bool reaper_shed(struct reaper *r, int64_t before);

// Nobody waits any more, on any connection.
void reaper_give_up(struct reaper *r);

static inline void watch_until(struct watch *w, int64_t deadline)
{
    atomic_store_explicit(&w->deadline, deadline, memory_order_relaxed);
}

static inline void watch_yield(struct watch *w, int64_t from)
{
    atomic_store_explicit(&w->yield, from, memory_order_relaxed);
}
