// SPDX-License-Identifier: MIT
// The system refuses memory, for a moment, at every place in turn, while a request is served or a
// job runs: the client is told to try again, the job is tried again, and nothing is left behind.
// SQLite is spared here: what its errors mean is the store's matter.

#include "server/http/exchange.h"
#include "server/handlers/handlers.h"
#include "tests/server/plant.h"
#include "server/handlers/server.h"

#include "tests/heap.h"

#include <malloc.h>
#include <sqlite3.h>
#include <string.h>
#include <time.h>

// A chunk of an arena is asked for twice: with room to spare and, where that is refused, as small
// as will do. Checking builds ask once.
#ifdef MLPD_CHECKED
enum { IN_A_ROW = 1 };
#else
enum { IN_A_ROW = 2 };
#endif

static void *sure(int n)
{
    return heap_sure(NULL, (size_t)n);
}

static void *sure_again(void *p, int n)
{
    return heap_sure(p, (size_t)n);
}

static int size_of(void *p)
{
    return (int)malloc_usable_size(p);
}

static int rounded(int n)
{
    return (n + 7) & ~7;
}

static int begin(void *ctx)
{
    (void)ctx;
    return SQLITE_OK;
}

static void end(void *ctx)
{
    (void)ctx;
}

__attribute__((constructor)) static void spare_sqlite(void)
{
    static const sqlite3_mem_methods methods = {sure,    free,  sure_again, size_of,
                                                rounded, begin, end,        NULL};
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

// In place of a connection: all zero, in which no header is found.
static _Alignas(16) char nobody[1 << 16];

static const char TABLE[] =
    "x,group,y\n1,a,1\n2,b,2\n3,c,3\n4,a,4\n5,b,5\n6,c,6\n7,a,7\n8,b,8\n9,c,9\n10,a,10\n",
                  NET[] = "{\"name\":\"net\",\"layers\":[{\"weight\":[[1,2],[3,4]],\"bias\":[0,1],"
                          "\"activation\":\"tanh\"},{\"weight\":[[1,2]]}]}",
                  SWEEP[] = "{\"kind\":\"lr_finder\",\"dataset\":\"table\",\"target\":\"y\","
                            "\"lr_finder\":{\"steps\":20}}";

static const struct {
    const char *method, *uri, *type, *body;
    int status;
} ask_list[] = {
    {"POST", "/datasets?name=table", "text/csv", TABLE, 201},
    {"POST", "/datasets?name=other", "text/csv", "a;b\n1;2\n", 201},
    {"GET", "/datasets/table", NULL, NULL, 200},
    {"GET", "/datasets", NULL, NULL, 200},
    {"POST", "/jobs", NULL, SWEEP, 201},
    {"POST", "/jobs", NULL, "{\"dataset\":\"table\",\"target\":\"y\",\"max_iter\":3}", 201},
    {"POST", "/jobs", NULL,
     "{\"dataset\":\"table\",\"target\":\"y\",\"init\":{\"from\":\"net\"},\"features\":"
     "{\"exclude\":[\"group\"]},\"model\":{\"layers\":[4]}}",
     422},
    {"POST", "/jobs", NULL,
     "{\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8],[9]],\"y\":[1,2,3,4,5,6,7,8,9]}}", 201},
    {"GET", "/jobs/1", NULL, NULL, 200},
    {"GET", "/jobs", NULL, NULL, 200},
    {"GET", "/jobs/1/metrics", NULL, NULL, 200},
    {"GET", "/jobs/1/metrics.svg", NULL, NULL, 200},
    {"GET", "/jobs/1/metrics.csv", NULL, NULL, 200},
    {"GET", "/jobs/1/metrics.ndjson", NULL, NULL, 200},
    {"GET", "/jobs/1/metrics.txt", NULL, NULL, 200},
    {"GET", "/jobs/1/lr", NULL, NULL, 200},
    {"GET", "/jobs/2/layers", NULL, NULL, 200},
    {"GET", "/jobs/2/diagnosis", NULL, NULL, 200},
    {"GET", "/jobs/1/events", NULL, NULL, 200},
    {"POST", "/models", NULL, NET, 201},
    {"GET", "/models", NULL, NULL, 200},
    {"GET", "/models/net", NULL, NULL, 200},
    {"GET", "/models/net/export", NULL, NULL, 200},
    {"GET", "/models/net/graph.svg", NULL, NULL, 200},
    {"POST", "/predict", NULL, "{\"model\":\"net\",\"instances\":[[1,2],{\"x0\":1,\"x1\":2}]}",
     200},
    {"POST", "/predict", NULL, "{\"model\":\"nett\",\"instances\":[[1,2]]}", 404},
    {"POST", "/models/net/trace", NULL, "{\"instances\":[[1,2]],\"targets\":[1]}", 200},
    {"POST", "/models/net/gradcheck", NULL, "{\"instances\":[[1,2]],\"targets\":[1]}", 200},
    {"POST", "/models/table/evaluate", NULL, "{\"dataset\":\"table\"}", 200},
    {"POST", "/jobs/99/cancel", NULL, "", 404},
    {"GET", "/schema/job", NULL, NULL, 200},
    {"GET", "/openapi.json", NULL, NULL, 200},
    {"GET", "/nothing", NULL, NULL, 404},
    {"DELETE", "/datasets/none", NULL, NULL, 404},
};
enum { ASKS = sizeof ask_list / sizeof *ask_list };

struct site {
    struct plant p;
    struct server server;
    struct http_config config;
    struct arena arena;
    struct exchange x;
    struct head head;
    struct header header[EXCHANGE_HEADERS];
};

static void site_init(struct site *s)
{
    server_prepare();
    heap_fail_in_a_row(IN_A_ROW);
    plant_init(&s->p);
    s->p.settings.workers = 1;
    s->server = (struct server){.settings = &s->p.settings,
                                .requests = {.max = SIZE_MAX / 2, .name = "all requests"},
                                .log = &s->p.log,
                                .store = s->p.store,
                                .files = s->p.files,
                                .catalog = s->p.catalog,
                                .queue = s->p.queue,
                                .cache = s->p.cache,
                                .routes = {route_table, route_count}};
    s->config = (struct http_config){.settings = &s->p.settings,
                                     .router = {route_table, route_count},
                                     .server = &s->server,
                                     .memory = &s->server.requests,
                                     .callers = {&s->p.settings, &s->p.settings.address},
                                     .log = &s->p.log};
}

// One request from its connection's beginning to its answer; site_close() ends it.
static int site_ask(struct site *s, size_t i, unsigned long k)
{
    char length[24];
    const char *body = ask_list[i].body, *type = ask_list[i].type;
    struct err none = {0};
    s->head = (struct head){
        .method = ask_list[i].method, .target = ask_list[i].uri, .version = "HTTP/1.1"};
    head_add(&s->head, "Host", "localhost", &none);
    snprintf(length, sizeof length, "%zu", body ? strlen(body) : 0);
    if (body)
        head_add(&s->head, "Content-Length", length, &none);
    if (type)
        head_add(&s->head, "Content-Type", type, &none);
    cache_free(s->p.cache); // so that models are read anew
    s->p.cache = s->server.cache = cache_new(s->p.store, s->p.files, 8, (size_t)1 << 30);
    heap_fail(k);
    exchange_init(&s->x, &s->config, &s->arena, NULL);
    bool on = exchange_begin(&s->x, &s->head, nobody);
    for (size_t at = 0; on && body && at < strlen(body); at += 20)
        exchange_piece(&s->x, body + at, strlen(body + at) < 20 ? strlen(body + at) : 20);
    if (on)
        exchange_finish(&s->x, PACE_MINUTES);
    exchange_answer(&s->x, s->header);
    heap_fail(0);
    return s->x.call.status;
}

static void site_close(struct site *s)
{
    exchange_clear(&s->x);
    arena_release(&s->arena);
}

static void site_release(struct site *s)
{
    s->p.cache = s->server.cache;
    plant_release(&s->p);
}

static const char *header_of(const struct site *s, const char *name)
{
    for (int i = 0; i < EXCHANGE_HEADERS; i++)
        if (strcmp(s->header[i].name, name) == 0)
            return s->header[i].value;
    return NULL;
}

// Those before it have been asked, so that what it needs is there.
static void site_ready(struct site *s, int i)
{
    site_init(s);
    for (int k = 0; k < i; k++) {
        ck_assert_msg(site_ask(s, (size_t)k, 0) == ask_list[k].status, "%s %s: %s",
                      ask_list[k].method, ask_list[k].uri, s->x.err.text);
        site_close(s);
        if (k == 5) {
            plant_work(&s->p, 1);
            plant_await(&s->p, 1, JOB_SUCCEEDED, 0);
            plant_await(&s->p, 2, JOB_SUCCEEDED, 0);
            queue_drain(s->p.queue);
            workers_join(s->p.workers);
            s->p.workers = NULL;
        }
    }
}

LOOP_TEST(a_request_without_memory_is_told_to_come_again, ASKS)
{
    struct site s;
    site_ready(&s, _i);
    unsigned long k = 0;
    int refused = 0;
    do {
        int status = site_ask(&s, (size_t)_i, ++k);
        if (status != ask_list[_i].status) {
            refused++;
            ck_assert_msg(status == 503, "%s %s, allocation %lu: %d %.*s", ask_list[_i].method,
                          ask_list[_i].uri, k, status, (int)s.x.call.out_len, s.x.call.out);
            ck_assert_pstr_eq(header_of(&s, "Retry-After"), "1");
            ck_assert_ptr_nonnull(strstr(s.x.call.out, "\"/problems/busy\""));
            ck_assert_ptr_null(strstr(s.x.call.out, "\"errors\""));
        }
        site_close(&s);
    } while (heap_has_failed());
    ck_assert_int_eq(plant_files(&s.p, "tmp"), 0);
    ck_assert_msg(refused > 0 || k < 4, "%lu", k);
    site_release(&s);
}

// Without memory for a first, quick try.
static bool starved_at_first(struct call *c, struct err *e)
{
    if (c->pace)
        return fail(e, ERR_NOT_FOUND, "there is no such thing");
    heap_fail(1);
    const void *none = arena_alloc(c->arena, 100000, 1);
    heap_fail(0);
    ck_assert_ptr_null(none);
    return call_defer(c, PACE_SECONDS);
}

TEST(what_a_first_try_went_without_does_not_change_the_answer_of_the_second)
{
    static const struct route row = {.method = GET,
                                     .scope = SCOPE_READ,
                                     .path = "/thing",
                                     .handle = starved_at_first,
                                     .status = 200};
    struct site s;
    struct err none = {0};
    site_init(&s);
    s.config.router = (struct router){&row, 1};
    s.head = (struct head){.method = "GET", .target = "/thing", .version = "HTTP/1.1"};
    head_add(&s.head, "Host", "localhost", &none);
    exchange_init(&s.x, &s.config, &s.arena, NULL);
    ck_assert(exchange_begin(&s.x, &s.head, nobody));
    ck_assert(!exchange_finish(&s.x, PACE_QUICK));
    ck_assert(exchange_finish(&s.x, s.x.pace));
    exchange_answer(&s.x, s.header);
    ck_assert_int_eq(s.x.call.status, 404);
    site_close(&s);
    site_release(&s);
}

// ---- Jobs ----

static struct job_row await_first_end(struct plant *p, int64_t id)
{
    const struct timespec pause = {.tv_nsec = 500000};
    for (;;) {
        struct job_row row = plant_job(p, id);
        if ((row.attempt && row.state == JOB_QUEUED) || job_ended(row.state))
            return row;
        nanosleep(&pause, NULL);
    }
}

#define JOB(rest) "{\"dataset\":\"d\"," rest "}"

static const char *const jobs[] = {
    JOB("\"target\":\"y\",\"model\":{\"layers\":[4]},\"training\":{\"epochs\":3}"),
    JOB("\"target\":\"group\",\"class_weight\":\"balanced\",\"split\":{\"stratify\":true},"
        "\"model\":{\"layers\":[{\"units\":4,\"norm\":\"batch\",\"dropout\":0.1,"
        "\"activation\":\"prelu\"},{\"units\":4,\"norm\":\"layer\",\"residual\":1}]},"
        "\"regularization\":{\"mixup\":0.2,\"gradient_noise\":0.1,\"max_norm\":3},"
        "\"optimizer\":{\"type\":\"muon\",\"sam\":0.05,\"lookahead\":3},"
        "\"param_groups\":[{\"match\":\"*.bias\",\"lr\":0.5}],"
        "\"training\":{\"epochs\":3,\"ema\":0.9}"),
    JOB("\"target\":[\"x\",\"y\"],\"model\":{\"layers\":[4],\"init\":\"orthogonal\"},"
        "\"optimizer\":\"lbfgs\",\"features\":{\"types\":{\"group\":\"categorical\"}},"
        "\"training\":{\"epochs\":3,\"swa\":0.5,\"early_stopping\":null}"),
    JOB("\"target\":\"y\",\"kind\":\"lr_finder\",\"weights\":\"x\","
        "\"lr_finder\":{\"steps\":15}"),
    JOB("\"target\":\"group\",\"kind\":\"cross_validation\",\"cross_validation\":{\"folds\":2},"
        "\"model\":{\"layers\":[4]},\"training\":{\"epochs\":2}"),
};

// The store's own thread is one of those that get no memory.
static int64_t submit(struct plant *p, const char *digest, const char *spec)
{
    struct job_row row;
    struct err e = {0};
    bool replayed;
    const struct job_new job = {.name = "d",
                                .dataset = "d",
                                .digest = digest,
                                .spec = spec,
                                .spec_version = JOB_STORED_VERSION,
                                .metadata = "{}"};
    if (store_job_submit(p->store, &job, &row, &replayed, &p->arena, &e))
        return row.id;
    arena_correct(&p->arena, &e);
    ck_assert_msg(e.kind == ERR_BUSY, "%s", e.text);
    p->arena.lack = ARENA_LACKS_NOTHING;
    return 0;
}

LOOP_TEST(a_job_without_memory_is_tried_again, sizeof jobs / sizeof *jobs)
{
    struct plant p;
    char digest[DATASET_DIGEST];
    server_prepare();
    heap_fail_in_a_row(IN_A_ROW);
    plant_init(&p);
    NEED(plant_upload(&p, "d", plant_table(&p, 60), digest, &p.arena, &p.err));
    plant_work(&p, 1);
    plant_await(&p, plant_submit(&p, "d", digest, jobs[_i]), JOB_SUCCEEDED, 0);
    const char *stored = plant_definition(&p, jobs[_i]);
    unsigned long k = 0;
    int again = 0;
    do {
        struct arena_mark mark = arena_mark(&p.arena);
        heap_fail_elsewhere(++k);
        int64_t id = submit(&p, digest, stored);
        if (!id)
            continue;
        struct job_row row = await_first_end(&p, id);
        heap_fail_elsewhere(0);
        ck_assert_msg(row.state != JOB_FAILED, "allocation %lu: %s: %s", k, row.error_kind,
                      row.error_text);
        ck_assert_msg(row.crashes == 0, "allocation %lu was held against the job", k);
        again += row.state != JOB_SUCCEEDED;
        if (!job_ended(row.state))
            NEED(queue_cancel(p.queue, id, &row, &p.arena, &p.err));
        arena_rewind(&p.arena, mark);
    } while (heap_has_failed());
    ck_assert_int_gt(again, 3);
    plant_release(&p);
}
