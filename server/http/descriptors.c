// SPDX-License-Identifier: MIT
// See descriptors.h.

#include "server/http/descriptors.h"

#include <sys/resource.h>

// For the process; for each thread that runs handlers, polls, trains. To share at least.
enum { PROCESS = 120, HANDLER = 4, POLLING = 3, WORKER = 3, SHARED_LEAST = 64 };

int descriptors_reserve(const struct settings *s)
{
    int n = PROCESS + (int)s->http_threads * (POLLING + HANDLER) + SETTINGS_SLOW_THREADS * HANDLER +
            (int)s->workers * WORKER;
    return n < DESCRIPTORS_SPARE ? DESCRIPTORS_SPARE : n;
}

static rlim_t raise_to(rlim_t want, const struct rlimit *now)
{
    struct rlimit r = *now;
    if (r.rlim_cur < want) {
        r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
    return r.rlim_cur;
}

static void descriptors_lower(int *limit, rlim_t to)
{
    if ((rlim_t)*limit > to)
        *limit = (int)to;
}

bool descriptors_share(struct http_limits *limits, const struct settings *s, struct err *e)
{
    struct rlimit r;
    rlim_t kept = (rlim_t)descriptors_reserve(s) + 2 * DESCRIPTORS_OVERFLOW;
    rlim_t want =
        kept + (rlim_t)limits->max_connections + (rlim_t)limits->max_requests * DESCRIPTORS_UPLOAD;
    if (getrlimit(RLIMIT_NOFILE, &r))
        return fail(e, ERR_INTERNAL, "could not ask how many files may be open");
    rlim_t may = raise_to(want, &r), have = limits->max_files ? (rlim_t)limits->max_files : may;
    if (have >= want)
        return true;
    if (have < kept + SHARED_LEAST)
        return fail(
            e, ERR_INVALID,
            "at most %lu files may be open, but %lu are needed: raise the limit (ulimit -n)",
            (unsigned long)have, (unsigned long)(kept + SHARED_LEAST));
    descriptors_lower(&limits->max_connections, (have - kept) / 2);
    descriptors_lower(&limits->max_requests, (have - kept) / (2 * DESCRIPTORS_UPLOAD));
    return true;
}
