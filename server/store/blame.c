// SPDX-License-Identifier: MIT
// See blame.h.

#include "server/store/blame.h"

struct blame blame_death(struct blame b, int64_t epoch)
{
    if (blame_clears(b, epoch))
        return (struct blame){0, epoch};
    return (struct blame){b.n + 1, b.furthest};
}

int64_t blame_pause(struct blame b)
{
    static const int64_t ms[] = {0, 10000, 60000};
    enum { LONGEST = sizeof ms / sizeof *ms - 1 };
    return ms[b.n < LONGEST ? b.n : LONGEST];
}
