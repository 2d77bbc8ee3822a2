// SPDX-License-Identifier: MIT
#pragma once

// A fixed number of connections that can only read, for any thread: each is taken by one thread at
// a time, which waits while all are taken. They are opened by whoever finds one closed.

#include "server/store/conn.h"

#include <pthread.h>
#include <stdbool.h>

enum { READERS = 16 };

struct readers {
    pthread_mutex_t lock; // guards `used`
    pthread_cond_t free;
    struct conn conn[READERS];
    bool used[READERS];
};

void readers_init(struct readers *r);

// Closes all. None may be taken.
void readers_release(struct readers *r);

// Waits for one; `db` is NULL in one that is closed.
struct conn *readers_take(struct readers *r);
void readers_give_back(struct readers *r, struct conn *c);
