// SPDX-License-Identifier: MIT
#pragma once

// A few threads for work that may take long, and a queue in front of them. http.c has one, whose
// queue is short, for requests that would hold up a polling thread, and one for undoing uploads
// that were cut off, which may be any number and must not wait for requests. Tasks are embedded in
// what they belong to.

#include "err.h"

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct pool_task {
    void (*run)(struct pool_task *task); // on one of the pool's threads, exactly once per put
    struct pool_task *next;
};

// Start `threads` threads at the given niceness over the caller's own. At most `room` tasks wait
// (SIZE_MAX: any number). Stacks have so many bytes, 0: as many as the system gives, which is
// megabytes of addresses. NULL when the system refuses a thread.
struct pool *pool_new(size_t threads, size_t room, int niceness, size_t stack, struct err *e);

// From any thread. False when the queue is full or closed: the task was not taken.
bool pool_put(struct pool *p, struct pool_task *task);

// Take no more, run what was taken, end the threads.
void pool_close(struct pool *p);

// Close and free. Nobody may put any more. NULL is fine.
void pool_free(struct pool *p);
