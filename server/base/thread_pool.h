// SPDX-License-Identifier: MIT
#pragma once

// A pool of threads that run the pieces of one parallel loop: fn(arg, i) for every i below n, each
// exactly once, in no promised order and on no promised thread. The calling thread takes part and
// thread_pool_run() returns when the last piece is done, with everything the pieces wrote visible
// to it.
//
// A training thread owns one pool and is the only one to call thread_pool_run(), never from inside
// a piece. thread_pool_run has the shape that the engine's executor asks for, with the pool as its
// context.

#include "engine/base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum { CREW_MAX = 64 };

struct thread_pool {
    uint32_t n_helper;
    int nice;
    pthread_t helper[CREW_MAX];
    void (*fn)(void *arg, uint32_t i); // the loop under way
    void *arg;
    _Alignas(64) atomic_uint left; // pieces nobody has taken
    atomic_uint undone;            // pieces not yet finished
    _Alignas(64) atomic_uint call; // changes with every loop: what idle helpers sleep on
    atomic_uint sleepers;
    atomic_bool caller_sleeps;
    atomic_bool stop;
};

// n_thread counts the caller, so 1 starts no thread. Helpers run at niceness `nice` (0 leaves it).
// `c` must stay where it is until thread_pool_release(). ERR_INVALID beyond CREW_MAX, ERR_INTERNAL
// when the system refuses a thread; then there is nothing to release.
bool thread_pool_init(struct thread_pool *c, uint32_t n_thread, int nice, struct err *e);
void thread_pool_release(struct thread_pool *c); // ends and joins the helpers

void thread_pool_run(void *pool, uint32_t n, void (*fn)(void *arg, uint32_t i), void *arg);
