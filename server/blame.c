// SPDX-License-Identifier: MIT
// See blame.h.

#include "blame.h"

struct blame blame_death(struct blame b, int64_t epoch)
{
    if (blame_clears(b, epoch))
        return (struct blame){0, epoch};
    return (struct blame){b.n + (epoch > 0 ? 1 : BLAME_STRIKE), b.furthest};
}

int64_t blame_pause(struct blame b)
{
    static const int64_t ms[] = {0, 10000, 60000};
    enum { LONGEST = sizeof ms / sizeof *ms - 1 };
    int64_t strikes = b.n / BLAME_STRIKE;
    return ms[strikes < LONGEST ? strikes : LONGEST];
}
