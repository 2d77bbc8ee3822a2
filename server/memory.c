// SPDX-License-Identifier: MIT
// See memory.h.

#include "memory.h"

#include <stdio.h>
#include <unistd.h>

// The limit of the control group this process is in, as a container sees it; SIZE_MAX without one.
static size_t group_limit(void)
{
    static const char *const path[] = {"/sys/fs/cgroup/memory.max",
                                       "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
        size_t limit = 0;
        FILE *f = fopen(path[i], "r");
        int n = f ? fscanf(f, "%zu", &limit) : 0;
        if (f)
            fclose(f);
        if (n == 1 && limit > 0)
            return limit;
    }
    return (size_t)-1;
}

size_t memory_total(void)
{
    size_t physical = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    size_t limit = group_limit();
    return physical < limit ? physical : limit;
}

size_t memory_of_job(const struct settings *s)
{
    return memory_total() / 2 / (size_t)(s->workers + SETTINGS_SLOW_THREADS);
}

size_t memory_of_models(void)
{
    return memory_total() / 4;
}
