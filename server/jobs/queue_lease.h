// SPDX-License-Identifier: MIT
#pragma once

// Keeps the leases of all tickets alive, and takes back what nobody holds any more. Called by the
// queue and its thread.

#include "server/jobs/ticket.h"

struct queue;

// What a renewal asked for at `asked` has told about a lease.
void queue_note_fate(struct queue *q, int64_t asked, const struct lease *lease,
                     enum lease_fate fate);

// One round of renewing and sweeping. The queue's thread does it; tests may.
void queue_tick(struct queue *q);
