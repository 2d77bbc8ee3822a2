// SPDX-License-Identifier: MIT
// Models in memory: see cache.h.
//
// A small array under a reader-writer lock: taking a model that is there is a read lock, a walk
// over at most CACHE_MODELS names and two atomic operations. Loading happens outside the lock; of
// two threads that load the same model, the second throws its copy away.
//
// The newest version of a name is the one that the store called so, for as long as the name's
// edition (store.h) is what it was before the store was asked. The next request then asks again,
// which costs one statement where the model is in memory.
//
// A model comes with one workspace, so it is known what another takes before that is made. All are
// counted, and where there is no room, the model that was used longest ago gives back: all of it
// when nobody uses it, else the workspaces at which nobody is.

#include "server/jobs/cache.h"

#include "api/schema/schema.h"
#include "server/files/model_store.h"
#include "server/jobs/model_stored.h"
#include "server/jobs/workspace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_MODELS = 64, CACHE_THREADS = 64 };

// Workspaces up to this are made at once, also by a thread that others wait for.
enum { QUICK_BYTES = 1 << 20 };

struct entry {
    char name[NAME_MAX_LEN + 1];
    int64_t version, job;
    uint64_t edition; // of the name, while this is its newest version; 0: not known to be; under
                      // the lock
    struct arena arena;
    struct model_file file;
    atomic_uint users;
    _Atomic uint64_t used;  // tick of the last use
    struct entry *next;     // of those dropped together
    size_t bytes;           // of the model and all its workspaces, coming ones included; under the
                            // lock
    size_t workspace_bytes; // of one workspace
    struct workspace_slot slot[CACHE_THREADS];
};

// What is freed after the unlock: for hundreds of megabytes that takes tens of milliseconds.
struct garbage {
    struct entry *entry;
    struct workspace *workspace;
};

struct cache {
    struct store *store;
    struct files *files;
    size_t threads, memory; // bytes that all models together may take
    pthread_rwlock_t lock;  // guards entry[], n, each entry's edition and bytes
    struct entry *entry[CACHE_MODELS];
    size_t n;
    _Atomic uint64_t tick;
};

struct cache *cache_new(struct store *store, struct files *files, size_t threads, size_t memory)
{
    struct cache *c = calloc(1, sizeof *c);
    BUG(!c || threads > CACHE_THREADS);
    c->store = store;
    c->files = files;
    c->threads = threads;
    c->memory = memory;
    pthread_rwlock_init(&c->lock, NULL);
    return c;
}

static void entry_free(struct entry *n)
{
    for (size_t i = 0; i < CACHE_THREADS; i++)
        workspaces_free(atomic_load(&n->slot[i].workspace));
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

// What is asked for: the version, the newest one (0), or, without a name, what the job published.
struct wanted {
    const char *name;
    int64_t version, job;
    uint64_t edition; // of the name, before anybody was asked for its newest version; else 0
};

static struct wanted cache_want(struct cache *c, const char *name, int64_t version, int64_t job)
{
    bool newest = name && version == 0;
    return (struct wanted){name, version, job, newest ? store_model_edition(c->store, name) : 0};
}

static bool is_wanted(const struct entry *n, const struct wanted *w)
{
    if (!w->name)
        return n->job == w->job;
    return strcmp(n->name, w->name) == 0 &&
           (w->version ? n->version == w->version : w->edition && n->edition == w->edition);
}

static struct entry *cache_find_locked(struct cache *c, const struct wanted *w)
{
    for (size_t i = 0; i < c->n; i++)
        if (is_wanted(c->entry[i], w))
            return c->entry[i];
    return NULL;
}

static struct entry *cache_find(struct cache *c, const struct wanted *w)
{
    pthread_rwlock_rdlock(&c->lock);
    struct entry *n = cache_find_locked(c, w);
    if (n)
        atomic_fetch_add(&n->users, 1);
    pthread_rwlock_unlock(&c->lock);
    return n;
}

static bool read_model(struct cache *c, struct entry *n, const struct model_row *row, struct err *e)
{
    struct arena file;
    size_t len;
    arena_init(&file, c->memory);
    arena_init(&n->arena, c->memory);
    const char *bytes = model_store_load(c->files, row->digest, &len, NULL, &file, e);
    bool ok = bytes && model_stored_read(&n->file, row, bytes, len, &n->arena, e);
    if (ok && n->arena.lack == ARENA_NO_MEMORY)
        ok = err_no_memory(e); // complete, but slow for as long as it stays here
    if (!ok) {
        arena_correct(&file, e);
        arena_correct(&n->arena, e);
    }
    arena_release(&file);
    return ok;
}

// The first workspace is made with the model, by the thread that has time to read it.
static bool furnish(struct cache *c, struct entry *n, struct err *e)
{
    struct workspace *w = workspace_new(&n->file.model, c->memory, e);
    if (!w)
        return false;
    atomic_store(&n->slot[0].workspace, w);
    n->workspace_bytes = w->arena.held;
    n->bytes = n->arena.held + n->workspace_bytes;
    return n->bytes <= c->memory ||
           fail(e, ERR_TOO_LARGE,
                "the model and the workspace for its answers take %zu MiB of memory; all models "
                "together may take %zu",
                n->bytes >> 20, c->memory >> 20);
}

static bool ask_store(struct cache *c, const struct wanted *w, struct model_row *row,
                      struct arena *a, struct err *e)
{
    return w->name ? store_model_get(c->store, w->name, w->version, row, a, e)
                   : store_model_of_job(c->store, w->job, row, a, e);
}

static struct entry *cache_load(struct cache *c, const struct model_row *row, struct err *e)
{
    struct entry *n = calloc(1, sizeof *n);
    if (!n)
        return err_no_memory(e), NULL;
    memcpy(n->name, row->name, strlen(row->name) + 1);
    n->version = row->version;
    n->job = row->job;
    if (read_model(c, n, row, e) && furnish(c, n, e))
        return n;
    entry_free(n);
    return NULL;
}

static bool is_used(const struct entry *n)
{
    return atomic_load(&n->users) > 0;
}

static bool has_spare(const struct cache *c, const struct entry *n)
{
    for (size_t i = 0; i < c->threads; i++)
        if (atomic_load(&n->slot[i].workspace) && !atomic_load(&n->slot[i].busy))
            return true;
    return false;
}

// The place of the least recently used model that can give something back; c->n when none can.
static size_t oldest_locked(const struct cache *c, bool whole)
{
    size_t oldest = c->n;
    for (size_t i = 0; i < c->n; i++)
        if ((!is_used(c->entry[i]) || (!whole && has_spare(c, c->entry[i]))) &&
            (oldest == c->n ||
             atomic_load(&c->entry[i]->used) < atomic_load(&c->entry[oldest]->used)))
            oldest = i;
    return oldest;
}

static void drop_locked(struct cache *c, size_t at, struct garbage *g)
{
    c->entry[at]->next = g->entry;
    g->entry = c->entry[at];
    c->entry[at] = c->entry[--c->n];
}

static void clear_slots_locked(const struct cache *c, struct entry *n, struct garbage *g)
{
    for (struct workspace_slot *d; (d = workspace_take(n->slot, c->threads, true));) {
        struct workspace *w = atomic_exchange(&d->workspace, NULL);
        workspace_leave(d);
        w->next = g->workspace;
        g->workspace = w;
        n->bytes -= n->workspace_bytes;
    }
}

static bool has_room_locked(const struct cache *c, size_t bytes)
{
    for (size_t i = 0; i < c->n; i++)
        bytes += c->entry[i]->bytes;
    return bytes <= c->memory;
}

// Room for so many bytes more and, for a model, a place in the table; false when all others are in
// use.
static bool make_room_locked(struct cache *c, size_t bytes, size_t models, struct garbage *g)
{
    for (;;) {
        bool full = c->n + models > CACHE_MODELS;
        if (!full && has_room_locked(c, bytes))
            return true;
        size_t oldest = oldest_locked(c, full);
        if (oldest == c->n)
            return false;
        if (is_used(c->entry[oldest]))
            clear_slots_locked(c, c->entry[oldest], g);
        else
            drop_locked(c, oldest, g);
    }
}

static void garbage_free(struct garbage *g)
{
    for (struct entry *next; g->entry; g->entry = next) {
        next = g->entry->next;
        entry_free(g->entry);
    }
    workspaces_free(g->workspace);
}

// The store has called it the newest of that edition; it may have called a newer one so since.
static void cache_crown_locked(struct cache *c, struct entry *n, uint64_t edition)
{
    for (size_t i = 0; edition && i < c->n; i++) {
        struct entry *other = c->entry[i];
        if (strcmp(other->name, n->name) != 0 || other->edition != edition)
            continue;
        if (other->version > n->version)
            return;
        other->edition = 0;
    }
    n->edition = edition ? edition : n->edition;
}

static struct entry *use_locked(struct cache *c, struct entry *n, uint64_t edition)
{
    cache_crown_locked(c, n, edition);
    atomic_fetch_add(&n->users, 1);
    return n;
}

// Enter a freshly loaded model, unless another thread was faster, whose copy is then used.
static struct entry *cache_enter(struct cache *c, struct entry *n, uint64_t edition, struct err *e)
{
    struct garbage garbage = {0};
    pthread_rwlock_wrlock(&c->lock);
    struct entry *there = cache_find_locked(c, &(struct wanted){n->name, n->version, 0, 0});
    if (!there && make_room_locked(c, n->bytes, 1, &garbage))
        c->entry[c->n++] = there = n;
    if (there)
        use_locked(c, there, edition);
    else
        fail(e, ERR_BUSY, "the models in memory leave no room for another and are all in use");
    pthread_rwlock_unlock(&c->lock);
    if (there != n)
        entry_free(n);
    garbage_free(&garbage);
    return there;
}

// The model of the row, from memory if it is there.
static struct entry *cache_open(struct cache *c, const struct model_row *row, uint64_t edition,
                                struct err *e)
{
    pthread_rwlock_wrlock(&c->lock);
    struct entry *n = cache_find_locked(c, &(struct wanted){row->name, row->version, 0, 0});
    if (n)
        use_locked(c, n, edition);
    pthread_rwlock_unlock(&c->lock);
    if (n)
        return n;
    n = cache_load(c, row, e);
    return n ? cache_enter(c, n, edition, e) : NULL;
}

// What the store says is wanted.
static struct entry *cache_fetch(struct cache *c, const struct wanted *w, struct err *e)
{
    struct arena a;
    struct model_row row;
    arena_init(&a, 64 << 20);
    struct entry *n = ask_store(c, w, &row, &a, e) ? cache_open(c, &row, w->edition, e) : NULL;
    if (!n)
        arena_correct(&a, e);
    arena_release(&a);
    return n;
}

// Count another workspace of a model, making room for it.
static bool charge_locked(struct cache *c, struct entry *n, struct garbage *g, struct err *e)
{
    if (!make_room_locked(c, n->workspace_bytes, 0, g))
        return fail(e, ERR_BUSY,
                    "the models in memory are all in use and leave no room to "
                    "predict with this one more than is done already");
    n->bytes += n->workspace_bytes;
    return true;
}

static bool make_workspace(struct cache *c, struct entry *n, struct workspace_slot *d,
                           struct err *e)
{
    struct workspace *w = workspace_new(&n->file.model, c->memory, e);
    atomic_store(&d->workspace, w);
    if (w)
        return true;
    pthread_rwlock_wrlock(&c->lock);
    n->bytes -= n->workspace_bytes;
    pthread_rwlock_unlock(&c->lock);
    return false;
}

// There are as many slots as serving threads, so one is free.
static struct workspace_slot *another_workspace(struct cache *c, struct entry *n, struct err *e)
{
    struct garbage garbage = {0};
    pthread_rwlock_wrlock(&c->lock);
    struct workspace_slot *d = workspace_take(n->slot, c->threads, false);
    bool there = d && atomic_load(&d->workspace);
    bool ok = d ? there || charge_locked(c, n, &garbage, e)
                : fail(e, ERR_BUSY, "more predictions at once than serving threads");
    pthread_rwlock_unlock(&c->lock);
    garbage_free(&garbage);
    if (ok && (there || make_workspace(c, n, d, e)))
        return d;
    if (d)
        workspace_leave(d);
    return NULL;
}

// Hand out a model whose users count this one already. In a hurry, no large workspace is made:
// false with e untouched.
static bool cache_serve(struct cache *c, struct entry *n, bool hurry, struct served *out,
                        struct err *e)
{
    atomic_store_explicit(&n->used, atomic_fetch_add(&c->tick, 1), memory_order_relaxed);
    struct workspace_slot *d = workspace_take(n->slot, c->threads, true);
    if (!d && !(hurry && n->workspace_bytes > QUICK_BYTES))
        d = another_workspace(c, n, e);
    if (!d) {
        atomic_fetch_sub(&n->users, 1);
        return false;
    }
    *out = (struct served){.file = &n->file,
                           .predictor = &atomic_load(&d->workspace)->predictor,
                           .name = n->name,
                           .version = n->version,
                           .entry = n,
                           .slot = d};
    return true;
}

bool cache_take_loaded(struct cache *c, const char *name, int64_t version, int64_t job,
                       struct served *out, struct err *e)
{
    const struct wanted w = cache_want(c, name, version, job);
    struct entry *n = cache_find(c, &w);
    return n && cache_serve(c, n, true, out, e);
}

bool cache_take(struct cache *c, const char *name, int64_t version, int64_t job, struct served *out,
                struct err *e)
{
    const struct wanted w = cache_want(c, name, version, job);
    struct entry *n = cache_find(c, &w);
    if (!n)
        n = cache_fetch(c, &w, e);
    return n && cache_serve(c, n, false, out, e);
}

void cache_put(struct cache *c, struct served *s)
{
    (void)c;
    struct entry *n = s->entry;
    workspace_leave(s->slot);
    atomic_fetch_sub(&n->users, 1);
}
