// SPDX-License-Identifier: MIT
// See model_store.h. Whoever loads a model compares the digest of what was read: bytes that have
// changed on the disk are told, and not served.

#include "server/files/model_store.h"

#include "server/files/file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 16 << 20 };

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

bool model_store_save(struct files *f, const struct digest_part part[static 2], const char *digest,
                      const struct halt *halt, struct err *e)
{
    struct file_new file;
    if (!files_begin(f, FILE_MODEL, &file, e))
        return false;
    bool ok = model_store_put(file.fd, part[0], 0, halt, e) &&
              model_store_put(file.fd, part[1], part[0].len, halt, e) &&
              files_put(f, &file, 1, digest, e);
    files_drop(f, &file);
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

const char *model_store_load(struct files *f, const char *digest, size_t *len,
                             const struct halt *halt, struct arena *a, struct err *e)
{
    char found[DIGEST_TEXT];
    int fd = files_open(f, FILE_MODEL, digest);
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
