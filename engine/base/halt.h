// SPDX-License-Identifier: MIT
#pragma once

// The one way to end long work early: whoever asks for work may hand over a question, "is it to
// stop?", which the work puts at least once every few hundredths of a second of a core. After a yes
// it returns soon, with ERR_CANCELLED, and what it was making is worth nothing. Work that can take
// long only because of the amount (a product of large matrices, a pass over all rows) is cut where
// that leaves its bits alone.
//
// Threads that share the work share the question. NULL in place of one never stops anything.

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct halt {
    // Called from any thread of the work, on several at once. Cheap; once true it stays true.
    bool (*asked)(void *ctx);
    void *ctx;
};

static inline bool halt_asked(const struct halt *h)
{
    return h && h->asked(h->ctx);
}

// In a loop over i = 0, 1, ...: asks in the first of every HALT_EVERY rounds. For rounds of some
// nanoseconds.
enum { HALT_EVERY = 1 << 16 };

static inline bool halt_due(const struct halt *h, size_t i)
{
    return h && i % HALT_EVERY == 0 && h->asked(h->ctx);
}

// The same for rounds of up to a megabyte: rows of a table.
enum { HALT_ROWS = 64 };

static inline bool halt_due_row(const struct halt *h, size_t i)
{
    return h && i % HALT_ROWS == 0 && h->asked(h->ctx);
}

// False with ERR_CANCELLED once the work is to stop. To be asked before anything is concluded from
// a result: a loop that was left early has made a wrong one.
static inline bool halt_go_on(const struct halt *h, struct err *e)
{
    return !halt_asked(h) || fail(e, ERR_CANCELLED, "stopped before the work was done");
}
