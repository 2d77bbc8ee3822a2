// SPDX-License-Identifier: MIT
// See machine.h. A pid alone would not do: in a container it is the same after every restart.

#include "server/base/machine.h"

#include "server/base/clock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// What is in a name must not read as a part of a path or of a pattern.
static void keep_sane(char *s)
{
    static const char sane[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    for (; *s; s++)
        if (!strchr(sane, *s))
            *s = '-';
}

static void read_boot(char *out, size_t size)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strspn(out, "0123456789abcdef-")] = '\0';
}

void machine_this(struct machine *out)
{
    memset(out, 0, sizeof *out);
    if (gethostname(out->host, sizeof out->host - 1) != 0 || !*out->host)
        strcpy(out->host, "unknown");
    keep_sane(out->host);
    read_boot(out->boot, sizeof out->boot);
    snprintf(out->start, sizeof out->start, "%d-%" PRId64, (int)getpid(),
             clock_mono(&clock_system));
}
