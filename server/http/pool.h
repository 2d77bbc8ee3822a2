// SPDX-License-Identifier: MIT
#pragma once

// A few threads for work that may take long, and a queue in front of them. http.c has one, whose
// queue is short, for requests that would hold up a polling thread, and one for what
// requests leave to be done, which may be any number and must not wait for requests. Tasks are
// embedded in what they belong to.
//
// Lasting tasks, which hold a thread for as long as they like, never have all threads of several,
// nor the others' places in the queue: those always find a thread that is free soon. Otherwise the
// first that came is the first that runs.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct pool_task {
    // On one of the pool's threads, exactly once per put, unless it was swept. The task may be gone
    // or be put again before it returns.
    void (*run)(struct pool_task *task);
    bool lasting;
    struct pool_task *next;
};

// Start `threads` threads at the given niceness over the caller's own. At most `room` lasting tasks
// wait, and as many others (SIZE_MAX: any number). Stacks have so many bytes, 0: as many as the
// system gives, which is megabytes of addresses. NULL when the system refuses a thread.
struct pool *pool_new(size_t threads, size_t room, int niceness, size_t stack, struct err *e);

// From any thread. False when the queue is full or closed: the task was not taken.
bool pool_put(struct pool *p, struct pool_task *task);

// Ask each task that waits, first to last, whether it leaves: it is not run then, and is its
// owner's again, also before `leaves` returns. That is called under the pool's lock and must
// neither wait nor use the pool.
void pool_sweep(struct pool *p, bool (*leaves)(struct pool_task *task));

// Take no more, run what was taken, end the threads.
void pool_close(struct pool *p);

// Close and free. Nobody may put any more. NULL is fine.
void pool_free(struct pool *p);
