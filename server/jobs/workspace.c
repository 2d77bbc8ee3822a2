// SPDX-License-Identifier: MIT
// See workspace.h.

#include "server/jobs/workspace.h"

#include <stdlib.h>

// Looked at before it is taken, so that the search for one with a workspace takes no empty one from
// a thread that wants that; and again afterwards, for it may have been emptied in between.
struct workspace_slot *workspace_take(struct workspace_slot *slot, size_t n, bool ready)
{
    for (struct workspace_slot *d = slot; d < slot + n; d++) {
        if (ready && !atomic_load_explicit(&d->workspace, memory_order_relaxed))
            continue;
        if (atomic_exchange_explicit(&d->busy, true, memory_order_acquire))
            continue;
        if (!ready || atomic_load_explicit(&d->workspace, memory_order_relaxed))
            return d;
        workspace_leave(d);
    }
    return NULL;
}

void workspace_leave(struct workspace_slot *d)
{
    atomic_store_explicit(&d->busy, false, memory_order_release);
}

struct workspace *workspace_new(const struct model *m, size_t max, struct err *e)
{
    struct workspace *w = malloc(sizeof *w);
    if (!w)
        return err_no_memory(e), NULL;
    w->next = NULL;
    arena_init(&w->arena, max);
    if (predictor_init(&w->predictor, m, PREDICT_ROWS, &w->arena, e))
        return w;
    arena_correct(&w->arena, e);
    workspaces_free(w);
    return NULL;
}

void workspaces_free(struct workspace *first)
{
    for (struct workspace *next; first; first = next) {
        next = first->next;
        arena_release(&first->arena);
        free(first);
    }
}
