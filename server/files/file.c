// SPDX-License-Identifier: MIT
// Thin loops over pwrite, pread and fsync that finish what they began or say why not.

#include "server/files/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static bool is_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

bool file_failed(struct err *e, const char *what)
{
    int error = errno;
    if (error == ENOMEM || error == EMFILE || error == ENFILE)
        return fail(e, ERR_BUSY, "%s: %s; try again later", what, strerror(error));
    if (is_full(error))
        return fail(e, ERR_NO_SPACE, "%s: the disk is full", what);
    return fail(e, ERR_INTERNAL, "%s: %s", what, strerror(error));
}

bool file_put(int fd, const void *bytes, size_t len, uint64_t at, struct err *e)
{
    for (const char *from = bytes; len;) {
        ssize_t n = pwrite(fd, from, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_failed(e, "could not write a file");
        from += n;
        len -= (size_t)n;
        at += (uint64_t)n;
    }
    return true;
}

bool file_get(int fd, void *bytes, size_t len, uint64_t at, struct err *e)
{
    for (char *to = bytes; len;) {
        ssize_t n = pread(fd, to, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_failed(e, "could not read a file");
        if (n == 0)
            return fail(e, ERR_INTERNAL, "a file ends too early");
        to += n;
        len -= (size_t)n;
        at += (uint64_t)n;
    }
    return true;
}

bool file_sync(int fd, struct err *e)
{
    if (fsync(fd) == 0)
        return true;
    BUG(!is_full(errno) && "a file could not be flushed");
    return file_failed(e, "could not flush a file");
}

bool file_sync_folder(int dir, const char *name, struct err *e)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(e, "could not open a folder");
    bool ok = file_sync(fd, e);
    close(fd);
    return ok;
}

void file_random_name(char out[static FILE_RANDOM])
{
    unsigned char byte[(FILE_RANDOM - 1) / 2];
    BUG(getrandom(byte, sizeof byte, 0) != (ssize_t)sizeof byte);
    for (size_t i = 0; i < sizeof byte; i++) {
        out[2 * i] = "0123456789abcdef"[byte[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[byte[i] & 15];
    }
    out[FILE_RANDOM - 1] = '\0';
}
