// SPDX-License-Identifier: MIT
#pragma once

// The data folder's files by kind and digest: put, open, remove, list. The one place that knows how
// they are named, in which folder they lie, and how one appears whole or not at all: written under
// tmp/, flushed, marked (file_mark.h), renamed, the folder flushed. Nothing here follows a path
// that a client could have shaped, since names are made of digests only.
//
// main makes one; everything that stores or reads files is given it. Any thread. A failed flush
// aborts the process (file.h).

#include "engine/base/err.h"
#include "server/base/digest.h"
#include "server/files/file_mark.h"

#include <stdbool.h>
#include <stdint.h>

struct files;

// Folders. What lies in one under the same digest comes and goes together.
enum file_shelf { SHELF_DATASETS, SHELF_MODELS, SHELF_COUNT };

// A row each in files.c.
enum file_kind { FILE_CSV, FILE_COLUMNS, FILE_MODEL, FILE_KIND_COUNT };

enum { FILE_PATH = 128 };

// The folder stays open, and the caller's (store_dir()). Changes nothing in it.
struct files *files_new(int dir);
void files_free(struct files *f); // NULL is fine

// Make the folders that are missing, and remove what a crash left in tmp/: files whose names and
// kind are those of ours. All else in it, and a folder that "tmp" is a link to, is somebody's. Call
// before the first file is begun.
bool files_prepare(struct files *f, struct err *e);

// A file that has no name yet. One that was not begun is {.fd = -1}.
struct file_new {
    enum file_kind kind;
    int fd; // to write and read; closed by files_put() and files_drop()
    char tmp[FILE_PATH];
};

// ERR_NO_SPACE, ERR_BUSY, ERR_INTERNAL; then there is nothing to drop.
bool files_begin(struct files *f, enum file_kind kind, struct file_new *out, struct err *e);

// Give n files of one shelf the name of the digest, in this order, and make that last. Unless one
// of them was there before, they are marked until their row is: call between catalog_begin() and
// _end(). On failure files_drop() is still due.
bool files_put(struct files *f, struct file_new *file, size_t n, const char *digest, struct err *e);

// Close, and remove what has got no name. Fine after files_put(), and for what was not begun.
void files_drop(struct files *f, struct file_new *file);

// To read. -1 with errno; ENOENT also for what is no digest, EMEDIUMTYPE for what is no regular
// file.
int files_open(struct files *f, enum file_kind kind, const char *digest);

// Whether there is something of that name, and whether it can be read.
bool files_have(struct files *f, enum file_kind kind, const char *digest);
bool files_readable(struct files *f, enum file_kind kind, const char *digest);

// Remove what the shelf has under the digest, and its mark. True when it is gone, also when it was
// not there. ERR_NOT_FOUND for what is no digest.
bool files_remove(struct files *f, enum file_shelf shelf, const char *digest, struct err *e);

// Make what was renamed in the shelf last.
bool files_sync(struct files *f, enum file_shelf shelf, struct err *e);

// Call `look` for everything in a shelf whose name begins with a digest, marks included, until it
// says false. A shelf without a folder has nothing.
struct file_seen {
    const char *name;
    char digest[DIGEST_TEXT];
    int folder; // open
};
typedef bool file_look_fn(void *ctx, const struct file_seen *file, struct err *e);
bool files_walk(struct files *f, enum file_shelf shelf, file_look_fn *look, void *ctx,
                struct err *e);

// -1 when it has gone meanwhile.
int64_t file_seen_bytes(const struct file_seen *file);

// Marks of what the shelf has under the digest: file_mark.h says what they mean.
bool files_mark(struct files *f, enum file_shelf shelf, const char *digest, struct err *e);
void files_mark_job(struct files *f, enum file_shelf shelf, const char *digest,
                    const struct file_job *job);
bool files_mark_all(struct files *f, enum file_shelf shelf, const char *digest, file_job_fn *is,
                    void *ctx);
enum file_mark files_mark_of(struct files *f, enum file_shelf shelf, const char *digest);
void files_unmark(struct files *f, enum file_shelf shelf, const char *digest);
