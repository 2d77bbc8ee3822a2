// SPDX-License-Identifier: MIT
// See file_mark.h. The mark lies in the folder of what it marks, so one flush of that folder makes
// both last.

#include "server/files/file_mark.h"

#include "server/files/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH = 128 };

static const char *path_of(char path[static PATH], const char *shelf, const char *digest,
                           enum file_mark kind)
{
    snprintf(path, PATH, "%s/%.64s.%s", shelf, digest, kind == WITH_JOB ? "job" : "mark");
    return path;
}

bool file_mark(int dir, const char *shelf, const char *digest, struct err *e)
{
    char path[PATH];
    int fd = openat(dir, path_of(path, shelf, digest, UNSETTLED),
                    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_failed(e, "could not store a file");
    close(fd);
    return true;
}

void file_mark_job(int dir, const char *shelf, const char *digest)
{
    char from[PATH], to[PATH];
    renameat(dir, path_of(from, shelf, digest, UNSETTLED), dir,
             path_of(to, shelf, digest, WITH_JOB));
}

// What is unsettled is so whatever else is said of it.
enum file_mark file_mark_of(int dir, const char *shelf, const char *digest)
{
    char path[PATH];
    for (enum file_mark kind = UNSETTLED; kind <= WITH_JOB; kind++)
        if (faccessat(dir, path_of(path, shelf, digest, kind), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return kind;
    return NO_MARK;
}

void file_unmark(int dir, const char *shelf, const char *digest)
{
    char path[PATH];
    for (enum file_mark kind = UNSETTLED; kind <= WITH_JOB; kind++)
        unlinkat(dir, path_of(path, shelf, digest, kind), 0);
}
