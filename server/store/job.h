// SPDX-License-Identifier: MIT
#pragma once

// The states of a job and the moves between them. The database holds the same list twice more, as a
// CHECK and as a trigger (migrations/0001_init.sql); tests/server/store/test_job.c compares every
// pair. Constant data, any thread.

#include <stdbool.h>
#include <stddef.h>

#define JOB_STATES(X)                                                                              \
    X(QUEUED, "queued")       /* waits for a worker */                                             \
    X(RUNNING, "running")     /* a worker holds its lease */                                       \
    X(PAUSED, "paused")       /* set aside by its owner */                                         \
    X(SUCCEEDED, "succeeded") /* ended, with a model */                                            \
    X(FAILED, "failed")       /* ended, with an error */                                           \
    X(CANCELLED, "cancelled") /* ended, on request */

enum job_state {
#define X(name, word) JOB_##name,
    JOB_STATES(X)
#undef X
        JOB_STATE_COUNT
};

struct job_move {
    enum job_state from, to;
    const char *doc; // what makes it happen
};

extern const struct job_move job_move[];
extern const size_t job_move_count;

// The word for a state: "queued".
const char *job_state_word(enum job_state s);

// The state a word stands for; JOB_STATE_COUNT when it stands for none.
enum job_state job_state_find(const char *word);

// Whether a job may go from one state to the other. Staying is no move.
bool job_may_move(enum job_state from, enum job_state to);

// Whether a job in this state has ended: no move leads out.
bool job_ended(enum job_state s);
