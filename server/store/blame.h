// SPDX-License-Identifier: MIT
#pragma once

// What the daemon's death says about a job that was running under it. One job can take the whole
// daemon with it (the kernel ends whoever wants too much memory), and would do so again and again.
//
// A death counts against a job when its run got no further than an earlier run that died, or stored
// no epoch at all. A run that gets further clears the job of everything. From the first such death
// on the job is a suspect: it pauses, longer each time, and then runs alone, so that the next death
// is surely its own and counts against nobody else. The third convicts it.
//
// A daemon that was told to stop is not asked what it died of: the second signal, the end of a
// supervisor's patience and its own deadline are nobody's fault. Should a job have killed it just
// then, the job does so again in its next run, and that counts.
//
// Pure arithmetic, any thread; store_run.c and store_death.c keep the two numbers in the job's row.

#include <stdbool.h>
#include <stdint.h>

enum { BLAME_SUSPECT = 1, BLAME_GUILTY = 3 };

struct blame {
    int64_t n;        // deaths without progress since it got further
    int64_t furthest; // epoch stored by any run that died
};

// After a death at `epoch`, the last one that the run had stored.
struct blame blame_death(struct blame b, int64_t epoch);

// Whether a run that has stored `epoch` clears the job.
static inline bool blame_clears(struct blame b, int64_t epoch)
{
    return epoch > b.furthest;
}

static inline bool blame_suspects(struct blame b)
{
    return b.n >= BLAME_SUSPECT;
}

// The pause before the next run, in milliseconds.
int64_t blame_pause(struct blame b);
