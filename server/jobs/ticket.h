// SPDX-License-Identifier: MIT
#pragma once

// A job in a worker's hands, as the worker sees it. It belongs to the queue, which hands it out and
// takes it back (queue.h); the worker asks it from its threads whether to go on.

#include "server/store/store.h"

struct ticket;

enum {
    QUEUE_TICKETS = 256,            // workers at most
    QUEUE_BEAT_MS = 5000,           // between renewals
    QUEUE_MARGIN_MS = 5000,         // a run stops that long before its lease ends
    QUEUE_STUCK_MS = 10 * 60 * 1000 // without a poll
};

enum stop {
    STOP_NONE,
    STOP_DRAIN,  // the daemon ends: queue_release()
    STOP_LOST,   // the lease is gone or about to end: queue_release(), which may find it so
    STOP_CANCEL, // somebody asked for it: queue_finish() as cancelled
};

// What the run should do, to be asked often, by any thread of it: neither locks nor waits. Once it
// is something else than STOP_NONE it stays so.
enum stop ticket_poll(struct ticket *t);

// For store_job_note().
const struct lease *ticket_lease(const struct ticket *t);
