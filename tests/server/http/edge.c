// SPDX-License-Identifier: MIT
// The service: see edge.h.

#include "tests/server/http/edge.h"

#include "api/schema/rendering.h"
#include "api/schema/schema.h"
#include "server/http/call.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef fail // libcheck has a macro of that name

struct edge_seen seen;

static bool say(struct call *c, struct err *e)
{
    (void)e;
    return call_reply(c, "{\"ok\":true}", 11);
}

static bool echo(struct call *c, struct err *e)
{
    if (strlen(c->body) != c->body_len)
        return fail_at(e, ERR_INVALID, "/x", "a byte of the body is NUL");
    return call_reply(c, c->body, c->body_len);
}

static bool make(struct call *c, struct err *e)
{
    c->location = "/things/7";
    return echo(c, e);
}

struct name_query {
    const char *name;
};
static const struct field name_fields[] = {STRING("name", struct name_query, name, .max = 8000),
                                           {0}};
static const struct schema name_query = {.field = name_fields, .size = sizeof(struct name_query)};
static const struct field sink_fields[] = {
    STRING("name", struct name_query, name, .required = true), {0}};
static const struct schema sink_query = {.field = sink_fields, .size = sizeof(struct name_query)};

struct wide_query {
    int bytes;
};
static const struct field wide_fields[] = {INT("bytes", struct wide_query, bytes, .required = true),
                                           {0}};
static const struct schema wide_query = {.field = wide_fields, .size = sizeof(struct wide_query)};

static const char *name_of(const struct call *c)
{
    return ((const struct name_query *)c->query)->name;
}

static const char *as_json(const void *model, size_t *len, struct arena *a, struct err *e)
{
    (void)e;
    const char *text = arena_printf(a, "{\"it\":\"%s\"}", (const char *)model);
    *len = strlen(text);
    return text;
}

static const char *as_text(const void *model, size_t *len, struct arena *a, struct err *e)
{
    if (strcmp(model, "huge") == 0) {
        fail(e, ERR_TOO_LARGE, "this does not fit");
        return NULL;
    }
    *len = strlen(model);
    return arena_text(a, model, *len);
}

static const struct rendering shape_json = {"json", "application/json", "An object.", as_json},
                              shape_txt = {"txt", "text/plain; charset=utf-8", "A word.", as_text};
static const struct rendering *const shapes[] = {&shape_json, &shape_txt, NULL};

struct shape_query {
    const char *format, *word;
};
static const struct field shape_fields[] = {STRING("format", struct shape_query, format),
                                            STRING("word", struct shape_query, word, .max = 100),
                                            {0}};
static const struct schema shape_query = {.field = shape_fields,
                                          .size = sizeof(struct shape_query)};

// What handlers do by reply_render().
static bool shaped(struct call *c, struct err *e)
{
    size_t len;
    const char *word = ((const struct shape_query *)c->query)->word;
    const char *text = c->rendering->write(word ? word : "round", &len, c->arena, e);
    return text && call_reply(c, text, len);
}

static bool show(struct call *c, struct err *e)
{
    int64_t id;
    if (!call_id(c, 0, "thing", &id, e))
        return false;
    const char *name = name_of(c), *agent;
    call_header(c, "x-agent", &agent);
    char *text =
        arena_printf(c->arena, "%lld %s %s", (long long)id, name ? name : "-", agent ? agent : "-");
    return call_reply(c, text, strlen(text));
}

static bool drop(struct call *c, struct err *e)
{
    atomic_fetch_add(&seen.dropped, 1);
    return say(c, e);
}

static bool broken(struct call *c, struct err *e)
{
    return fail(e, c->target->n > 1 ? ERR_BUSY : ERR_INTERNAL, "the thing fell apart");
}

static bool bulk(struct call *c, struct err *e)
{
    (void)e;
    const char *text = arena_printf(c->arena, "%zu", c->body_len);
    return call_reply(c, text, strlen(text));
}

static bool wide(struct call *c, struct err *e)
{
    size_t n = (size_t)((const struct wide_query *)c->query)->bytes;
    char *text = arena_alloc(c->arena, n, 1);
    if (!text)
        return fail(e, ERR_TOO_LARGE, "that is too wide");
    memset(text, 'w', n);
    return call_reply(c, text, n);
}

static void wait_for_release(void)
{
    atomic_fetch_add(&seen.held, 1);
    while (!atomic_load(&seen.release))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static bool hold(struct call *c, struct err *e)
{
    wait_for_release();
    return say(c, e);
}

// Polling threads are those that ever ran something without patience.
static _Thread_local bool polls;

static void note_thread(const struct call *c)
{
    polls = polls || !c->pace;
    atomic_fetch_add(c->pace ? &seen.patient : &seen.quick, 1);
    if (c->pace && polls)
        atomic_store(&seen.polled, true);
}

static bool slow(struct call *c, struct err *e)
{
    note_thread(c);
    return hold(c, e);
}

static bool endless(struct call *c, struct err *e)
{
    note_thread(c);
    atomic_fetch_add(&seen.held, 1);
    while (!halt_asked(c->halt))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_fetch_add(&seen.ended, 1);
    return halt_go_on(c->halt, e);
}

static bool sometimes(struct call *c, struct err *e)
{
    note_thread(c);
    return echo(c, e);
}

static bool heavy(struct call *c, struct err *e)
{
    note_thread(c);
    arena_need(c->arena, 1, 100000);
    return c->pace ? say(c, e) : call_defer(c, PACE_SECONDS);
}

static bool heavier(struct call *c, struct err *e)
{
    note_thread(c);
    return c->pace == PACE_MINUTES ? say(c, e) : call_defer(c, c->pace + 1);
}

static void clean(struct cleanup *c)
{
    if (polls)
        atomic_store(&seen.polled, true);
    wait_for_release();
    atomic_fetch_add(&seen.cleaned, 1);
    free(c);
}

static bool leave(struct call *c, struct err *e)
{
    note_thread(c);
    c->cleanup = malloc(sizeof *c->cleanup);
    ck_assert_ptr_nonnull(c->cleanup);
    c->cleanup->run = clean;
    return c->target->n == 1 ? say(c, e) : fail(e, ERR_CONFLICT, "that is not how it is left");
}

static bool sink_begin(struct call *c, struct err *e)
{
    const char *name = name_of(c);
    if (!strcmp(name, "taken"))
        return fail(e, ERR_CONFLICT, "there is one already");
    c->stream = strcmp(name, "large") ? NULL : &seen;
    atomic_fetch_add(&seen.begun, 1);
    return true;
}

static bool sink_piece(struct call *c, const char *data, size_t n, struct err *e)
{
    (void)c;
    polls = true;
    atomic_fetch_add(&seen.bytes, n);
    return !memchr(data, '!', n) || fail(e, ERR_INVALID, "line 3 has two cells, not three");
}

static bool sink_end(struct call *c, struct err *e)
{
    if (!strcmp(name_of(c), "late"))
        return fail(e, ERR_NO_SPACE, "the disk is full");
    atomic_fetch_add(&seen.ended, 1);
    return say(c, e);
}

static void sink_undo(struct call *c)
{
    if (polls)
        atomic_store(&seen.polled, true);
    if (c->stream)
        wait_for_release();
    atomic_fetch_add(&seen.undone, 1);
}

#define SINK                                                                                       \
    .body_kind = BODY_STREAM, .begin = sink_begin, .piece = sink_piece, .handle = sink_end,        \
    .undo = sink_undo, .status = 201

static const struct route rows[] = {
    {.method = GET, .scope = SCOPE_READ, .path = "/things", .handle = say, .status = 200},
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/things",
     .handle = make,
     .status = 201,
     .body_kind = BODY_JSON,
     .max_body = 1000},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/things/{id}",
     .handle = show,
     .status = 200,
     .query = &name_query},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/things/{id}/shape",
     .handle = shaped,
     .status = 200,
     .rendering = shapes,
     .query = &shape_query},
    {.method = DELETE, .scope = SCOPE_READ, .path = "/things/{id}", .handle = drop, .status = 200},
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/things/{id}/cancel",
     .handle = say,
     .status = 202},
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/echo",
     .handle = echo,
     .status = 200,
     .body_kind = BODY_JSON},
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/bulk",
     .handle = bulk,
     .status = 200,
     .body_kind = BODY_JSON,
     .max_body = 64 << 20},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/wide",
     .handle = wide,
     .status = 200,
     .reply_room = 64 << 20,
     .query = &wide_query},
    {.method = GET, .scope = SCOPE_READ, .path = "/broken", .handle = broken, .status = 200},
    {.method = GET, .scope = SCOPE_READ, .path = "/broken/busy", .handle = broken, .status = 200},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/hold",
     .handle = hold,
     .status = 200,
     .produces = "text/plain"},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/slow",
     .handle = slow,
     .status = 200,
     .pace = PACE_SECONDS},
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/sometimes",
     .handle = sometimes,
     .status = 200,
     .body_kind = BODY_JSON,
     .pace = PACE_SECONDS,
     .slow_over = 100},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/endless",
     .handle = endless,
     .status = 200,
     .pace = PACE_SECONDS},
    {.method = POST, .scope = SCOPE_READ, .path = "/leave", .handle = leave, .status = 200},
    {.method = POST, .scope = SCOPE_READ, .path = "/leave/badly", .handle = leave, .status = 200},
    {.method = GET,
     .scope = SCOPE_READ,
     .path = "/lasting",
     .handle = slow,
     .status = 200,
     .pace = PACE_MINUTES},
    {.method = GET, .scope = SCOPE_READ, .path = "/heavier", .handle = heavier, .status = 200},
    {.method = GET, .scope = SCOPE_READ, .path = "/heavy", .handle = heavy, .status = 200},
    {.method = POST,
     .scope = SCOPE_READ,
     .path = "/sink",
     SINK,
     .max_body = 100000,
     .query = &sink_query},
};

const struct log edge_silent = {2, LEVEL_OFF};

struct arena_budget edge_memory;

struct http_limits edge_limits(void)
{
    struct http_limits limits = http_limits_default;
    limits.slow_wait_ms = 3600000;
    return limits;
}

static struct http *serve_table(const struct http_limits *limits, size_t memory, const char *flag,
                                struct router router, const struct principal *caller)
{
    static struct settings s;
    char *argv[] = {"mlpd", "--listen=127.0.0.1:0", "--http-threads=2", (char *)flag};
    struct err e = {0};
    ck_assert_msg(settings_read(&s, flag ? 4 : 3, argv, &e), "%s", e.text);
    memset(&seen, 0, sizeof seen);
    edge_memory = (struct arena_budget){.max = memory, .name = "all requests together"};
    struct http_config config = {.settings = &s,
                                 .memory = &edge_memory,
                                 .router = router,
                                 .log = &edge_silent,
                                 .caller = caller,
                                 .limits = limits ? *limits : edge_limits()};
    struct http *h = http_start(&config, &e);
    ck_assert_msg(h != NULL, "%s", e.text);
    return h;
}

static struct http *serve(const struct http_limits *limits, size_t memory, const char *flag)
{
    return serve_table(limits, memory, flag, (struct router){rows, sizeof rows / sizeof *rows},
                       NULL);
}

struct http *edge_serve_table(const struct route *row, size_t n, const struct principal *caller)
{
    return serve_table(NULL, (size_t)1 << 40, "--allowed-host=x", (struct router){row, n}, caller);
}

struct http *edge_serve_as(const struct http_limits *limits, const char *flag)
{
    return serve(limits, (size_t)1 << 40, flag);
}

struct http *edge_serve(const struct http_limits *limits)
{
    return edge_serve_as(limits, "--allowed-host=x");
}

struct http *edge_serve_within(const struct http_limits *limits, size_t memory)
{
    return serve(limits, memory, "--allowed-host=x");
}

void edge_wait(const atomic_int *count, int n)
{
    for (int i = 0; i < 5000 && atomic_load(count) < n; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert_int_eq(atomic_load(count), n);
}
