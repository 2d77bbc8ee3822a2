// SPDX-License-Identifier: MIT
// See files.h. A file under tmp/ has a random name and its kind's suffix; by that, what a crash
// left is known from what somebody else keeps in a folder of that name.
//
// Of a digest's files the last row of its shelf is the one that readers open, so it is renamed last
// and removed first: where it is, the others are.

#include "server/files/files.h"

#include "server/files/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct files {
    int dir;
};

static const struct file_row {
    enum file_shelf shelf;
    const char *suffix;
} kind_table[FILE_KIND_COUNT] = {
    [FILE_CSV] = {SHELF_DATASETS, "csv"},
    [FILE_COLUMNS] = {SHELF_DATASETS, "col"},
    [FILE_MODEL] = {SHELF_MODELS, "safetensors"},
};

static const struct shelf_row {
    const char *folder, *store, *remove; // what failed
} shelf_table[SHELF_COUNT] = {
    [SHELF_DATASETS] = {"datasets", "could not store the dataset", "could not remove the dataset"},
    [SHELF_MODELS] = {"models", "could not store the model", "could not remove the model's file"},
};

struct files *files_new(int dir)
{
    struct files *f = malloc(sizeof *f);
    BUG(!f);
    f->dir = dir;
    return f;
}

void files_free(struct files *f)
{
    free(f);
}

// Names ------------------------------------------------------------------------------------------

static bool begins_with_digest(const char *s)
{
    return strspn(s, "0123456789abcdef") == DIGEST_TEXT - 1;
}

static bool is_digest(const char *s)
{
    return begins_with_digest(s) && strlen(s) == DIGEST_TEXT - 1;
}

static const char *files_path(char path[static FILE_PATH], enum file_kind kind, const char *digest)
{
    const struct file_row *row = &kind_table[kind];
    snprintf(path, FILE_PATH, "%s/%.64s.%s", shelf_table[row->shelf].folder, digest, row->suffix);
    return path;
}

// At the start -----------------------------------------------------------------------------------

static bool make_folder(const struct files *f, const char *name, struct err *e)
{
    struct stat st;
    if (mkdirat(f->dir, name, 0700) == 0 ||
        (errno == EEXIST && fstatat(f->dir, name, &st, 0) == 0 && S_ISDIR(st.st_mode)))
        return true;
    return fail(e, ERR_INVALID, "could not make folder \"%s\" in the data folder: %s", name,
                strerror(errno));
}

// Digits alone would not do: caches name their files so.
static bool is_temporary(const char *name)
{
    bool random =
        strspn(name, "0123456789abcdef") == FILE_RANDOM - 1 && name[FILE_RANDOM - 1] == '.';
    bool ours = false;
    for (int i = 0; random && i < FILE_KIND_COUNT; i++)
        ours = ours || strcmp(name + FILE_RANDOM, kind_table[i].suffix) == 0;
    return ours;
}

static bool sweep_file(int fd, const char *name, struct err *e)
{
    struct stat st;
    return !is_temporary(name) || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
           !S_ISREG(st.st_mode) || unlinkat(fd, name, 0) == 0 ||
           file_failed(e, "could not remove what an upload left behind");
}

// A link leads to a folder that is not ours alone.
static bool sweep_tmp(const struct files *f, struct err *e)
{
    int fd = openat(f->dir, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        bool ok = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
                  file_failed(e, "could not open the folder of uploads");
        if (fd >= 0)
            close(fd);
        return ok;
    }
    bool ok = true;
    for (const struct dirent *entry; ok && (entry = readdir(d));)
        ok = sweep_file(fd, entry->d_name, e);
    closedir(d);
    return ok;
}

bool files_prepare(struct files *f, struct err *e)
{
    bool ok = make_folder(f, "tmp", e);
    for (int i = 0; ok && i < SHELF_COUNT; i++)
        ok = make_folder(f, shelf_table[i].folder, e);
    return ok && sweep_tmp(f, e);
}

// Coming -----------------------------------------------------------------------------------------

bool files_begin(struct files *f, enum file_kind kind, struct file_new *out, struct err *e)
{
    char random[FILE_RANDOM];
    file_random_name(random);
    *out = (struct file_new){.kind = kind};
    snprintf(out->tmp, sizeof out->tmp, "tmp/%s.%s", random, kind_table[kind].suffix);
    out->fd = openat(f->dir, out->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out->fd >= 0)
        return true;
    *out->tmp = '\0';
    return file_failed(e, shelf_table[kind_table[kind].shelf].store);
}

// From then on it is not ours to remove.
static bool name_file(struct files *f, struct file_new *file, const char *digest, struct err *e)
{
    char path[FILE_PATH];
    if (renameat(f->dir, file->tmp, f->dir, files_path(path, file->kind, digest)) != 0)
        return file_failed(e, shelf_table[kind_table[file->kind].shelf].store);
    *file->tmp = '\0';
    return true;
}

// Whatever was there before under one of the names is somebody's.
bool files_put(struct files *f, struct file_new *file, size_t n, const char *digest, struct err *e)
{
    enum file_shelf shelf = kind_table[file->kind].shelf;
    bool ok = is_digest(digest) || fail(e, ERR_INTERNAL, "a file was to be named by no digest");
    bool there = false;
    for (size_t i = 0; ok && i < n; i++) {
        there = there || files_have(f, file[i].kind, digest);
        ok = file_sync(file[i].fd, e);
    }
    ok = ok && (there || files_mark(f, shelf, digest, e));
    for (size_t i = 0; ok && i < n; i++)
        ok = name_file(f, &file[i], digest, e);
    return ok && files_sync(f, shelf, e);
}

void files_drop(struct files *f, struct file_new *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    if (*file->tmp)
        unlinkat(f->dir, file->tmp, 0);
    *file->tmp = '\0';
}

// There ------------------------------------------------------------------------------------------

// To open a pipe would wait for somebody to write to it.
int files_open(struct files *f, enum file_kind kind, const char *digest)
{
    char path[FILE_PATH];
    struct stat st;
    enum { HOW = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC };
    int fd = is_digest(digest) ? openat(f->dir, files_path(path, kind, digest), HOW) : -1;
    if (!is_digest(digest))
        errno = ENOENT;
    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
        return fd;
    close(fd);
    errno = EMEDIUMTYPE;
    return -1;
}

bool files_have(struct files *f, enum file_kind kind, const char *digest)
{
    char path[FILE_PATH];
    return faccessat(f->dir, files_path(path, kind, digest), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool files_readable(struct files *f, enum file_kind kind, const char *digest)
{
    char path[FILE_PATH];
    return faccessat(f->dir, files_path(path, kind, digest), R_OK, 0) == 0;
}

bool files_sync(struct files *f, enum file_shelf shelf, struct err *e)
{
    return file_sync_folder(f->dir, shelf_table[shelf].folder, e);
}

// A mark is looked at again at the next start, should this one not last.
bool files_remove(struct files *f, enum file_shelf shelf, const char *digest, struct err *e)
{
    char path[FILE_PATH];
    if (!is_digest(digest))
        return fail(e, ERR_NOT_FOUND, "no file is stored under that name");
    for (int i = FILE_KIND_COUNT - 1; i >= 0; i--)
        if (kind_table[i].shelf == shelf &&
            unlinkat(f->dir, files_path(path, (enum file_kind)i, digest), 0) != 0 &&
            errno != ENOENT)
            return file_failed(e, shelf_table[shelf].remove);
    if (!files_sync(f, shelf, e))
        return false;
    files_unmark(f, shelf, digest);
    return true;
}

static bool look_at_all(DIR *d, file_look_fn *look, void *ctx, struct err *e)
{
    bool ok = true;
    for (const struct dirent *entry; ok && (entry = readdir(d));) {
        struct file_seen seen = {.name = entry->d_name, .folder = dirfd(d)};
        if (!begins_with_digest(entry->d_name))
            continue;
        memcpy(seen.digest, entry->d_name, sizeof seen.digest - 1);
        ok = look(ctx, &seen, e);
    }
    return ok;
}

bool files_walk(struct files *f, enum file_shelf shelf, file_look_fn *look, void *ctx,
                struct err *e)
{
    int fd = openat(f->dir, shelf_table[shelf].folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        file_failed(e, "could not open a folder of the data folder");
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool ok = look_at_all(d, look, ctx, e);
    closedir(d);
    return ok;
}

int64_t file_seen_bytes(const struct file_seen *file)
{
    struct stat st;
    return fstatat(file->folder, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (int64_t)st.st_size
                                                                            : -1;
}

// Marks ------------------------------------------------------------------------------------------

bool files_mark(struct files *f, enum file_shelf shelf, const char *digest, struct err *e)
{
    return file_mark(f->dir, shelf_table[shelf].folder, digest, e);
}

void files_mark_job(struct files *f, enum file_shelf shelf, const char *digest,
                    const struct file_job *job)
{
    file_mark_job(f->dir, shelf_table[shelf].folder, digest, job);
}

bool files_mark_all(struct files *f, enum file_shelf shelf, const char *digest, file_job_fn *is,
                    void *ctx)
{
    return file_mark_all(f->dir, shelf_table[shelf].folder, digest, is, ctx);
}

enum file_mark files_mark_of(struct files *f, enum file_shelf shelf, const char *digest)
{
    return file_mark_of(f->dir, shelf_table[shelf].folder, digest);
}

void files_unmark(struct files *f, enum file_shelf shelf, const char *digest)
{
    file_unmark(f->dir, shelf_table[shelf].folder, digest);
}
