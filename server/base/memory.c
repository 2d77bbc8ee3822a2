// SPDX-License-Identifier: MIT
// See memory.h.

#include "server/base/memory.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

// From one of the largest bodies to one that has been taken apart, beside smaller ones.
enum { REQUESTS_LEAST = 64 << 20, REQUESTS_MOST = 512 << 20 };

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

static size_t own_limit(void)
{
    struct rlimit r;
    return getrlimit(RLIMIT_AS, &r) || r.rlim_cur == RLIM_INFINITY ? (size_t)-1 : r.rlim_cur;
}

size_t memory_total(void)
{
    size_t physical = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    size_t group = group_limit(), own = own_limit();
    size_t least = group < own ? group : own;
    return physical < least ? physical : least;
}

size_t memory_of_job(const struct settings *s)
{
    return memory_total() / 2 / (size_t)(s->workers + SETTINGS_SLOW_THREADS);
}

size_t memory_of_models(void)
{
    return memory_total() / 4;
}

size_t memory_of_requests(const struct settings *s)
{
    size_t share = memory_total() / 8;
    if (s->request_memory)
        return (size_t)s->request_memory;
    return share < REQUESTS_LEAST ? REQUESTS_LEAST : share > REQUESTS_MOST ? REQUESTS_MOST : share;
}
