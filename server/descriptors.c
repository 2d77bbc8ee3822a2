// SPDX-License-Identifier: MIT
// See descriptors.h.

#include "descriptors.h"

#include <sys/resource.h>

bool descriptors_share(struct http_limits *limits, struct err *e)
{
    struct rlimit r;
    rlim_t want = ((rlim_t)limits->max_connections + DESCRIPTORS_OVERFLOW) * 2 + DESCRIPTORS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &r))
        return fail(e, ERR_INTERNAL, "could not ask how many files may be open");
    if (r.rlim_cur < want) {
        r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
    rlim_t have = limits->max_files ? (rlim_t)limits->max_files : r.rlim_cur;
    if (have >= want)
        return true;
    if (have < DESCRIPTORS_LEAST)
        return fail(e, ERR_INVALID,
                    "at most %lu files may be open, but %d are needed: raise the limit (ulimit -n)",
                    (unsigned long)have, DESCRIPTORS_LEAST);
    limits->max_connections = (int)((have - DESCRIPTORS_SPARE) / 2) - DESCRIPTORS_OVERFLOW;
    return true;
}
