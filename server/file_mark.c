// SPDX-License-Identifier: MIT
// See file_mark.h. The mark lies in the folder of what it marks, so one flush of that folder makes
// both last.

#include "file_mark.h"

#include "file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH = 128 };

static const char *path_of(char path[static PATH], const char *shelf, const char *digest)
{
    snprintf(path, PATH, "%s/%.64s.mark", shelf, digest);
    return path;
}

bool file_mark(int dir, const char *shelf, const char *digest, struct err *e)
{
    char path[PATH];
    int fd = openat(dir, path_of(path, shelf, digest), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    if (fd < 0)
        return file_failed(e, "could not store a file");
    close(fd);
    return true;
}

bool file_is_marked(int dir, const char *shelf, const char *digest)
{
    char path[PATH];
    return faccessat(dir, path_of(path, shelf, digest), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void file_unmark(int dir, const char *shelf, const char *digest)
{
    char path[PATH];
    unlinkat(dir, path_of(path, shelf, digest), 0);
}
