// SPDX-License-Identifier: MIT
#pragma once

// The daemon's parts, put together. main() makes one, server_start() opens them from the store
// upwards, server_stop() closes them in the opposite order. Handlers reach everything through
// call->server. The parts are opaque here: each file includes the headers of those it uses.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "server/http/router.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

struct settings;
struct log;
struct store;
struct files;
struct catalog;
struct queue;
struct workers;
struct cache;
struct http;

struct server {
    const struct settings *settings; // main's, constant
    const struct log *log;           // the same
    struct router routes;            // all that is served, for handlers that tell of it
    struct store *store;
    struct files *files;
    struct catalog *catalog;
    struct queue *queue;
    struct workers *workers;
    struct cache *cache;
    struct http *http;
    int helpers;                  // threads that jobs may have beside the workers'
    struct arena_budget requests; // memory of all requests under way
    struct {
        int drain_ms;
        pthread_mutex_t lock;
        pthread_cond_t quiet;
        bool is_quiet; // no request and no run is under way
    } stop;            // server_stop()'s own
};

// How long a stop may last: requests and steps under way are let finish, then given a little time
// to end, then what is stored is put in order. Whatever hangs, the process ends within 30 s of the
// first signal, which is what docker(1) and others can be told to wait for.
enum { SERVER_DRAIN_MS = 25000, SERVER_GRACE_MS = 2000, SERVER_HALT_MS = 1500, SERVER_LAST_S = 29 };
_Static_assert(SERVER_DRAIN_MS + SERVER_GRACE_MS == 27000, "server/README.md says so");
_Static_assert(SERVER_DRAIN_MS + SERVER_GRACE_MS + SERVER_HALT_MS < SERVER_LAST_S * 1000 &&
                   SERVER_LAST_S < 30,
               "a stop ends by itself before it is cut off");

// In main(), before any thread that computes: one thread per BLAS call, and large blocks of
// memory given back when they are freed.
void server_prepare(void);

void server_openapi(FILE *f); // the OpenAPI document of the route table

// Open the data folder, queue again what a dead daemon left running, start workers, listen. The
// caller has set settings and log and nothing else. False with the reason; then everything that was
// opened is closed again.
//
// Once the jobs of a dead daemon are queued again, a stop is noted in the folder as soon as the
// process hears of it (signals.h): from then on its death is held against no job, however it comes.
// Before, a note would excuse that other daemon's death, and there is nothing to stop.
bool server_start(struct server *s, struct err *e);

// Take no new requests, let those under way and the workers' current step finish for at most `ms`
// milliseconds, close everything. Unfinished jobs go on after the next start. False when a request
// or a worker has not come to an end two seconds later: its job is released and the store is
// closed, but threads go on, nothing is freed and the process must _exit().
bool server_stop(struct server *s, int ms);
