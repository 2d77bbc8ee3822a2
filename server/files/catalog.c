// SPDX-License-Identifier: MIT
// See catalog.h. A reader-writer lock the other way round: those who store share it, whoever
// removes has it alone.

#include "server/files/catalog.h"

#include "server/files/file.h"
#include "server/files/file_mark.h"
#include "server/files/model_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct catalog {
    int dir; // the data folder, the store's
    struct store *store;
    pthread_rwlock_t lock;
    pthread_mutex_t coming_lock;
    pthread_cond_t gone;
    struct catalog_model *coming; // models that have no row yet
};

// Folders of files named by their digest.
static const struct shelf {
    const char *folder;
    bool (*used)(struct store *, const char *digest, bool *used, struct err *);
    bool (*settled)(struct store *, const char *digest, bool *settled, struct err *);
    bool (*over)(struct store *, const char *digest, bool *over, struct err *); // its jobs; or NULL
    bool (*remove)(int dir, const char *digest, struct err *);
} shelves[] = {
    {"datasets", store_digest_used, store_digest_named, store_digest_inline, dataset_remove},
    {"models", store_model_digest_used, store_model_digest_used, NULL, model_store_remove},
};
enum { DATASETS, MODELS, SHELVES = sizeof shelves / sizeof *shelves };

// What bears no mark may be the only copy of a table or a model that another database knows.
static bool remove_unused(struct catalog *c, const struct shelf *shelf, const char *digest,
                          struct err *e)
{
    bool used;
    return shelf->used(c->store, digest, &used, e) &&
           (used || file_mark_of(c->dir, shelf->folder, digest) == NO_MARK ||
            shelf->remove(c->dir, digest, e));
}

// Opening ----------------------------------------------------------------------------------------

struct sweep {
    struct catalog *c;
    const struct shelf *shelf;
    int fd; // of the shelf
    struct catalog_strangers *strangers;
};

// The folder's listing may be older than a removal.
static void count_stranger(const struct sweep *w, const char *name)
{
    struct stat st;
    if (fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    w->strangers->files++;
    w->strangers->bytes += st.st_size;
}

// A row that the file outlives settles it; that of a job which brought its data does not.
static bool settle(const struct sweep *w, const char *digest, struct err *e)
{
    bool settled;
    if (!w->shelf->settled(w->c->store, digest, &settled, e))
        return false;
    (settled ? file_unmark : file_mark_job)(w->c->dir, w->shelf->folder, digest);
    return true;
}

// Whether a file without a row is one that we left so.
static bool is_litter(const struct sweep *w, const char *digest, bool *litter, struct err *e)
{
    enum file_mark mark = file_mark_of(w->c->dir, w->shelf->folder, digest);
    *litter = mark == UNSETTLED;
    return mark != WITH_JOB || !w->shelf->over || w->shelf->over(w->c->store, digest, litter, e);
}

static bool sweep_file(const struct sweep *w, const char *name, struct err *e)
{
    char digest[DATASET_DIGEST] = {0};
    bool used, litter;
    memcpy(digest, name, sizeof digest - 1);
    if (!w->shelf->used(w->c->store, digest, &used, e))
        return false;
    if (used)
        return settle(w, digest, e);
    if (!is_litter(w, digest, &litter, e))
        return false;
    if (litter)
        return w->shelf->remove(w->c->dir, digest, e);
    count_stranger(w, name);
    return true;
}

typedef bool look_fn(const struct sweep *w, const char *name, struct err *e);

// Look at all files of a shelf that are named by a digest.
static bool walk(struct sweep *w, look_fn *look, struct err *e)
{
    w->fd = openat(w->c->dir, w->shelf->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->fd < 0 && errno == ENOENT)
        return true;
    DIR *d = w->fd < 0 ? NULL : fdopendir(w->fd);
    if (!d) {
        file_failed(e, "could not open a folder of the data folder");
        if (w->fd >= 0)
            close(w->fd);
        return false;
    }
    bool ok = true;
    for (const struct dirent *entry; ok && (entry = readdir(d));)
        if (strspn(entry->d_name, "0123456789abcdef") == DATASET_DIGEST - 1)
            ok = look(w, entry->d_name, e);
    closedir(d);
    return ok;
}

static bool walk_all(struct catalog *c, struct catalog_strangers *strangers, look_fn *look,
                     struct err *e)
{
    bool ok = true;
    *strangers = (struct catalog_strangers){0};
    for (size_t i = 0; ok && i < SHELVES; i++)
        ok = walk(&(struct sweep){.c = c, .shelf = &shelves[i], .strangers = strangers}, look, e);
    return ok;
}

static bool count_file(const struct sweep *w, const char *name, struct err *e)
{
    char digest[DATASET_DIGEST] = {0};
    (void)e;
    memcpy(digest, name, sizeof digest - 1);
    if (file_mark_of(w->c->dir, w->shelf->folder, digest) != UNSETTLED)
        count_stranger(w, name);
    return true;
}

// Whoever lost the database would lose all the rest by a start that took it for litter.
bool catalog_check(struct store *store, struct err *e)
{
    struct catalog c = {.dir = store_dir(store), .store = store};
    struct catalog_strangers strangers;
    bool fresh;
    return store_is_new(store, &fresh, e) &&
           (!fresh || (walk_all(&c, &strangers, count_file, e) &&
                       (strangers.files == 0 ||
                        fail(e, ERR_CONFLICT,
                             "the database is new, but %" PRId64
                             " files of datasets and models lie beside it: put their mlpd.db back, "
                             "or move \"datasets\" and \"models\" away, in the data folder",
                             strangers.files))));
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

struct catalog *catalog_open(struct store *store, struct catalog_strangers *strangers,
                             struct err *e)
{
    struct catalog *c = malloc(sizeof *c);
    BUG(!c);
    *c = (struct catalog){.dir = store_dir(store), .store = store};
    lock_init(&c->lock);
    pthread_mutex_init(&c->coming_lock, NULL);
    pthread_cond_init(&c->gone, NULL);
    if (walk_all(c, strangers, sweep_file, e))
        return c;
    catalog_close(c);
    return NULL;
}

void catalog_close(struct catalog *c)
{
    if (!c)
        return;
    pthread_rwlock_destroy(&c->lock);
    pthread_mutex_destroy(&c->coming_lock);
    pthread_cond_destroy(&c->gone);
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

static bool has(const struct digest_list *files, const char *digest)
{
    for (size_t i = 0; i < files->n; i++)
        if (strcmp(files->digest[i], digest) == 0)
            return true;
    return false;
}

static bool mark_all(struct catalog *c, const struct digest_list *files, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < files->n; i++)
        ok = file_mark(c->dir, shelves[DATASETS].folder, files->digest[i], e);
    return ok;
}

static void unmark_all(struct catalog *c, const struct digest_list *files,
                       const struct digest_list *except)
{
    for (size_t i = 0; i < files->n; i++)
        if (!has(except, files->digest[i]))
            file_unmark(c->dir, shelves[DATASETS].folder, files->digest[i]);
}

static bool remove_all(struct catalog *c, const struct digest_list *files, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < files->n; i++)
        ok = remove_unused(c, &shelves[DATASETS], files->digest[i], e);
    return ok;
}

// The rows go first: a row without a file would be a lie, and a marked file without a row is swept
// at the next start.
static bool delete_all(struct catalog *c, const char *name, struct arena *a, struct err *e)
{
    struct digest_list files, unused = {0};
    if (!store_dataset_files(c->store, name, &files, a, e))
        return false;
    bool deleted = mark_all(c, &files, e) && store_dataset_delete(c->store, name, &unused, a, e);
    if (!deleted)
        unused.n = 0;
    unmark_all(c, &files, &unused);
    return deleted && remove_all(c, &unused, e);
}

bool catalog_delete(struct catalog *c, const char *name, struct arena *a, struct err *e)
{
    pthread_rwlock_wrlock(&c->lock);
    bool ok = delete_all(c, name, a, e);
    pthread_rwlock_unlock(&c->lock);
    return ok;
}

void catalog_settled(struct catalog *c, const char *digest)
{
    struct err ignored = {0};
    for (size_t i = 0; i < SHELVES; i++)
        if (file_mark_of(c->dir, shelves[i].folder, digest) != NO_MARK) {
            file_unmark(c->dir, shelves[i].folder, digest);
            file_sync_folder(c->dir, shelves[i].folder, &ignored);
        }
}

void catalog_goes_with_job(struct catalog *c, const char *digest)
{
    file_mark_job(c->dir, shelves[DATASETS].folder, digest);
}

bool catalog_forget(struct catalog *c, const char *digest, struct err *e)
{
    pthread_rwlock_wrlock(&c->lock);
    bool ok = remove_unused(c, &shelves[DATASETS], digest, e);
    pthread_rwlock_unlock(&c->lock);
    return ok;
}

// Models -----------------------------------------------------------------------------------------

static bool on_its_way(const struct catalog *c, const char *digest, bool out)
{
    for (const struct catalog_model *m = c->coming; m; m = m->next)
        if ((!out || m->out) && strcmp(m->digest, digest) == 0)
            return true;
    return false;
}

static void link_in(struct catalog *c, struct catalog_model *m)
{
    m->next = c->coming;
    c->coming = m;
}

static void unlink_from(struct catalog *c, struct catalog_model *m)
{
    struct catalog_model **at = &c->coming;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
}

void catalog_model_begin(struct catalog *c, struct catalog_model *m, const char *digest)
{
    *m = (struct catalog_model){.digest = digest};
    pthread_mutex_lock(&c->coming_lock);
    while (on_its_way(c, digest, true))
        pthread_cond_wait(&c->gone, &c->coming_lock);
    link_in(c, m);
    pthread_mutex_unlock(&c->coming_lock);
}

// Removing may take long, so only those who bring the same bytes wait for it.
static bool take_out(struct catalog *c, struct catalog_model *m, struct err *e)
{
    bool ok = remove_unused(c, &shelves[MODELS], m->digest, e);
    pthread_mutex_lock(&c->coming_lock);
    unlink_from(c, m);
    pthread_cond_broadcast(&c->gone);
    pthread_mutex_unlock(&c->coming_lock);
    return ok;
}

bool catalog_model_end(struct catalog *c, struct catalog_model *m, bool stored, struct err *e)
{
    pthread_mutex_lock(&c->coming_lock);
    unlink_from(c, m);
    m->out = !stored && !on_its_way(c, m->digest, false);
    if (m->out)
        link_in(c, m);
    pthread_mutex_unlock(&c->coming_lock);
    if (stored)
        catalog_settled(c, m->digest);
    return !m->out || take_out(c, m, e);
}
