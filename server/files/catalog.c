// SPDX-License-Identifier: MIT
// See catalog.h.
//
// A lock guards the list of files that are on their way in or out, and is held while that is looked
// at only, for storing and removing a large file takes seconds: whoever stores or removes another
// one must not wait for it. Of the same bytes there are either some on their way in or one on its
// way out, so nobody takes another's mark for his own. What is on its way in is left alone by those
// who only tidy: what has become of it is decided at its end. A deletion waits for it.

#include "server/files/catalog.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct catalog {
    struct files *files;
    struct store *store;
    pthread_mutex_t lock; // guards `moving`
    pthread_cond_t gone;
    struct catalog_file *moving;
};

// What the store says of a shelf's files: whether somebody needs one, and for good.
static const struct shelf {
    bool (*used)(struct store *, const char *digest, bool *used, struct err *);
    bool (*settled)(struct store *, const char *digest, bool *settled, struct err *);
} shelves[SHELF_COUNT] = {
    [SHELF_DATASETS] = {store_digest_used, store_digest_named},
    [SHELF_MODELS] = {store_model_digest_used, store_model_digest_used},
};

// Opening ----------------------------------------------------------------------------------------

struct sweep {
    struct catalog *c;
    enum file_shelf shelf;
    struct catalog_strangers *strangers;
};

// The folder's listing may be older than a removal.
static void count_stranger(const struct sweep *w, const struct file_seen *file)
{
    int64_t bytes = file_seen_bytes(file);
    w->strangers->files += bytes >= 0;
    w->strangers->bytes += bytes >= 0 ? bytes : 0;
}

// A row that the file outlives settles it; that of a job which brought its data does not.
static bool catalog_settle(struct catalog *c, enum file_shelf shelf, const char *digest,
                           struct err *e)
{
    bool settled;
    if (!shelves[shelf].settled(c->store, digest, &settled, e))
        return false;
    if (settled)
        files_unmark(c->files, shelf, digest);
    else
        files_mark_job(c->files, shelf, digest, NULL);
    return true;
}

struct question {
    struct store *store;
    struct err *e;
};

static bool is_over(void *ctx, const struct file_job *job)
{
    const struct question *q = ctx;
    bool over;
    return store_job_over(q->store, job->id, job->created_at, &over, q->e) && over;
}

// Whether a file without a row is one that we left so.
static bool is_litter(const struct sweep *w, const char *digest, bool *litter, struct err *e)
{
    struct err why = {0};
    struct question q = {w->c->store, &why};
    enum file_mark mark = files_mark_of(w->c->files, w->shelf, digest);
    *litter = mark == UNSETTLED ||
              (mark == WITH_JOB && files_mark_all(w->c->files, w->shelf, digest, is_over, &q));
    return !why.kind || err_pass(e, &why);
}

static bool catalog_sweep_file(void *ctx, const struct file_seen *file, struct err *e)
{
    const struct sweep *w = ctx;
    bool used, litter;
    if (!shelves[w->shelf].used(w->c->store, file->digest, &used, e))
        return false;
    if (used)
        return catalog_settle(w->c, w->shelf, file->digest, e);
    if (!is_litter(w, file->digest, &litter, e))
        return false;
    if (litter)
        return files_remove(w->c->files, w->shelf, file->digest, e);
    count_stranger(w, file);
    return true;
}

static bool walk_all(struct catalog *c, struct catalog_strangers *strangers, file_look_fn *look,
                     struct err *e)
{
    bool ok = true;
    *strangers = (struct catalog_strangers){0};
    for (int i = 0; ok && i < SHELF_COUNT; i++) {
        struct sweep w = {.c = c, .shelf = (enum file_shelf)i, .strangers = strangers};
        ok = files_walk(c->files, w.shelf, look, &w, e);
    }
    return ok;
}

static bool count_file(void *ctx, const struct file_seen *file, struct err *e)
{
    const struct sweep *w = ctx;
    (void)e;
    if (files_mark_of(w->c->files, w->shelf, file->digest) != UNSETTLED)
        count_stranger(w, file);
    return true;
}

// Whoever lost the database would lose all the rest by a start that took it for litter.
bool catalog_check(struct store *store, struct files *files, struct err *e)
{
    struct catalog c = {.files = files, .store = store};
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

struct catalog *catalog_open(struct store *store, struct files *files,
                             struct catalog_strangers *strangers, struct err *e)
{
    struct catalog *c = malloc(sizeof *c);
    BUG(!c);
    *c = (struct catalog){.files = files, .store = store};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->gone, NULL);
    if (walk_all(c, strangers, catalog_sweep_file, e))
        return c;
    catalog_close(c);
    return NULL;
}

void catalog_close(struct catalog *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->gone);
    free(c);
}

// Files on their way ---------------------------------------------------------------------------

// Whether the same is on its way; with `out`, on its way out.
static bool is_moving(const struct catalog *c, const struct catalog_file *f, bool out)
{
    for (const struct catalog_file *m = c->moving; m; m = m->next)
        if (m->out >= out && m->shelf == f->shelf && strcmp(m->digest, f->digest) == 0)
            return true;
    return false;
}

static void link_locked(struct catalog *c, struct catalog_file *f)
{
    f->next = c->moving;
    c->moving = f;
}

static void unlink_file(struct catalog *c, struct catalog_file *f)
{
    pthread_mutex_lock(&c->lock);
    struct catalog_file **at = &c->moving;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    pthread_cond_broadcast(&c->gone);
    pthread_mutex_unlock(&c->lock);
}

// A file that is on its way out: what somebody needs stays, and is told from litter again.
static bool remove_unless_used(struct catalog *c, const struct catalog_file *f, struct err *e)
{
    bool used;
    return shelves[f->shelf].used(c->store, f->digest, &used, e) &&
           (used ? catalog_settle(c, f->shelf, f->digest, e)
                 : files_remove(c->files, f->shelf, f->digest, e));
}

// Remove a file that nobody needs or brings. What bears no mark may be the only copy of a table or
// a model that another database knows.
static bool tidy(struct catalog *c, enum file_shelf shelf, const char *digest, struct err *e)
{
    struct catalog_file f = {.shelf = shelf, .digest = digest, .out = true};
    pthread_mutex_lock(&c->lock);
    while (is_moving(c, &f, true))
        pthread_cond_wait(&c->gone, &c->lock);
    bool brought = is_moving(c, &f, false);
    if (!brought)
        link_locked(c, &f);
    pthread_mutex_unlock(&c->lock);
    if (brought)
        return true;
    bool ok = files_mark_of(c->files, shelf, digest) == NO_MARK || remove_unless_used(c, &f, e);
    unlink_file(c, &f);
    return ok;
}

void catalog_begin(struct catalog *c, enum file_shelf shelf, const char *digest,
                   struct catalog_file *f)
{
    *f = (struct catalog_file){.shelf = shelf, .digest = digest};
    pthread_mutex_lock(&c->lock);
    while (is_moving(c, f, true))
        pthread_cond_wait(&c->gone, &c->lock);
    link_locked(c, f);
    pthread_mutex_unlock(&c->lock);
}

static void stored(struct catalog *c, const struct catalog_file *f)
{
    struct err ignored = {0};
    if (files_mark_of(c->files, f->shelf, f->digest) == NO_MARK)
        return;
    files_unmark(c->files, f->shelf, f->digest);
    files_sync(c->files, f->shelf, &ignored);
}

bool catalog_end(struct catalog *c, struct catalog_file *f, enum catalog_end end, struct err *e)
{
    if (end == CATALOG_STORED)
        stored(c, f);
    else if (end == CATALOG_WITH_JOB)
        files_mark_job(c->files, f->shelf, f->digest, &f->job);
    unlink_file(c, f);
    return end != CATALOG_UNSTORED || tidy(c, f->shelf, f->digest, e);
}

bool catalog_forget(struct catalog *c, const char *digest, struct err *e)
{
    return tidy(c, SHELF_DATASETS, digest, e);
}

// Deleting -------------------------------------------------------------------------------------

// The files of a dataset's versions, on their way out together.
struct leaving {
    struct catalog_file *file;
    size_t n;
};

static bool any_moves(const struct catalog *c, const struct leaving *l)
{
    bool any = false;
    for (size_t i = 0; i < l->n; i++)
        any = any || is_moving(c, &l->file[i], false);
    return any;
}

// All at once, so that two who want the same never wait for each other.
static bool leave_begin(struct catalog *c, struct leaving *l, const struct digest_list *files,
                        struct arena *a, struct err *e)
{
    *l = (struct leaving){arena_alloc(a, files->n + 1, sizeof *l->file), files->n};
    if (!l->file)
        return fail(e, ERR_TOO_LARGE, "the dataset has too many versions to be deleted at once");
    for (size_t i = 0; i < l->n; i++)
        l->file[i] =
            (struct catalog_file){.shelf = SHELF_DATASETS, .digest = files->digest[i], .out = true};
    pthread_mutex_lock(&c->lock);
    while (any_moves(c, l))
        pthread_cond_wait(&c->gone, &c->lock);
    for (size_t i = 0; i < l->n; i++)
        link_locked(c, &l->file[i]);
    pthread_mutex_unlock(&c->lock);
    return true;
}

static bool mark_all(struct catalog *c, const struct leaving *l, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < l->n; i++)
        ok = files_mark(c->files, SHELF_DATASETS, l->file[i].digest, e);
    return ok;
}

// What somebody needs stays. One that cannot go is no reason for the others to stay.
static bool leave_end(struct catalog *c, struct leaving *l, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; i < l->n; i++) {
        ok = remove_unless_used(c, &l->file[i], e) && ok;
        unlink_file(c, &l->file[i]);
    }
    return ok;
}

static bool is_listed(const struct digest_list *files, const char *digest)
{
    for (size_t i = 0; i < files->n; i++)
        if (strcmp(files->digest[i], digest) == 0)
            return true;
    return false;
}

// A version that came after the list was made has lost its row with the others.
static bool remove_latecomers(struct catalog *c, const struct digest_list *files,
                              const struct digest_list *unused, struct arena *a, struct err *e)
{
    struct leaving late;
    struct digest_list list = {.digest = arena_alloc(a, unused->n + 1, sizeof *list.digest)};
    if (!list.digest)
        return fail(e, ERR_TOO_LARGE, "the dataset has too many versions to be deleted at once");
    for (size_t i = 0; i < unused->n; i++)
        if (!is_listed(files, unused->digest[i]))
            list.digest[list.n++] = unused->digest[i];
    return list.n == 0 || (leave_begin(c, &late, &list, a, e) && leave_end(c, &late, e));
}

// The rows go first: a row must not be without its file, and a marked file without a row is swept
// at the next start. Whoever has asked may have left by then, which is no reason to stop.
bool catalog_delete(struct catalog *c, const char *name, struct arena *a, struct err *e)
{
    struct digest_list files, unused = {0};
    struct leaving leaving;
    store_watch(NULL);
    if (!store_dataset_files(c->store, name, &files, a, e) ||
        !leave_begin(c, &leaving, &files, a, e))
        return false;
    bool deleted = mark_all(c, &leaving, e) && store_dataset_delete(c->store, name, &unused, a, e);
    struct err why = {0};
    bool left = leave_end(c, &leaving, &why);
    if (!left && deleted)
        err_pass(e, &why);
    return deleted && left && remove_latecomers(c, &files, &unused, a, e);
}
