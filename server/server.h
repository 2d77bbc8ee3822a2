// SPDX-License-Identifier: MIT
#pragma once

// The daemon's parts, put together. main() makes one, server_start() opens them from the store
// upwards, server_stop() closes them in the opposite order. Handlers reach everything through
// call->server. The parts are opaque here: each file includes the headers of those it uses.

#include "arena.h"
#include "err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

struct settings;
struct log;
struct store;
struct catalog;
struct queue;
struct workers;
struct cache;
struct http;

struct server {
    const struct settings *settings; // main's, constant
    const struct log *log;           // the same
    struct store *store;
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

// The first thing in main(), before any thread: one thread per BLAS call, and large blocks of
// memory given back when they are freed.
void server_prepare(void);

void server_openapi(FILE *f); // the OpenAPI document of the route table

// Open the data folder, queue again what a dead daemon left running, start workers, listen. The
// caller has set settings and log and nothing else. False with the reason; then everything that was
// opened is closed again.
bool server_start(struct server *s, struct err *e);

// The process has been told to stop. From here on its death is held against no job, however it
// comes. Before server_stop(), as early as can be.
void server_told_to_stop(struct server *s);

// Take no new requests, let those under way and the workers' current step finish for at most `ms`
// milliseconds, close everything. Unfinished jobs go on after the next start. False when a request
// or a worker has not come to an end two seconds later: its job is released and the store is
// closed, but threads go on, nothing is freed and the process must _exit().
bool server_stop(struct server *s, int ms);
