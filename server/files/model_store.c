// SPDX-License-Identifier: MIT
// See model_store.h. A model's file is written under another name, flushed, and renamed to its
// digest, so there is never half of one under a digest. Whoever loads it compares the digest of
// what was read: bytes that have changed on the disk are told, and not served.

#include "server/files/model_store.h"

#include "server/base/digest.h"
#include "server/files/file.h"
#include "server/files/file_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 96, PIECE = 16 << 20 };

static void file_name(const char *digest, char name[static NAME])
{
    snprintf(name, NAME, "models/%s.safetensors", digest);
}

bool model_store_prepare(int dir, struct err *e)
{
    return mkdirat(dir, "models", 0700) == 0 || errno == EEXIST ||
           file_failed(e, "could not make the folder for models");
}

// A part of the file that begins at `at`.
static bool model_store_put(int fd, struct digest_part part, size_t at, const struct halt *halt,
                            struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < part.len; i += PIECE) {
        size_t left = part.len - i;
        ok = halt_go_on(halt, e) &&
             file_put(fd, (const char *)part.bytes + i, left < PIECE ? left : PIECE, at + i, e);
    }
    return ok;
}

static bool model_store_publish(int dir, const char *from, const char *digest, struct err *e)
{
    char to[NAME];
    file_name(digest, to);
    bool there = faccessat(dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    return (there || file_mark(dir, "models", digest, e)) &&
           (renameat(dir, from, dir, to) == 0 || file_failed(e, "could not store the model")) &&
           file_sync_folder(dir, "models", e);
}

bool model_store_save(int dir, const struct digest_part file[static 2], const char *digest,
                      const struct halt *halt, struct err *e)
{
    char random[FILE_RANDOM], tmp[64];
    file_random_name(random);
    snprintf(tmp, sizeof tmp, "tmp/%s.safetensors", random);
    int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 ? model_store_put(fd, file[0], 0, halt, e) &&
                            model_store_put(fd, file[1], file[0].len, halt, e) && file_sync(fd, e)
                      : file_failed(e, "could not store the model");
    if (fd >= 0)
        close(fd);
    ok = ok && model_store_publish(dir, tmp, digest, e);
    if (!ok)
        unlinkat(dir, tmp, 0);
    return ok;
}

bool model_store_remove(int dir, const char *digest, struct err *e)
{
    char name[NAME];
    file_name(digest, name);
    bool ok = unlinkat(dir, name, 0) == 0 || errno == ENOENT ||
              file_failed(e, "could not remove the model's file");
    if (ok)
        file_unmark(dir, "models", digest);
    return ok;
}

static char *read_all(int fd, size_t *len, const struct halt *halt, struct arena *a, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        file_failed(e, "could not read the model");
        return NULL;
    }
    *len = (size_t)st.st_size;
    char *bytes = arena_alloc(a, *len + 1, 1);
    if (!bytes)
        fail(e, ERR_TOO_LARGE, "the model needs more memory than allowed");
    for (size_t at = 0; bytes && at < *len; at += PIECE) {
        size_t left = *len - at;
        if (!halt_go_on(halt, e) || !file_get(fd, bytes + at, left < PIECE ? left : PIECE, at, e))
            return NULL;
    }
    if (bytes)
        bytes[*len] = '\0';
    return bytes;
}

const char *model_store_load(int dir, const char *digest, size_t *len, const struct halt *halt,
                             struct arena *a, struct err *e)
{
    char name[NAME], found[DIGEST_TEXT];
    file_name(digest, name);
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        file_failed(e, "could not open the model's file");
        return NULL;
    }
    char *bytes = read_all(fd, len, halt, a, e);
    close(fd);
    if (!bytes || !digest_long(&(struct digest_part){bytes, *len}, 1, found, halt, e))
        return NULL;
    if (strcmp(found, digest) != 0) {
        fail(e, ERR_INTERNAL, "the model's file has changed on disk");
        return NULL;
    }
    return bytes;
}
