// SPDX-License-Identifier: MIT
// Job states and their moves, as tables: see job.h.

#include "server/store/job.h"

#include "engine/base/err.h"

#include <string.h>

static const char *const state_word[JOB_STATE_COUNT] = {
#define X(name, word) [JOB_##name] = word,
    JOB_STATES(X)
#undef X
};

const struct job_move job_move[] = {
    {JOB_QUEUED, JOB_RUNNING, "a worker claims it"},
    {JOB_QUEUED, JOB_PAUSED, "its owner sets it aside"},
    {JOB_QUEUED, JOB_CANCELLED, "cancelled before it ran"},
    {JOB_PAUSED, JOB_QUEUED, "its owner resumes it"},
    {JOB_PAUSED, JOB_CANCELLED, "cancelled while set aside"},
    {JOB_RUNNING, JOB_QUEUED, "its worker released it or died"},
    {JOB_RUNNING, JOB_PAUSED, "its worker stopped at a checkpoint"},
    {JOB_RUNNING, JOB_SUCCEEDED, "its model is published"},
    {JOB_RUNNING, JOB_FAILED, "it cannot be trained, or it crashed too often"},
    {JOB_RUNNING, JOB_CANCELLED, "its worker saw the request"},
};
const size_t job_move_count = sizeof job_move / sizeof *job_move;

const char *job_state_word(enum job_state s)
{
    BUG((unsigned)s >= JOB_STATE_COUNT);
    return state_word[s];
}

enum job_state job_state_find(const char *word)
{
    int s = 0;
    while (s < JOB_STATE_COUNT && strcmp(state_word[s], word) != 0)
        s++;
    return (enum job_state)s;
}

bool job_may_move(enum job_state from, enum job_state to)
{
    for (size_t i = 0; i < job_move_count; i++)
        if (job_move[i].from == from && job_move[i].to == to)
            return true;
    return false;
}

bool job_ended(enum job_state s)
{
    for (size_t i = 0; i < job_move_count; i++)
        if (job_move[i].from == s)
            return false;
    return true;
}
