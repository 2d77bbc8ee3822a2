// SPDX-License-Identifier: MIT
// See queue_state.h and ticket.h.

#include "server/jobs/queue_state.h"

enum stop ticket_poll(struct ticket *t)
{
    atomic_fetch_add_explicit(&t->polls, 1, memory_order_relaxed);
    return (enum stop)atomic_load_explicit(&t->stop, memory_order_relaxed);
}

const struct lease *ticket_lease(const struct ticket *t)
{
    return &t->lease;
}

void ticket_ask_stop(struct ticket *t, enum stop why)
{
    if (atomic_load(&t->stop) < (int)why)
        atomic_store(&t->stop, (int)why);
}
