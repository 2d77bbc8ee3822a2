// SPDX-License-Identifier: MIT
// Putting the daemon's parts together and taking them apart in the opposite order: see server.h.
// The listener comes last and goes first. A start that fails gives back what it has, and has
// changed nothing in the data folder.

#include "server/handlers/server.h"

#include "api/docs/openapi.h"
#include "engine/nn/blas.h"
#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/base/signals.h"
#include "server/files/catalog.h"
#include "server/files/files.h"
#include "server/handlers/handlers.h"
#include "server/http/http.h"
#include "server/jobs/cache.h"
#include "server/jobs/queue.h"
#include "server/jobs/worker.h"
#include "server/store/store.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPENAPI_MEMORY = 16 << 20, BLOCK_OF_ITS_OWN = 4 << 20, KEPT_FREE = 8 << 20 };

// Large blocks are given back to the system when they are freed, so that what is not charged to a
// budget is not held either. By default the C library learns to keep blocks of up to 32 MiB, in a
// heap for each thread. Smaller blocks stay: mapping them anew would cost large predictions time.
static void give_memory_back(void)
{
    mallopt(M_MMAP_THRESHOLD, BLOCK_OF_ITS_OWN);
    mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
}

// Not through exit() when it fails: a thread of OpenBLAS that tries for ever to map its buffer
// cannot be ended, and the library's own end waits for it.
void server_prepare(void)
{
    struct err e = {0};
    give_memory_back();
    if (blas_init(&e))
        return;
    fprintf(stderr, "mlpd: %s\n", e.text);
    _exit(EXIT_FAILURE);
}

void server_openapi(FILE *f)
{
    struct arena a;
    struct err e = {0};
    size_t len;
    arena_init(&a, OPENAPI_MEMORY);
    const char *text = openapi(route_table, route_count, &a, &len, &e);
    BUG(!text);
    fwrite(text, 1, len, f);
    fputc('\n', f);
    arena_release(&a);
}

static bool open_store(struct server *s, struct err *e)
{
    s->store = store_open(s->settings->data, &clock_system, e);
    if (!s->store)
        return false;
    s->files = files_new(store_dir(s->store));
    if (catalog_check(s->store, s->files, e))
        return true;
    store_discard(s->store);
    s->store = NULL;
    return false;
}

// After the queue, which may have ended jobs whose data nobody needs then.
static bool open_files(struct server *s, struct err *e)
{
    struct catalog_strangers strangers;
    if (!files_prepare(s->files, e))
        return false;
    s->catalog = catalog_open(s->store, s->files, &strangers, e);
    if (s->catalog && strangers.files)
        LOG(s->log, LEVEL_WARN,
            log_text("event", "files that the database does not know are left alone"),
            log_int("files", strangers.files), log_int("bytes", strangers.bytes));
    return s->catalog;
}

static void note_stop(void *server)
{
    const struct server *s = server;
    struct err e = {0};
    if (!store_mark_stop(s->store, &e))
        LOG(s->log, LEVEL_WARN,
            log_text("event", "the stop is not marked: jobs that are cut off by it count it"),
            log_text("reason", e.text));
}

static bool open_queue(struct server *s, struct err *e)
{
    int64_t requeued = 0;
    s->queue = queue_new(s->store, &clock_system, &requeued, e);
    if (s->queue)
        signals_note_stop(note_stop, s);
    if (requeued)
        LOG(s->log, LEVEL_WARN, log_text("event", "jobs of the last run queued again"),
            log_int("jobs", requeued));
    return s->queue;
}

static bool open_cache(struct server *s, struct err *e)
{
    (void)e;
    s->cache =
        cache_new(s->store, s->files, (size_t)s->settings->http_threads + SETTINGS_SLOW_THREADS,
                  memory_of_models());
    return true;
}

// Every thread that serves or trains may compute at any time; jobs' further threads share what
// there is room for, up to one a core for each.
static bool open_blas(struct server *s, struct err *e)
{
    int least = (int)(s->settings->workers + s->settings->http_threads) + SETTINGS_SLOW_THREADS,
        got;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    long most = least + s->settings->workers * (cores > 1 ? cores - 1 : 0);
    struct err why = {0};
    if (!blas_reserve(least, most < BLAS_CALLERS ? (int)most : BLAS_CALLERS, &got, &why))
        return fail(e, why.kind,
                    "%s; lower --http-threads or --workers, or raise the limit "
                    "(ulimit -v)",
                    why.text);
    s->helpers = got - least;
    if (got < most && got < BLAS_CALLERS)
        LOG(s->log, LEVEL_WARN,
            log_text("event", "little address space: jobs get fewer threads than they ask for"),
            log_int("threads", s->helpers + s->settings->workers));
    return true;
}

static bool open_http(struct server *s, struct err *e)
{
    s->routes = (struct router){route_table, route_count};
    const struct http_config config = {.settings = s->settings,
                                       .memory = &s->requests,
                                       .router = s->routes,
                                       .server = s,
                                       .log = s->log,
                                       .limits = http_limits_default};
    s->http = http_start(&config, e);
    return s->http;
}

// Last, so that no job is begun by a daemon that cannot serve.
static bool open_workers(struct server *s, struct err *e)
{
    const struct worker_config config = {s->settings, s->log,   s->store,  s->files,
                                         s->catalog,  s->queue, s->helpers};
    s->workers = workers_start(&config, e);
    return s->workers;
}

// What is left when no request and no run is under way.
static void close_all(struct server *s)
{
    if (s->queue)
        queue_take_back(s->queue);
    cache_free(s->cache);
    queue_free(s->queue);
    catalog_close(s->catalog);
    files_free(s->files);
    store_close(s->store);
    s->http = NULL;
    s->workers = NULL;
    s->cache = NULL;
    s->queue = NULL;
    s->catalog = NULL;
    s->files = NULL;
    s->store = NULL;
}

bool server_start(struct server *s, struct err *e)
{
    s->requests = (struct arena_budget){.max = memory_of_requests(s->settings),
                                        .name = "all requests together (--request-memory)"};
    if (open_store(s, e) && open_queue(s, e) && open_files(s, e) && open_cache(s, e) &&
        open_blas(s, e) && open_http(s, e) && open_workers(s, e))
        return true;
    signals_note_stop(NULL, NULL);
    http_stop(s->http);
    close_all(s);
    return false;
}

// All that waits for others, and so may wait for ever.
static void *quiesce(void *arg)
{
    struct server *s = arg;
    if (!http_drain(s->http, s->stop.drain_ms))
        LOG(s->log, LEVEL_WARN, log_text("event", "requests cut off"));
    http_stop(s->http);
    workers_join(s->workers);
    pthread_mutex_lock(&s->stop.lock);
    s->stop.is_quiet = true;
    pthread_cond_signal(&s->stop.quiet);
    pthread_mutex_unlock(&s->stop.lock);
    return NULL;
}

// A thread hangs, so nothing can be freed, but what is stored can be put in order.
static void abandon(struct server *s)
{
    int64_t jobs = queue_take_back(s->queue);
    bool closed = store_halt(s->store, SERVER_HALT_MS);
    LOG(s->log, LEVEL_ERROR, log_text("event", "threads did not end in time and are cut off"),
        log_int("jobs_released", jobs), log_text("store", closed ? "closed" : "still writing"));
}

static void prepare_stop(struct server *s, int ms)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->stop.quiet, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&s->stop.lock, NULL);
    s->stop.drain_ms = ms;
}

static bool wait_quiet(struct server *s, int ms)
{
    struct timespec until = clock_after(ms);
    int rc = 0;
    pthread_mutex_lock(&s->stop.lock);
    while (!s->stop.is_quiet && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&s->stop.quiet, &s->stop.lock, &until);
    bool quiet = s->stop.is_quiet;
    pthread_mutex_unlock(&s->stop.lock);
    return quiet;
}

bool server_stop(struct server *s, int ms)
{
    pthread_t thread;
    prepare_stop(s, ms);
    queue_drain(s->queue);
    bool apart = pthread_create(&thread, NULL, quiesce, s) == 0;
    if (!apart)
        quiesce(s);
    if (!wait_quiet(s, ms + SERVER_GRACE_MS)) {
        pthread_detach(thread);
        abandon(s);
        return false;
    }
    if (apart)
        pthread_join(thread, NULL);
    close_all(s);
    pthread_cond_destroy(&s->stop.quiet);
    pthread_mutex_destroy(&s->stop.lock);
    return true;
}
