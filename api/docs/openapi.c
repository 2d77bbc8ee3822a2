// SPDX-License-Identifier: MIT
// A walk over the routes: see openapi.h. Routes of one path need not be neighbours; the first one
// prints its path's others too. Failures are grouped by status, because several kinds of error may
// share one.

#include "api/docs/openapi.h"

#include "api/json/jsonw.h"
#include "api/schema/rendering.h"
#include "api/views/problem.h"
#include "api/views/views.h"

#include <stdio.h>
#include <string.h>

// What a route may answer besides its own kinds: always (that a query has an unknown parameter,
// too), and when it takes a body.
static const enum err_kind common_fails[] = {ERR_MALFORMED,   ERR_INVALID, ERR_FORBIDDEN,
                                             ERR_MISDIRECTED, ERR_BUSY,    ERR_INTERNAL};
static const enum err_kind body_fails[] = {ERR_TOO_LARGE, ERR_UNSUPPORTED};

static const char *const method_word[METHOD_COUNT] = {
    [GET] = "get", [POST] = "post", [PUT] = "put", [PATCH] = "patch", [DELETE] = "delete"};

static void put_reference(struct jsonw *w, const char *key, const struct schema *s)
{
    char path[96];
    jsonw_object(w, key);
    if (s) {
        snprintf(path, sizeof path, "#/components/schemas/%s", s->name);
        jsonw_string(w, "$ref", path);
    }
    jsonw_end(w);
}

static void put_content(struct jsonw *w, const char *media, const struct schema *s)
{
    jsonw_object(w, media);
    put_reference(w, "schema", s);
    jsonw_end(w);
}

// Parameters

static void openapi_put_parameter(struct jsonw *w, const char *name, const char *in,
                                  const char *doc, bool required)
{
    jsonw_object(w, NULL);
    jsonw_string(w, "name", name);
    jsonw_string(w, "in", in);
    jsonw_bool(w, "required", required);
    if (doc)
        jsonw_string(w, "description", doc);
}

// The {segments} of a path: "id" is a number, anything else a name.
static void put_segments(struct jsonw *w, const char *path)
{
    char name[64];
    for (const char *p = path; (p = strchr(p, '{')); p++) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(p + 1, "}"), p + 1);
        openapi_put_parameter(w, name, "path", NULL, true);
        bool number = strcmp(name, "id") == 0;
        jsonw_object(w, "schema");
        jsonw_string(w, "type", number ? "integer" : "string");
        if (number)
            jsonw_int(w, "minimum", 1);
        jsonw_end(w);
        jsonw_end(w);
    }
}

// The suffix that chooses a form of the reply.
static void put_suffix(struct jsonw *w, const struct rendering *const *list, struct arena *a)
{
    const char *doc = "";
    for (size_t i = 0; list[i]; i++)
        doc = arena_printf(a, "%s%s%s: %s", doc, i ? " " : "", list[i]->name, list[i]->doc);
    openapi_put_parameter(w, "suffix", "path", doc, true);
    jsonw_object(w, "schema");
    jsonw_string(w, "type", "string");
    jsonw_array(w, "enum");
    for (size_t i = 0; list[i]; i++)
        jsonw_string(w, NULL, list[i]->name);
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
}

static void put_queries(struct jsonw *w, const struct route *r)
{
    for (const struct field *f = r->query ? r->query->field : NULL; f && f->key; f++) {
        openapi_put_parameter(w, f->key, "query", f->doc, f->required);
        schema_json_field(f, w, "schema");
        jsonw_end(w);
    }
}

static void put_body(struct jsonw *w, const struct route *r)
{
    if (r->body_kind == BODY_NONE)
        return;
    jsonw_object(w, "requestBody");
    jsonw_bool(w, "required", true);
    jsonw_object(w, "content");
    if (r->body_kind == BODY_JSON) {
        put_content(w, "application/json", r->body);
    } else if (r->body_kind == BODY_FILE) {
        put_content(w, "application/json", r->body);
        put_content(w, "application/octet-stream", NULL);
    } else {
        put_content(w, "text/csv", NULL);
        put_content(w, "application/octet-stream", NULL);
    }
    jsonw_end(w);
    jsonw_end(w);
}

// Responses

static bool openapi_lists(const enum err_kind *kind, size_t n, enum err_kind wanted)
{
    for (size_t i = 0; i < n; i++)
        if (kind[i] == wanted)
            return true;
    return false;
}

static bool may_fail(const struct route *r, enum err_kind kind)
{
    return openapi_lists(common_fails, sizeof common_fails / sizeof *common_fails, kind) ||
           openapi_lists(r->fails, ROUTE_FAILS, kind) ||
           (r->body_kind != BODY_NONE &&
            openapi_lists(body_fails, sizeof body_fails / sizeof *body_fails, kind));
}

// Whether an earlier kind of the route has the same status.
static bool status_printed(const struct route *r, int kind)
{
    for (int k = ERR_NONE + 1; k < kind; k++)
        if (may_fail(r, (enum err_kind)k) &&
            problem_of((enum err_kind)k)->status == problem_of((enum err_kind)kind)->status)
            return true;
    return false;
}

static void put_failure(struct jsonw *w, const struct problem *p)
{
    char status[8];
    snprintf(status, sizeof status, "%d", p->status);
    jsonw_object(w, status);
    jsonw_string(w, "description", p->title);
    jsonw_object(w, "content");
    put_content(w, "application/problem+json", &problem_view);
    jsonw_end(w);
    jsonw_end(w);
}

static void put_success(struct jsonw *w, const struct route *r, int number, const char *doc)
{
    char status[8];
    snprintf(status, sizeof status, "%d", number);
    jsonw_object(w, status);
    jsonw_string(w, "description", number == 204 ? "Done" : doc);
    if (number != 204) {
        jsonw_object(w, "content");
        if (!r->rendering)
            put_content(w, r->produces ? r->produces : "application/json", r->reply);
        for (size_t i = 0; r->rendering && r->rendering[i]; i++)
            put_content(w, r->rendering[i]->media, i ? NULL : r->reply);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static void put_responses(struct jsonw *w, const struct route *r)
{
    jsonw_object(w, "responses");
    put_success(w, r, r->status, r->doc);
    if (r->replay)
        put_success(w, r, 200, r->replay);
    for (int k = ERR_NONE + 1; k < ERR_KIND_COUNT; k++)
        if (may_fail(r, (enum err_kind)k) && !status_printed(r, k))
            put_failure(w, problem_of((enum err_kind)k));
    jsonw_end(w);
}

// Paths

static void put_operation(struct jsonw *w, const struct route *r, const char *id, bool suffix)
{
    jsonw_object(w, method_word[r->method]);
    jsonw_string(w, "operationId", id);
    jsonw_string(w, "summary", r->doc);
    jsonw_string(w, "x-scope", scope_table[r->scope].word);
    jsonw_array(w, "parameters");
    put_segments(w, r->path);
    if (suffix)
        put_suffix(w, r->rendering, w->arena);
    put_queries(w, r);
    jsonw_end(w);
    put_body(w, r);
    put_responses(w, r);
    jsonw_end(w);
}

// The path once more, with the suffix that chooses a form of its reply.
static void put_suffixed(struct jsonw *w, const struct route *r)
{
    jsonw_object(w, arena_printf(w->arena, "%s.{suffix}", r->path));
    put_operation(w, r, arena_printf(w->arena, "%s_as", r->id), true);
    jsonw_end(w);
}

static bool path_printed(const struct route *route, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(route[k].path, route[i].path) == 0)
            return true;
    return false;
}

static void put_paths(struct jsonw *w, const struct route *route, size_t n)
{
    jsonw_object(w, "paths");
    for (size_t i = 0; i < n; i++) {
        if (path_printed(route, i))
            continue;
        jsonw_object(w, route[i].path);
        for (size_t k = i; k < n; k++)
            if (strcmp(route[k].path, route[i].path) == 0)
                put_operation(w, &route[k], route[k].id, false);
        jsonw_end(w);
        for (size_t k = i; k < n; k++)
            if (route[k].rendering && strcmp(route[k].path, route[i].path) == 0)
                put_suffixed(w, &route[k]);
    }
    jsonw_end(w);
}

// The k-th schema a table of routes names, with the problem first; NULL where there is none.
static const struct schema *named(const struct route *route, size_t k)
{
    if (k == 0)
        return &problem_view;
    const struct route *r = &route[(k - 1) / 2];
    return k % 2 ? r->body : r->reply;
}

static void put_schemas(struct jsonw *w, const struct route *route, size_t n)
{
    jsonw_object(w, "schemas");
    for (size_t k = 0; k <= 2 * n; k++) {
        const struct schema *s = named(route, k);
        size_t before = 0;
        while (before < k && named(route, before) != s)
            before++;
        if (s && before == k)
            schema_json(s, w, s->name);
    }
    jsonw_end(w);
}

// What the routes' x-scope means.
static void put_scopes(struct jsonw *w)
{
    jsonw_object(w, "x-scopes");
    for (int i = SCOPE_NONE + 1; i < SCOPE_COUNT; i++)
        jsonw_string(w, scope_table[i].word, scope_table[i].doc);
    jsonw_end(w);
}

const char *openapi(const struct route *route, size_t n, struct arena *a, size_t *len,
                    struct err *e)
{
    struct jsonw w;
    jsonw_init(&w, a);
    jsonw_object(&w, NULL);
    jsonw_string(&w, "openapi", "3.1.0");
    jsonw_object(&w, "info");
    jsonw_string(&w, "title", "mlpd");
    jsonw_string(&w, "description", "Turns a table into a prediction endpoint.");
    jsonw_string(&w, "version", "1");
    jsonw_end(&w);
    put_scopes(&w);
    put_paths(&w, route, n);
    jsonw_object(&w, "components");
    put_schemas(&w, route, n);
    jsonw_end(&w);
    jsonw_end(&w);
    return jsonw_text(&w, len, e);
}
