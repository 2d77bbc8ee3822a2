// SPDX-License-Identifier: MIT
// See log_stream.h. O_NONBLOCK belongs to what was opened, which the shell and other programs may
// share, and would make their writes fail: so it is not set on what we were given. Where a stream
// of our own cannot be had, poll() is asked first: a pipe that has room then takes up to PIPE_BUF
// at once, unless another process comes in between.

#include "server/base/log_stream.h"

#include "server/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(STREAM_WHOLE <= PIPE_BUF, "the kernel keeps no more than that whole");

void stream_own(int fd)
{
    char path[32];
    struct stat st;
    if (fstat(fd, &st) != 0 || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0)
        return;
    dup3(own, fd, fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0);
    close(own);
}

static bool log_stream_has_room(int fd, int64_t until)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n;
    do {
        int64_t left = until - clock_mono(&clock_system);
        n = poll(&p, 1, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

// Sockets can be told not to wait this once.
static ssize_t log_stream_put(int fd, const char *text, size_t n)
{
    ssize_t sent = send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? write(fd, text, n) : sent;
}

size_t stream_write(int fd, const char *text, size_t n, int ms)
{
    int64_t until = clock_mono(&clock_system) + ms;
    size_t done = 0;
    while (done < n && log_stream_has_room(fd, until)) {
        ssize_t got = log_stream_put(fd, text + done, n - done);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}
