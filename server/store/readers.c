// SPDX-License-Identifier: MIT
// See readers.h.

#include "server/store/readers.h"

void readers_init(struct readers *r)
{
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->free, NULL);
}

void readers_release(struct readers *r)
{
    for (int i = 0; i < READERS; i++)
        conn_close(&r->conn[i]);
    pthread_cond_destroy(&r->free);
    pthread_mutex_destroy(&r->lock);
}

static int readers_find_locked(const struct readers *r)
{
    for (int i = 0; i < READERS; i++)
        if (!r->used[i])
            return i;
    return -1;
}

struct conn *readers_take(struct readers *r)
{
    int i;
    pthread_mutex_lock(&r->lock);
    while ((i = readers_find_locked(r)) < 0)
        pthread_cond_wait(&r->free, &r->lock);
    r->used[i] = true;
    pthread_mutex_unlock(&r->lock);
    return &r->conn[i];
}

void readers_give_back(struct readers *r, struct conn *c)
{
    pthread_mutex_lock(&r->lock);
    r->used[c - r->conn] = false;
    pthread_cond_signal(&r->free);
    pthread_mutex_unlock(&r->lock);
}
