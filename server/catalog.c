// SPDX-License-Identifier: MIT
// See catalog.h. A reader-writer lock the other way round: those who store share it, whoever
// removes has it alone.

#include "catalog.h"

#include "file.h"
#include "model_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct catalog {
    const char *data_dir;
    struct store *store;
    pthread_rwlock_t lock;
};

static bool remove_unused(struct catalog *c, const char *digest, struct err *e)
{
    bool used;
    return store_digest_used(c->store, digest, &used, e) &&
           (used || dataset_remove(c->data_dir, digest, e));
}

static bool remove_unused_model(struct catalog *c, const char *digest, struct err *e)
{
    bool used;
    return store_model_digest_used(c->store, digest, &used, e) &&
           (used || model_store_remove(c->data_dir, digest, e));
}

// Folders of files named by their digest.
static const struct shelf {
    const char *folder;
    bool (*remove_unused)(struct catalog *, const char *digest, struct err *);
} shelves[] = {{"datasets", remove_unused}, {"models", remove_unused_model}};

static DIR *open_shelf(const char *data_dir, const char *folder, struct err *e)
{
    int dir = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1 : openat(dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0)
        close(dir);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        file_failed(e, "could not open the data folder");
    return d;
}

static bool sweep_shelf(struct catalog *c, const struct shelf *s, struct err *e)
{
    DIR *d = open_shelf(c->data_dir, s->folder, e);
    bool ok = d;
    for (const struct dirent *entry; ok && (entry = readdir(d));)
        if (strspn(entry->d_name, "0123456789abcdef") == DATASET_DIGEST - 1) {
            char digest[DATASET_DIGEST] = {0};
            memcpy(digest, entry->d_name, sizeof digest - 1);
            ok = s->remove_unused(c, digest, e);
        }
    if (d)
        closedir(d);
    return ok;
}

static bool sweep(struct catalog *c, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof shelves / sizeof *shelves; i++)
        ok = sweep_shelf(c, &shelves[i], e);
    return ok;
}

// Those who remove are preferred: by glibc's default, holders that follow each other closely, as
// posts of inline jobs do, would keep a worker waiting for ever. No thread holds twice.
static void lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
}

struct catalog *catalog_open(const char *data_dir, struct store *store, struct err *e)
{
    struct catalog *c = malloc(sizeof *c);
    BUG(!c);
    *c = (struct catalog){.data_dir = data_dir, .store = store};
    lock_init(&c->lock);
    if (sweep(c, e))
        return c;
    catalog_close(c);
    return NULL;
}

void catalog_close(struct catalog *c)
{
    if (c)
        pthread_rwlock_destroy(&c->lock);
    free(c);
}

void catalog_hold(struct catalog *c)
{
    pthread_rwlock_rdlock(&c->lock);
}

void catalog_let_go(struct catalog *c)
{
    pthread_rwlock_unlock(&c->lock);
}

// The rows go first: a file without a row is litter, swept at the next start; a row without a file
// would be a lie.
static bool delete_all(struct catalog *c, const char *name, struct arena *a, struct err *e)
{
    struct digest_list unused;
    if (!store_dataset_delete(c->store, name, &unused, a, e))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < unused.n; i++)
        ok = remove_unused(c, unused.digest[i], e);
    return ok;
}

bool catalog_delete(struct catalog *c, const char *name, struct arena *a, struct err *e)
{
    pthread_rwlock_wrlock(&c->lock);
    bool ok = delete_all(c, name, a, e);
    pthread_rwlock_unlock(&c->lock);
    return ok;
}

bool catalog_forget_now(struct catalog *c, const char *digest, struct err *e)
{
    if (pthread_rwlock_trywrlock(&c->lock) != 0)
        return fail(e, ERR_BUSY, "files are being stored");
    bool ok = remove_unused(c, digest, e);
    pthread_rwlock_unlock(&c->lock);
    return ok;
}

bool catalog_forget(struct catalog *c, const char *digest, struct err *e)
{
    pthread_rwlock_wrlock(&c->lock);
    bool ok = remove_unused(c, digest, e);
    pthread_rwlock_unlock(&c->lock);
    return ok;
}
