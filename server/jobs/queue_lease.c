// SPDX-License-Identifier: MIT
// Keeping leases: see queue.h.
//
// All deadlines of our own leases are monotonic times held here. What the database says about the
// end of a lease is for other machines, so setting the clock neither frees nor prolongs one. What
// other machines hold and no longer renew is taken over.
//
// A run loses its job in two ways: it is stuck, so it is not renewed any more and the loss counts
// as its own crash; or the store could not be written for a whole lease, which is not its fault.

#include "server/jobs/queue_lease.h"

#include "server/jobs/queue_state.h"

#include <string.h>

static struct ticket *lease_find_locked(struct queue *q, const struct lease *lease)
{
    for (struct ticket *t = q->ticket; t < q->ticket + QUEUE_TICKETS; t++)
        if (t->hands != FREE && t->lease.job == lease->job &&
            memcmp(t->lease.key, lease->key, sizeof lease->key) == 0)
            return t;
    return NULL;
}

void queue_note_fate(struct queue *q, int64_t asked, const struct lease *lease,
                     enum lease_fate fate)
{
    pthread_mutex_lock(&q->lock);
    struct ticket *t = lease_find_locked(q, lease);
    if (t && fate == LEASE_LOST)
        ticket_ask_stop(t, STOP_LOST);
    else if (t)
        t->renewed = asked;
    if (t && fate == LEASE_CANCEL)
        ticket_ask_stop(t, STOP_CANCEL);
    pthread_mutex_unlock(&q->lock);
}

static bool stuck_locked(struct ticket *t, int64_t at)
{
    uint64_t polls = atomic_load_explicit(&t->polls, memory_order_relaxed);
    if (polls != t->polls_seen) {
        t->polls_seen = polls;
        t->moved = at;
    }
    return at - t->moved >= QUEUE_STUCK_MS;
}

// The leases of all runs that show life.
static size_t collect(struct queue *q, int64_t at, struct lease lease[QUEUE_TICKETS])
{
    size_t n = 0;
    pthread_mutex_lock(&q->lock);
    for (struct ticket *t = q->ticket; t < q->ticket + QUEUE_TICKETS; t++)
        if (t->hands == WORKER && !t->taken && !stuck_locked(t, at))
            lease[n++] = t->lease;
    pthread_mutex_unlock(&q->lock);
    return n;
}

static void renew_all(struct queue *q)
{
    struct lease lease[QUEUE_TICKETS];
    enum lease_fate fate[QUEUE_TICKETS];
    struct err e = {0};
    int64_t asked = queue_now(q);
    size_t n = collect(q, asked, lease);
    if (n > 0 && !store_job_renew(q->store, lease, n, fate, &e)) {
        if (e.kind != ERR_NO_SPACE)
            return;
        for (size_t i = 0; i < n; i++)
            fate[i] = LEASE_HELD;
    }
    for (size_t i = 0; i < n; i++)
        queue_note_fate(q, asked, &lease[i], fate[i]);
}

// The next job whose run must be taken for dead, with its lease and whether that is its own doing.
// Runs about to lose their lease are told so on the way.
static bool next_dead(struct queue *q, size_t *from, struct lease *lease, bool *own)
{
    bool found = false;
    pthread_mutex_lock(&q->lock);
    while (!found && *from < QUEUE_TICKETS) {
        struct ticket *t = &q->ticket[(*from)++];
        int64_t at = queue_now(q), end = t->renewed + STORE_LEASE_MS;
        bool late = at >= end - QUEUE_MARGIN_MS;
        if (t->hands == WORKER && late)
            ticket_ask_stop(t, STOP_LOST);
        found = t->hands == ORPHAN || (t->hands == WORKER && !t->taken && at >= end);
        *lease = t->lease;
        *own = t->hands == WORKER && stuck_locked(t, at);
    }
    pthread_mutex_unlock(&q->lock);
    return found;
}

static void lease_bury(struct queue *q, const struct lease *lease)
{
    pthread_mutex_lock(&q->lock);
    struct ticket *t = lease_find_locked(q, lease);
    if (t && t->hands == ORPHAN)
        t->hands = FREE;
    else if (t)
        t->taken = true;
    pthread_mutex_unlock(&q->lock);
}

static void lease_sweep(struct queue *q)
{
    struct lease lease;
    bool own;
    for (size_t from = 0; next_dead(q, &from, &lease, &own);) {
        struct err e = {0};
        const char *text = own ? "it made no step for ten minutes" : "its lease ended";
        bool ok = store_job_rescue(q->store, &lease, own ? RUN_CRASHED : RUN_DIED, text, &e);
        if (ok || e.kind == ERR_CONFLICT)
            lease_bury(q, &lease);
    }
}

// Should the store not answer, the next tick asks again.
static void sweep_others(struct queue *q)
{
    int64_t n;
    store_job_rescue_expired(q->store, &n, &(struct err){0});
}

void queue_tick(struct queue *q)
{
    renew_all(q);
    lease_sweep(q);
    sweep_others(q);
}
