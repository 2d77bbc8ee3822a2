// SPDX-License-Identifier: MIT
// See flush.h. Defined here, it comes before the C library's.

#include "tests/server/files/flush.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local int calls, failing;

void flush_fail(int nth)
{
    calls = 0;
    failing = nth;
}

int flush_count(void)
{
    return calls;
}

int fsync(int fd)
{
    if (++calls != failing)
        return (int)syscall(SYS_fsync, fd);
    errno = ENOSPC;
    return -1;
}
