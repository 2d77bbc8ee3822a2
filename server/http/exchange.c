// SPDX-License-Identifier: MIT
// One request: see exchange.h. Ordinary requests live in the first chunk of the connection's arena,
// so they allocate nothing.
//
// A fault known from the head is answered at once if a body would follow, and the connection
// closes; otherwise it waits for the end of the request, as an ordinary answer does. A fault within
// a body drops the rest of that body.

#include "server/http/exchange.h"

#include "api/schema/rendering.h"
#include "api/schema/schema.h"
#include "api/views/problem.h"
#include "server/base/log.h"
#include "server/http/accept.h"
#include "server/store/store.h"

#include <stdlib.h>
#include <string.h>

enum {
    SMALL = 256 << 10,       // held by a request that needs nothing of the budget
    SMALL_BODY = 64 << 10,   // of a request that is let in whatever others do
    ARENA_BASE = 1 << 20,    // a request without a body
    ARENA_STREAM = 16 << 20, // one whose body passes through
    ARENA_FACTOR = 8,        // parsed JSON against its text
    PROBLEM_ROOM = 256 << 10 // kept free for saying what went wrong
};

struct undo {
    struct cleanup cleanup;
    struct call call; // with a route, a server and a stream only
};

static bool is_gone(void *gone)
{
    return atomic_load_explicit((const atomic_bool *)gone, memory_order_relaxed);
}

// As it is between requests.
static void rest(struct exchange *x)
{
    *x = (struct exchange){.config = x->config,
                           .arena = x->arena,
                           .gone = x->gone,
                           .halt = x->halt,
                           .clean = x->clean};
}

void exchange_init(struct exchange *x, const struct http_config *config, struct arena *arena,
                   const atomic_bool *gone)
{
    arena_init(arena, ARENA_BASE);
    arena_share(arena, config->memory, SMALL);
    arena_alloc(arena, 1, 1); // the first chunk, if there is one, stays with the connection
    *x = (struct exchange){.config = config,
                           .arena = arena,
                           .gone = gone,
                           .halt = {is_gone, (void *)gone},
                           .clean = arena_mark(arena)};
}

void exchange_crowd(struct exchange *x)
{
    x->crowded = true;
}

void exchange_refuse(struct exchange *x, const struct err *why)
{
    if (!why->kind)
        return;
    fail_at(&x->err, why->kind, why->at, "%s", why->text);
    x->refused = true;
}

static void run_undo(struct cleanup *c)
{
    struct undo *u = (struct undo *)((char *)c - offsetof(struct undo, cleanup));
    u->call.route->undo(&u->call);
    free(u);
}

struct cleanup *exchange_take_cleanup(struct exchange *x)
{
    struct undo *u = x->undo;
    struct cleanup *left = x->call.cleanup;
    bool opened = x->opened && x->call.route->undo;
    BUG(left && x->call.route->undo);
    x->undo = NULL;
    x->opened = false;
    x->call.cleanup = NULL;
    if (!opened) {
        free(u);
        return left;
    }
    *u = (struct undo){
        .cleanup.run = run_undo,
        .call = {.route = x->call.route, .server = x->call.server, .stream = x->call.stream}};
    return &u->cleanup;
}

void exchange_clear(struct exchange *x)
{
    struct cleanup *left = exchange_take_cleanup(x);
    if (left)
        left->run(left);
    body_close(&x->body);
    arena_rewind(x->arena, x->clean);
    x->arena->max = ARENA_BASE;
    x->arena->lack = ARENA_LACKS_NOTHING;
    rest(x);
}

// ---- The head ----

// Who sends the request. The one place that says so.
static const struct principal *caller_of(const struct exchange *x)
{
    return x->config->caller ? x->config->caller : &principal_anonymous;
}

// What the query says, of a route that takes it; it has been checked.
static const char *asked_format(struct exchange *x)
{
    struct query_text text[QUERY_TEXTS];
    for (size_t i = target_query(&x->target, text, QUERY_TEXTS, x->arena); i-- > 0;)
        if (strcmp(text[i].name, "format") == 0)
            return text[i].value;
    return NULL;
}

static const struct rendering *asked_rendering(const struct rendering *const *list,
                                               const char *word, struct err *e)
{
    const struct rendering *found = rendering_find(list, word);
    char words[RENDERING_WORDS];
    if (!found)
        fail(e, ERR_INVALID, "query parameter \"format\" must be %s, got \"%.20s\"",
             rendering_names(list, words), word);
    return found;
}

static const struct rendering *accepted_rendering(const struct rendering *const *list,
                                                  const struct head *h, struct err *e)
{
    const struct rendering *found = accept_choose(h, list);
    char words[RENDERING_WORDS];
    if (!found)
        fail(e, ERR_NOT_ACCEPTABLE, "Accept must allow %s", rendering_media(list, words));
    return found;
}

// The path knows best in which form the reply is wanted, then the query, then Accept.
static bool choose_rendering(struct exchange *x, const struct rendering *suffix, struct err *e)
{
    struct call *call = &x->call;
    const struct rendering *const *list = call->route->rendering;
    const char *word = list ? asked_format(x) : NULL;
    if (!list)
        return true;
    x->varies = !suffix && !word;
    const struct rendering *found = word     ? asked_rendering(list, word, e)
                                    : suffix ? suffix
                                             : accepted_rendering(list, x->head, e);
    if (!found)
        return false;
    call->rendering = suffix ? suffix : found;
    call->media = call->rendering->media;
    return true;
}

static bool find_route(struct exchange *x, struct err *e)
{
    const struct router *router = &x->config->router;
    const char *sent = x->head->method, *method = strcmp(sent, "HEAD") ? sent : "GET";
    struct call *call = &x->call;
    router_allow(router, &x->target, x->allow);
    x->options = !strcmp(sent, "OPTIONS") && *x->allow;
    if (x->options) {
        call->status = 204;
        return !head_has_body(x->head) || gate_too_large(0, e);
    }
    struct router_match match;
    call->route = router_find(router, router_method(method), &x->target, &match, e);
    if (!call->route || !principal_may(call->caller, call->route->scope, e))
        return false;
    memcpy(call->segment, match.segment, sizeof match.segment);
    call->status = call->route->status;
    x->arena->max = ARENA_BASE + call->route->reply_room;
    call->media = call->route->produces ? call->route->produces : "application/json";
    call->query = router_read_query(call->route, &x->target, x->arena, &call->faults, e);
    return call->query && choose_rendering(x, match.suffix, e);
}

static bool gathered(enum body_kind kind)
{
    return kind == BODY_JSON || kind == BODY_FILE;
}

static bool open_json(struct exchange *x, size_t length, struct err *e)
{
    x->arena->max += ARENA_FACTOR * x->limit;
    return body_open(&x->body, x->arena, length, x->limit, e);
}

static bool open_stream(struct exchange *x, struct err *e)
{
    x->arena->max += ARENA_STREAM;
    x->undo = malloc(sizeof *x->undo);
    if (!x->undo)
        return err_no_memory(e);
    x->opened = x->call.route->begin(&x->call, e);
    return x->opened;
}

// Requests whose bodies come slowly do not keep out those that are over in a moment: what has none,
// and what is small and takes nothing but memory that every connection may have.
static bool fits_in(const struct exchange *x)
{
    return !head_has_body(x->head) ||
           (gathered(x->call.route->body_kind) && !head_is_chunked(x->head) &&
            head_length(x->head) <= SMALL_BODY);
}

static bool open_body(struct exchange *x, struct err *e)
{
    const struct route *route = x->call.route;
    size_t length;
    if (x->options)
        return true;
    x->limit = gate_limit(route, (size_t)x->config->settings->max_upload);
    if (!gate_body(x->head, route, x->limit, &length, e))
        return false;
    if (x->crowded && !fits_in(x))
        return fail(e, ERR_BUSY, "the server is busy with other requests; try again");
    return gathered(route->body_kind)        ? open_json(x, length, e)
           : route->body_kind == BODY_STREAM ? open_stream(x, e)
                                             : true;
}

bool exchange_begin(struct exchange *x, const struct head *head, void *conn)
{
    x->head = head;
    x->call = (struct call){.caller = caller_of(x),
                            .server = x->config->server,
                            .arena = x->arena,
                            .target = &x->target,
                            .halt = x->gone ? &x->halt : NULL,
                            .conn = conn};
    faults_init(&x->call.faults, x->arena);
    const struct origin_policy *callers = &x->config->callers;
    bool welcome = origin_admits(callers, head, &x->err);
    x->granted = welcome ? origin_granted(callers, head) : NULL;
    if (!x->refused && welcome && target_parse(&x->target, head->target, x->arena, &x->err) &&
        find_route(x, &x->err) && open_body(x, &x->err))
        return true;
    x->last = x->refused || head_has_body(head);
    return !x->last;
}

// ---- The body ----

static bool exchange_take(struct exchange *x, const char *data, size_t n, struct err *e)
{
    const struct route *route = x->call.route;
    if (x->received > x->limit)
        return gate_too_large(x->limit, e);
    return gathered(route->body_kind)        ? body_put(&x->body, data, n, e)
           : route->body_kind == BODY_STREAM ? route->piece(&x->call, data, n, e)
                                             : true;
}

void exchange_piece(struct exchange *x, const char *data, size_t n)
{
    x->received += n;
    if (x->err.kind)
        x->dropped += n;
    else if (!exchange_take(x, data, n, &x->err))
        body_close(&x->body);
}

static enum pace exchange_pace_of(const struct exchange *x)
{
    const struct route *route = x->call.route;
    return route->slow_over && x->received <= route->slow_over ? PACE_QUICK : route->pace;
}

// To whoever is still there: a client that has only ended its own side, or one that is left when
// the server stops.
static void tell_given_up(struct exchange *x)
{
    if (x->err.kind != ERR_CANCELLED)
        return;
    x->err = (struct err){0};
    fail(&x->err, ERR_BUSY,
         "the work was given up: its client had hung up, or the server is shutting down");
}

static bool handle(struct exchange *x)
{
    struct call *call = &x->call;
    struct arena_mark mark = arena_mark(x->arena);
    enum arena_lack lack = x->arena->lack;
    store_watch(x->gone);
    bool ok = call->route->handle(call, &x->err);
    store_watch(NULL);
    if (call->deferred) {
        BUG(ok || x->err.kind);
        x->pace = call->deferred;
        call->deferred = PACE_QUICK;
        arena_rewind(x->arena, mark);
        x->arena->lack = lack; // what the first try went without is no matter of the second's
        faults_init(&call->faults, x->arena);
        return false;
    }
    BUG(!ok && !x->err.kind);
    x->opened = x->opened && !ok;
    if (!ok) {
        arena_correct(x->arena, &x->err);
        tell_given_up(x);
        body_close(&x->body);
    }
    return true;
}

bool exchange_finish(struct exchange *x, enum pace pace)
{
    struct call *call = &x->call;
    x->last = x->refused || (x->err.kind && x->received);
    if (x->err.kind || x->options)
        return true;
    if (!x->pace)
        x->pace = exchange_pace_of(x);
    if (x->pace > pace)
        return false;
    call->pace = pace;
    if (gathered(call->route->body_kind)) {
        call->body = body_text(&x->body);
        call->body_len = x->body.len;
    }
    return handle(x);
}

// ---- The answer ----

// The arena may be what ran out, so it gets more room first.
static void tell_problem(struct exchange *x)
{
    struct call *call = &x->call;
    arena_correct(x->arena, &x->err);
    if (x->err.kind == ERR_BUSY) { // no fault of the caller's, wherever it was noticed
        faults_init(&call->faults, x->arena);
        x->err.at[0] = '\0';
    }
    if (x->err.kind == ERR_INTERNAL)
        LOG(x->config->log, LEVEL_ERROR, log_text("event", "request failed"),
            log_text("uri", x->head->target), log_text("why", x->err.text));
    x->arena->max = x->arena->used + PROBLEM_ROOM;
    call->out = problem_body(&x->err, &call->faults, x->arena, &call->status, &call->out_len);
    call->media = "application/problem+json";
    call->location = call->replayed = NULL;
}

void exchange_answer(struct exchange *x, struct header out[EXCHANGE_HEADERS])
{
    if (x->err.kind)
        tell_problem(x);
    const struct call *call = &x->call;
    const struct header header[EXCHANGE_OWN] = {
        {"Content-Type", call->out_len || call->rendering ? call->media : NULL},
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "no-store"},
        {"Vary", x->varies ? "Accept" : NULL},
        {"Location", call->location},
        {"Idempotent-Replayed", call->replayed},
        {"Allow", x->options || x->err.kind == ERR_METHOD ? x->allow : NULL},
        {"Retry-After", x->err.kind == ERR_BUSY ? "1" : NULL},
        {"Connection", x->last ? "close" : NULL},
    };
    memcpy(out, header, sizeof header);
    origin_headers(&x->config->callers, x->granted, x->options ? x->allow : NULL,
                   out + EXCHANGE_OWN);
    LOG(x->config->log, LEVEL_DEBUG, log_text("event", "request"),
        log_text("method", x->head->method), log_text("uri", x->head->target),
        log_int("status", call->status), log_int("bytes", (int64_t)call->out_len));
}

const char *exchange_text(struct exchange *x, size_t *len)
{
    struct header header[EXCHANGE_HEADERS];
    const struct call *call = &x->call;
    x->last = true;
    exchange_answer(x, header);
    char *text = arena_printf(x->arena, "HTTP/1.1 %d Refused\r\nContent-Length: %zu\r\n",
                              call->status, call->out_len);
    for (int i = 0; i < EXCHANGE_HEADERS; i++)
        if (header[i].value)
            text = arena_printf(x->arena, "%s%s: %s\r\n", text, header[i].name, header[i].value);
    text = arena_printf(x->arena, "%s\r\n%.*s", text,
                        strcmp(x->head->method, "HEAD") ? (int)call->out_len : 0, call->out);
    *len = strlen(text);
    return text;
}
