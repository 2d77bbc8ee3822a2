// SPDX-License-Identifier: MIT
// Models in memory: see cache.h.
//
// A small array under a reader-writer lock: taking a model that is there is a read lock, a walk
// over at most CACHE_MODELS names and two atomic operations. Loading happens outside the lock; of
// two threads that load the same model, the second throws its copy away.

#include "cache.h"

#include "model_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_MODELS = 64, CACHE_THREADS = 64 };

// A workspace; whoever turns `busy` on may use it.
struct desk {
    atomic_bool busy;
    bool ready;
    struct arena arena;
    struct predictor predictor;
};

struct entry {
    char name[NAME_MAX_LEN + 1];
    int64_t version, job;
    bool latest; // the bare name means this one; under the lock
    struct arena arena;
    struct model_file file;
    atomic_uint users;
    _Atomic uint64_t used; // tick of the last use
    struct entry *next;    // of those dropped together
    struct desk desk[CACHE_THREADS];
};

struct cache {
    const char *data_dir;
    struct store *store;
    size_t threads, memory; // bytes that all models together may take
    pthread_rwlock_t lock;  // guards entry[], n, published and each entry's latest
    struct entry *entry[CACHE_MODELS];
    size_t n;
    unsigned publishing; // announcements under way
    uint64_t published;  // counts announcements: a load that began before one must not call itself
                         // the latest
    _Atomic uint64_t tick;
};

struct cache *cache_new(const char *data_dir, struct store *store, size_t threads, size_t memory)
{
    struct cache *c = calloc(1, sizeof *c);
    BUG(!c || threads > CACHE_THREADS);
    c->data_dir = data_dir;
    c->store = store;
    c->threads = threads;
    c->memory = memory;
    pthread_rwlock_init(&c->lock, NULL);
    return c;
}

static void entry_free(struct entry *n)
{
    for (size_t i = 0; i < CACHE_THREADS; i++)
        arena_release(&n->desk[i].arena);
    arena_release(&n->arena);
    free(n);
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        entry_free(c->entry[i]);
    pthread_rwlock_destroy(&c->lock);
    free(c);
}

static bool is_wanted(const struct entry *n, const char *name, int64_t version, int64_t job)
{
    if (!name)
        return n->job == job;
    return strcmp(n->name, name) == 0 && (version ? n->version == version : n->latest);
}

static struct entry *find_locked(struct cache *c, const char *name, int64_t version, int64_t job)
{
    for (size_t i = 0; i < c->n; i++)
        if (is_wanted(c->entry[i], name, version, job))
            return c->entry[i];
    return NULL;
}

static struct entry *find(struct cache *c, const char *name, int64_t version, int64_t job)
{
    pthread_rwlock_rdlock(&c->lock);
    struct entry *n = find_locked(c, name, version, job);
    if (n)
        atomic_fetch_add(&n->users, 1);
    pthread_rwlock_unlock(&c->lock);
    return n;
}

static bool read_model(struct cache *c, struct entry *n, const char *digest, struct err *e)
{
    struct arena file;
    size_t len;
    arena_init(&file, c->memory);
    arena_init(&n->arena, c->memory);
    const char *bytes = model_store_load(c->data_dir, digest, &len, NULL, &file, e);
    bool ok = bytes && model_file_read(&n->file, bytes, len, &n->arena, e);
    if (ok && n->arena.lack == ARENA_NO_MEMORY)
        ok = err_no_memory(e); // complete, but slow for as long as it stays here
    if (!ok) {
        arena_correct(&file, e);
        arena_correct(&n->arena, e);
    }
    arena_release(&file);
    return ok;
}

static bool ask_store(struct cache *c, const char *name, int64_t version, int64_t job,
                      struct model_row *row, struct arena *a, struct err *e)
{
    return name ? store_model_get(c->store, name, version, row, a, e)
                : store_model_of_job(c->store, job, row, a, e);
}

static struct entry *load(struct cache *c, const char *name, int64_t version, int64_t job,
                          struct err *e)
{
    struct arena a;
    struct model_row row;
    arena_init(&a, 64 << 20);
    struct entry *n = calloc(1, sizeof *n);
    if (!n)
        return err_no_memory(e), NULL;
    bool ok = ask_store(c, name, version, job, &row, &a, e) && read_model(c, n, row.digest, e);
    if (ok) {
        memcpy(n->name, row.name, strlen(row.name) + 1);
        n->version = row.version;
        n->job = row.job;
        n->latest = name && version == 0;
    } else {
        arena_correct(&a, e);
        entry_free(n);
        n = NULL;
    }
    arena_release(&a);
    return n;
}

// Move the least recently used model that nobody uses from the table to a list; false when all are
// in use.
static bool drop_oldest_locked(struct cache *c, struct entry **dropped)
{
    size_t oldest = c->n;
    for (size_t i = 0; i < c->n; i++)
        if (atomic_load(&c->entry[i]->users) == 0 &&
            (oldest == c->n ||
             atomic_load(&c->entry[i]->used) < atomic_load(&c->entry[oldest]->used)))
            oldest = i;
    if (oldest == c->n)
        return false;
    c->entry[oldest]->next = *dropped;
    *dropped = c->entry[oldest];
    c->entry[oldest] = c->entry[--c->n];
    return true;
}

static bool has_room_locked(const struct cache *c, const struct entry *n)
{
    size_t bytes = n->arena.used;
    for (size_t i = 0; i < c->n; i++)
        bytes += c->entry[i]->arena.used;
    return c->n < CACHE_MODELS && bytes <= c->memory;
}

static bool make_room_locked(struct cache *c, const struct entry *n, struct entry **dropped)
{
    while (!has_room_locked(c, n))
        if (!drop_oldest_locked(c, dropped))
            return false;
    return true;
}

static void free_all(struct entry *dropped)
{
    for (struct entry *next; dropped; dropped = next) {
        next = dropped->next;
        entry_free(dropped);
    }
}

// Enter a freshly loaded model, unless another thread was faster, whose copy is then used. Memory
// is freed after the unlock: for a large model that takes tens of milliseconds.
static struct entry *enter(struct cache *c, struct entry *n, uint64_t published, struct err *e)
{
    struct entry *dropped = NULL;
    pthread_rwlock_wrlock(&c->lock);
    struct entry *there = find_locked(c, n->name, n->version, 0);
    n->latest = n->latest && published == c->published && !c->publishing;
    if (there) {
        there->latest = there->latest || n->latest;
    } else if (make_room_locked(c, n, &dropped)) {
        c->entry[c->n++] = there = n;
    } else {
        fail(e, ERR_BUSY, "the models in memory leave no room for another and are all in use");
    }
    if (there)
        atomic_fetch_add(&there->users, 1);
    pthread_rwlock_unlock(&c->lock);
    if (there != n)
        entry_free(n);
    free_all(dropped);
    return there;
}

static uint64_t announcements(struct cache *c)
{
    pthread_rwlock_rdlock(&c->lock);
    uint64_t n = c->published;
    pthread_rwlock_unlock(&c->lock);
    return n;
}

static bool desk_ready(const struct cache *c, struct desk *d, const struct model *m, struct err *e)
{
    if (d->ready)
        return true;
    arena_init(&d->arena, c->memory);
    d->ready = predictor_init(&d->predictor, m, PREDICT_ROWS, &d->arena, e);
    if (!d->ready) {
        arena_correct(&d->arena, e);
        arena_release(&d->arena);
    }
    return d->ready;
}

// There are as many desks as serving threads, so one is free.
static bool sit_down(struct cache *c, struct entry *n, struct served *out, struct err *e)
{
    for (size_t i = 0; i < c->threads; i++)
        if (!atomic_exchange_explicit(&n->desk[i].busy, true, memory_order_acquire)) {
            out->desk = &n->desk[i];
            out->predictor = &n->desk[i].predictor;
            if (desk_ready(c, &n->desk[i], &n->file.model, e))
                return true;
            atomic_store(&n->desk[i].busy, false);
            return false;
        }
    return fail(e, ERR_BUSY, "more predictions at once than serving threads");
}

// Hand out a model whose users count this one already.
static bool serve(struct cache *c, struct entry *n, struct served *out, struct err *e)
{
    atomic_store_explicit(&n->used, atomic_fetch_add(&c->tick, 1), memory_order_relaxed);
    *out = (struct served){.file = &n->file, .name = n->name, .version = n->version, .entry = n};
    if (sit_down(c, n, out, e))
        return true;
    atomic_fetch_sub(&n->users, 1);
    return false;
}

bool cache_take_loaded(struct cache *c, const char *name, int64_t version, int64_t job,
                       struct served *out, struct err *e)
{
    struct entry *n = find(c, name, version, job);
    return n && serve(c, n, out, e);
}

bool cache_take(struct cache *c, const char *name, int64_t version, int64_t job, struct served *out,
                struct err *e)
{
    struct entry *n = find(c, name, version, job);
    if (!n) {
        uint64_t published = announcements(c);
        n = load(c, name, version, job, e);
        n = n ? enter(c, n, published, e) : NULL;
    }
    return n && serve(c, n, out, e);
}

void cache_put(struct cache *c, struct served *s)
{
    (void)c;
    struct desk *d = s->desk;
    struct entry *n = s->entry;
    atomic_store_explicit(&d->busy, false, memory_order_release);
    atomic_fetch_sub(&n->users, 1);
}

void cache_publish_begin(struct cache *c, const char *name)
{
    pthread_rwlock_wrlock(&c->lock);
    c->published++;
    c->publishing++;
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->entry[i]->name, name) == 0)
            c->entry[i]->latest = false;
    pthread_rwlock_unlock(&c->lock);
}

void cache_publish_end(struct cache *c)
{
    pthread_rwlock_wrlock(&c->lock);
    c->published++;
    c->publishing--;
    pthread_rwlock_unlock(&c->lock);
}
