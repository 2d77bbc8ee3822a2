// SPDX-License-Identifier: MIT
#pragma once

// A few threads for work that may take long, and a queue of bounded length in front of them. http.c
// makes one, puts requests there that would hold up a polling thread, and frees it; tasks are
// embedded in the connections they belong to.

#include "err.h"

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct pool_task {
    void (*run)(struct pool_task *task); // on one of the pool's threads, exactly once per put
    struct pool_task *next;
};

// Start `threads` threads at the given niceness over the process' own. At most `room` tasks wait.
// NULL when the system refuses a thread.
struct pool *pool_new(size_t threads, size_t room, int niceness, struct err *e);

// From any thread. False when the queue is full or closed: the task was not taken.
bool pool_put(struct pool *p, struct pool_task *task);

// Take no more, run what was taken, end the threads.
void pool_close(struct pool *p);

// Close and free. Nobody may put any more. NULL is fine.
void pool_free(struct pool *p);
