// SPDX-License-Identifier: MIT
#pragma once

// Inside of the queue, for queue.c (handing out and taking back) and queue_lease.c (renewing and
// sweeping) only.
//
// The lock is never held across a call to the store. A ticket may therefore be given back, and its
// slot used again, while a renewal is under way: results are matched to slots by the lease's key.

#include "server/jobs/ticket.h"

#include <pthread.h>
#include <stdatomic.h>

enum hands { FREE, WORKER, ORPHAN }; // who has it: nobody, a worker, nobody though it still runs

struct ticket {
    struct lease lease;
    enum hands hands;
    int64_t renewed; // when the last renewal that worked was asked for
    uint64_t polls_seen;
    int64_t moved; // when the polls last went on
    bool taken;    // the job has been rescued from its worker
    _Atomic uint64_t polls;
    _Atomic int stop;
};

struct queue {
    struct store *store;
    const struct clock *clock;
    pthread_t thread;
    pthread_mutex_t lock; // guards all below, but for the atomics
    pthread_cond_t drain; // draining
    pthread_cond_t beat;  // closing
    bool draining, closing;
    struct ticket ticket[QUEUE_TICKETS];
};

static inline int64_t queue_now(const struct queue *q)
{
    return clock_mono(q->clock);
}

// Tell the run to stop; under the lock. The later word of the enum wins: what was asked for by a
// person outlasts a drain.
void ticket_ask_stop(struct ticket *t, enum stop why);
