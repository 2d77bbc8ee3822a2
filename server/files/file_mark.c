// SPDX-License-Identifier: MIT
// See file_mark.h. The mark lies in the folder of what it marks, so one flush of that folder makes
// both last.

#include "server/files/file_mark.h"

#include "server/files/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH = 128, LINE = 64 };

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

// One write, which is whole or fails; what a crash leaves of it is no job.
void file_mark_job(int dir, const char *shelf, const char *digest, const struct file_job *job)
{
    char from[PATH], to[PATH], line[LINE];
    path_of(from, shelf, digest, UNSETTLED);
    path_of(to, shelf, digest, WITH_JOB);
    if (faccessat(dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        unlinkat(dir, from, 0); // its jobs stand in it already
    else
        renameat(dir, from, dir, to);
    int fd = job ? openat(dir, to, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    int n = snprintf(line, sizeof line, "%" PRId64 " %" PRId64 "\n", job->id, job->created_at);
    ssize_t ignored = write(fd, line, (size_t)n);
    (void)ignored;
    close(fd);
}

bool file_mark_all(int dir, const char *shelf, const char *digest, file_job_fn *is, void *ctx)
{
    char path[PATH], line[LINE];
    int fd = openat(dir, path_of(path, shelf, digest, WITH_JOB),
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    if (!f) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    size_t n = 0;
    bool all = true;
    for (; all && fgets(line, sizeof line, f); n++) {
        struct file_job job;
        char newline;
        all = sscanf(line, "%" SCNd64 " %" SCNd64 "%c", &job.id, &job.created_at, &newline) == 3 &&
              newline == '\n' && is(ctx, &job);
    }
    all = all && n > 0 && !ferror(f);
    fclose(f);
    return all;
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
