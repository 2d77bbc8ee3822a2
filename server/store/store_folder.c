// SPDX-License-Identifier: MIT
// See store_folder.h. The lock is on the folder itself. A lock file can be removed, and whoever
// makes another one locks that; the folder cannot be removed while the database is in it, and has
// one lock by whatever path it is reached.

#include "server/store/store_folder.h"

#include "server/store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool name_files(struct folder *f, const char *dir, struct err *e)
{
    int n = snprintf(f->db, sizeof f->db, "%s/mlpd.db", dir);
    snprintf(f->wal, sizeof f->wal, "%s-wal", f->db);
    return (n > 0 && (size_t)n < sizeof f->db) ||
           fail(e, ERR_INVALID, "the data folder's name is too long");
}

static bool lock(struct folder *f, const char *dir, struct err *e)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return fail(e, ERR_INVALID, "could not make data folder \"%s\": %s", dir, strerror(errno));
    f->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->fd < 0)
        return fail(e, ERR_INVALID, "could not open data folder \"%s\": %s", dir, strerror(errno));
    if (flock(f->fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return fail(e, ERR_CONFLICT, "data folder \"%s\" is in use by another mlpd", dir);
    return fail(e, ERR_INVALID, "could not lock data folder \"%s\": %s", dir, strerror(errno));
}

// SQLite would wait for a writer of a pipe, and takes what it cannot write for something that
// passes.
static bool is_usable(const struct folder *f, const char *name, const char *path, struct err *e)
{
    struct stat st;
    if (fstatat(f->fd, name, &st, 0) != 0)
        return true;
    if (strcmp(name, ".") != 0 && !S_ISREG(st.st_mode))
        return fail(e, ERR_INVALID, "\"%s\" is not a file", path);
    return faccessat(f->fd, name, R_OK | W_OK, AT_EACCESS) == 0 ||
           fail(e, ERR_INVALID, "could not write to \"%s\": %s", path, strerror(errno));
}

static bool are_usable(const struct folder *f, const char *dir, struct err *e)
{
    return is_usable(f, ".", dir, e) && is_usable(f, "mlpd.db", f->db, e) &&
           is_usable(f, "mlpd.db-wal", f->wal, e);
}

// SQLite gives the log the permissions of the database, and would delete a log that has none.
static bool make_database(struct folder *f, struct err *e)
{
    if (folder_bytes(f->db) > 0)
        return true;
    if (folder_bytes(f->wal) > 0)
        return fail(e, ERR_CONFLICT,
                    "\"%s\" is missing or empty, but its log is there: put back the database that "
                    "belongs to the log, or move \"%s\" away",
                    f->db, f->wal);
    f->made = faccessat(f->fd, "mlpd.db", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    f->blank = !f->made;
    int fd = openat(f->fd, "mlpd.db", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(e, errno == ENOSPC ? ERR_NO_SPACE : ERR_INVALID, "could not make \"%s\": %s",
                    f->db, strerror(errno));
    close(fd);
    return true;
}

static uint32_t big_endian(const unsigned char *at, int bytes)
{
    uint32_t n = 0;
    for (int i = 0; i < bytes; i++)
        n = n << 8 | at[i];
    return n;
}

enum owner { OURS, NO_DATABASE, OTHERS };

// Opening another program's database would turn it into one with a log before its tables are looked
// at. Whose it is stands in its head. One of ours that was killed before its log was first written
// back has a first page as SQLite makes it: one page, no table, no version. SQLite has not opened
// it yet: see the header.
static enum owner owner_of(const struct folder *f)
{
    enum { HEAD = 108, PAGE_SIZE = 16, PAGES = 28, VERSION = 60, APPLICATION = 68, CELLS = 103 };
    unsigned char head[HEAD];
    int fd = openat(f->fd, "mlpd.db", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : pread(fd, head, HEAD, 0);
    if (fd >= 0)
        close(fd);
    if (n < HEAD || memcmp(head, "SQLite format 3", 16) != 0)
        return NO_DATABASE;
    bool blank = big_endian(head + APPLICATION, 4) == 0 && big_endian(head + VERSION, 4) == 0 &&
                 big_endian(head + PAGE_SIZE, 2) == 4096 && big_endian(head + PAGES, 4) <= 1 &&
                 big_endian(head + CELLS, 2) == 0;
    return blank || big_endian(head + APPLICATION, 4) == MIGRATE_APPLICATION_ID ? OURS : OTHERS;
}

// A database may have come here from elsewhere. Whose it is not cannot.
static void keep_private(const struct folder *f)
{
    struct stat st;
    int kept = fstatat(f->fd, "mlpd.db", &st, 0) != 0 || !S_ISREG(st.st_mode) ||
               fchmodat(f->fd, "mlpd.db", 0600, 0);
    (void)kept;
}

bool folder_take(struct folder *f, const char *dir, struct err *e)
{
    f->fd = -1;
    f->made = false;
    f->blank = false;
    f->stopped = false;
    if (!name_files(f, dir, e) || !lock(f, dir, e))
        return false;
    enum owner owner = owner_of(f);
    if (owner == OTHERS)
        return fail(e, ERR_CONFLICT, "\"%s\": the database belongs to another program", f->db);
    if (owner == OURS || folder_bytes(f->db) == 0)
        keep_private(f);
    f->stopped = folder_has_stop_mark(f);
    return are_usable(f, dir, e) && make_database(f, e);
}

void folder_release(struct folder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

// The log first: beside no database it would be taken for that of a lost one.
void folder_discard(const struct folder *f)
{
    static const char *const name[] = {"mlpd.db-wal", "mlpd.db-shm", "mlpd.db"};
    for (size_t i = 0; (f->made || f->blank) && i < sizeof name / sizeof *name - f->blank; i++)
        unlinkat(f->fd, name[i], 0);
    int fd = f->blank ? openat(f->fd, "mlpd.db", O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;
    if (fd >= 0)
        close(fd);
}

static const char stop_mark[] = "mlpd.stopped";

bool folder_mark_stop(const struct folder *f, struct err *e)
{
    return mknodat(f->fd, stop_mark, S_IFREG | 0600, 0) == 0 || errno == EEXIST ||
           fail(e, ERR_INTERNAL, "could not make \"%s\" in the data folder: %s", stop_mark,
                strerror(errno));
}

bool folder_unmark_stop(const struct folder *f, struct err *e)
{
    return unlinkat(f->fd, stop_mark, 0) == 0 || errno == ENOENT ||
           fail(e, ERR_INTERNAL, "could not remove \"%s\" from the data folder: %s", stop_mark,
                strerror(errno));
}

bool folder_has_stop_mark(const struct folder *f)
{
    return faccessat(f->fd, stop_mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int64_t folder_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static struct folder_file file_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (struct folder_file){st.st_dev, st.st_ino}
                                : (struct folder_file){0, 0};
}

void folder_remember(struct folder *f)
{
    f->opened[0] = file_of(f->db);
    f->opened[1] = file_of(f->wal);
}

static bool stands_for(const char *path, struct folder_file opened, struct err *e)
{
    struct folder_file now = file_of(path);
    return (now.device == opened.device && now.inode == opened.inode) ||
           fail(e, ERR_INTERNAL,
                "\"%s\" was removed or replaced while in use: the database is not used until it is "
                "put back or mlpd is started again",
                path);
}

bool folder_same_database(const struct folder *f, struct err *e)
{
    return stands_for(f->db, f->opened[0], e);
}

bool folder_unchanged(const struct folder *f, struct err *e)
{
    return stands_for(f->db, f->opened[0], e) && stands_for(f->wal, f->opened[1], e);
}
