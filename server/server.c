// SPDX-License-Identifier: MIT
// Putting the daemon's parts together and taking them apart in the opposite order: see server.h.

#include "server.h"

#include "blas.h"
#include "cache.h"
#include "catalog.h"
#include "clock.h"
#include "dataset.h"
#include "http.h"
#include "memory.h"
#include "model_store.h"
#include "openapi.h"
#include "queue.h"
#include "store.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>

enum { OPENAPI_MEMORY = 16 << 20 };

void server_prepare(void)
{
    struct err e = {0};
    if (blas_init(&e))
        return;
    fprintf(stderr, "mlpd: %s\n", e.text);
    exit(EXIT_FAILURE);
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

static bool open_data(struct server *s, struct err *e)
{
    const char *dir = s->settings->data;
    s->store = store_open(dir, &clock_system, e);
    if (!s->store || !dataset_prepare(dir, e) || !dataset_sweep_tmp(dir, e) ||
        !model_store_prepare(dir, e))
        return false;
    s->catalog = catalog_open(dir, s->store, e);
    return s->catalog;
}

static bool open_queue(struct server *s, struct err *e)
{
    int64_t requeued = 0;
    s->queue = queue_new(s->store, &clock_system, &requeued, e);
    if (requeued)
        LOG(s->log, LEVEL_WARN, log_text("event", "jobs of the last run queued again"),
            log_int("jobs", requeued));
    return s->queue;
}

static bool open_workers(struct server *s, struct err *e)
{
    s->cache =
        cache_new(s->settings->data, s->store,
                  (size_t)s->settings->http_threads + SETTINGS_SLOW_THREADS, memory_of_models());
    const struct worker_config config = {s->settings, s->log,   s->store,
                                         s->catalog,  s->queue, s->cache};
    s->workers = workers_start(&config, e);
    return s->workers;
}

static bool open_http(struct server *s, struct err *e)
{
    const struct http_config config = {.settings = s->settings,
                                       .router = {route_table, route_count},
                                       .server = s,
                                       .log = s->log,
                                       .limits = http_limits_default};
    s->http = http_start(&config, e);
    return s->http;
}

static void close_all(struct server *s)
{
    http_stop(s->http);
    if (s->queue)
        queue_drain(s->queue);
    workers_join(s->workers);
    cache_free(s->cache);
    queue_free(s->queue);
    catalog_close(s->catalog);
    store_close(s->store);
    s->http = NULL;
    s->workers = NULL;
    s->cache = NULL;
    s->queue = NULL;
    s->catalog = NULL;
    s->store = NULL;
}

bool server_start(struct server *s, struct err *e)
{
    if (open_data(s, e) && open_queue(s, e) && open_workers(s, e) && open_http(s, e))
        return true;
    close_all(s);
    return false;
}

void server_stop(struct server *s, int ms)
{
    queue_drain(s->queue);
    if (!http_drain(s->http, ms))
        LOG(s->log, LEVEL_WARN, log_text("event", "requests cut off"));
    close_all(s);
}
