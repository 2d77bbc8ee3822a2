// SPDX-License-Identifier: MIT
#include "server/http/router.h"

#include "api/schema/rendering.h"
#include "api/schema/schema.h"
#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static const struct rendering json = {.name = "json"}, svg = {.name = "svg"};
static const struct rendering *const forms[] = {&json, &svg, NULL};
struct asked {
    const char *wait, *fields, *name;
};
static const struct field show_fields[] = {
    STRING("wait", struct asked, wait), STRING("fields", struct asked, fields, .max = 10), {0}};
static const struct schema show_query = {.field = show_fields, .size = sizeof(struct asked)};
static const struct field upload_fields[] = {STRING("name", struct asked, name, .required = true),
                                             {0}};
static const struct schema upload_query = {.field = upload_fields, .size = sizeof(struct asked)};

static const struct route rows[] = {
    {.method = GET, .path = "/", .id = "home"},
    {.method = GET, .path = "/jobs", .id = "list"},
    {.method = POST, .path = "/jobs", .id = "create"},
    {.method = GET, .path = "/jobs/{id}", .id = "show", .query = &show_query},
    {.method = PATCH, .path = "/jobs/{id}", .id = "change"},
    {.method = GET, .path = "/jobs/latest", .id = "latest"},
    {.method = POST, .path = "/jobs/{id}/cancel", .id = "cancel"},
    {.method = GET, .path = "/jobs/{id}/curve", .id = "curve", .rendering = forms},
    {.method = GET, .path = "/jobs/{id}/curve/shape", .id = "shape"},
    {.method = GET, .path = "/models/active", .id = "active"},
    {.method = GET, .path = "/models/{name}", .id = "model"},
    {.method = PUT, .path = "/models/{name}/aliases/{alias}", .id = "alias"},
    {.method = POST, .path = "/datasets", .id = "upload", .query = &upload_query},
};
static const struct router router = {rows, sizeof rows / sizeof *rows};

// The row for a request, or NULL with the error in e; t and its captures live in a.
static const struct route *find(const char *method, const char *uri, struct target *t,
                                struct router_match *match, struct arena *a, struct err *e)
{
    *e = (struct err){0};
    arena_init(a, 1 << 20);
    if (!target_parse(t, uri, a, e))
        return NULL;
    return router_find(&router, router_method(method), t, match, e);
}

static const struct {
    const char *method, *uri, *id, *first, *second;
    const struct rendering *suffix;
} good[] = {
    {"GET", "/", "home", NULL, NULL, NULL},
    {"GET", "/?x=/jobs", "home", NULL, NULL, NULL},
    {"GET", "/jobs", "list", NULL, NULL, NULL},
    {"GET", "/jobs?", "list", NULL, NULL, NULL},
    {"POST", "/jobs?dry_run=true", "create", NULL, NULL, NULL},
    {"GET", "/jobs/17", "show", "17", NULL, NULL},
    {"GET", "/jobs/17?a=b/c", "show", "17", NULL, NULL},
    {"GET", "/jobs/latest", "latest", NULL, NULL, NULL},
    {"GET", "/models/active", "active", NULL, NULL, NULL},
    {"GET", "/models/a", "model", "a", NULL, NULL},
    {"GET", "/jobs/late", "show", "late", NULL, NULL},
    {"PATCH", "/jobs/latest", "change", "latest", NULL, NULL},
    {"GET", "/%6aobs", "list", NULL, NULL, NULL},
    {"POST", "/jobs/3/cancel", "cancel", "3", NULL, NULL},
    {"GET", "/jobs/a+b%20c", "show", "a+b c", NULL, NULL},
    {"GET", "/jobs/...", "show", "...", NULL, NULL},
    {"GET", "/jobs/%c3%a9", "show", "\xc3\xa9", NULL, NULL},
    {"GET", "/jobs/{id}", "show", "{id}", NULL, NULL},
    {"PUT", "/models/m/aliases/a%3F", "alias", "m", "a?", NULL},
    {"GET", "/jobs/3/curve", "curve", "3", NULL, NULL},
    {"GET", "/jobs/3/curve.svg", "curve", "3", NULL, &svg},
    {"GET", "/jobs/3/curve.json?x=.svg", "curve", "3", NULL, &json},
    {"GET", "/jobs/3.svg/curve%2Esvg", "curve", "3.svg", NULL, &svg},
    {"GET", "/jobs/3/curve/shape", "shape", "3", NULL, NULL},
    {"GET", "/models/a.svg", "model", "a.svg", NULL, NULL},
};

LOOP_TEST(router_finds_the_row_of_method_and_path, sizeof good / sizeof *good)
{
    struct target t;
    struct arena a;
    struct err e;
    struct router_match match;
    const struct route *row = find(good[_i].method, good[_i].uri, &t, &match, &a, &e);
    ck_assert_msg(row != NULL, "%s: %s", good[_i].uri, e.text);
    ck_assert_str_eq(row->id, good[_i].id);
    ck_assert_pstr_eq(match.segment[0], good[_i].first);
    ck_assert_pstr_eq(match.segment[1], good[_i].second);
    ck_assert_ptr_eq(match.suffix, good[_i].suffix);
    arena_release(&a);
}

static const struct {
    const char *method, *uri;
    enum err_kind kind;
} bad[] = {
    {"GET", "/job", ERR_NOT_FOUND},
    {"GET", "/jobss", ERR_NOT_FOUND},
    {"GET", "/JOBS", ERR_NOT_FOUND},
    {"GET", "/jobs/", ERR_NOT_FOUND},
    {"GET", "//", ERR_NOT_FOUND},
    {"GET", "//jobs", ERR_NOT_FOUND},
    {"GET", "/jobs//cancel", ERR_NOT_FOUND},
    {"POST", "/jobs/3/cancel/now", ERR_NOT_FOUND},
    {"POST", "/jobs/3/cance", ERR_NOT_FOUND},
    {"GET", "/1/2/3/4/5/6/7/8/9/10/11", ERR_NOT_FOUND},
    {"GET", "/jobs/3/curve.", ERR_NOT_FOUND},
    {"GET", "/jobs/3/curve.pdf", ERR_NOT_FOUND},
    {"GET", "/jobs/3/curve.SVG", ERR_NOT_FOUND},
    {"GET", "/jobs/3/curve.svg.svg", ERR_NOT_FOUND},
    {"GET", "/jobs/3/curvesvg", ERR_NOT_FOUND},
    {"GET", "/jobs/3/curve.svg/shape", ERR_NOT_FOUND},
    {"GET", "/jobs/3/curve/shape.svg", ERR_NOT_FOUND},
    {"GET", "/jobs.json", ERR_NOT_FOUND},
    {"DELETE", "/jobs/3/curve.pdf", ERR_NOT_FOUND},
    {"DELETE", "/jobs/3/curve.svg", ERR_METHOD},
    {"DELETE", "/jobs", ERR_METHOD},
    {"GET", "/jobs/3/cancel", ERR_METHOD},
    {"POST", "/", ERR_METHOD},
    {"get", "/jobs", ERR_METHOD},
    {"", "/jobs", ERR_METHOD},
    {"TRACE", "/jobs/latest", ERR_METHOD},
    {"GET", "", ERR_MALFORMED},
    {"GET", "jobs", ERR_MALFORMED},
    {"GET", "*", ERR_METHOD},
    {"GET", "http://x/jobs", ERR_MALFORMED},
    {"GET", "/jobs/..", ERR_MALFORMED},
    {"GET", "/./jobs", ERR_MALFORMED},
    {"GET", "/jobs/%2E", ERR_MALFORMED},
    {"GET", "/jobs/%2e.", ERR_MALFORMED},
    {"GET", "/jobs%2f3", ERR_MALFORMED},
    {"GET", "/jobs/%", ERR_MALFORMED},
    {"GET", "/jobs/%1", ERR_MALFORMED},
    {"GET", "/jobs/%1g", ERR_MALFORMED},
    {"GET", "/jobs/%g1", ERR_MALFORMED},
    {"GET", "/jobs/%00", ERR_MALFORMED},
    {"GET", "/jobs/%0a", ERR_MALFORMED},
    {"GET", "/jobs/%7F", ERR_MALFORMED},
    {"GET", "/jobs/a\tb", ERR_MALFORMED},
    {"GET", "/jobs/\xff", ERR_MALFORMED},
    {"GET", "/jobs/%ff", ERR_MALFORMED},
    {"GET", "/jobs/%c0%af", ERR_MALFORMED},
    {"GET", "/jobs?x=%", ERR_MALFORMED},
    {"GET", "/jobs?x=%00", ERR_MALFORMED},
    {"GET", "/jobs?x=%ed%a0%80", ERR_MALFORMED},
};

LOOP_TEST(router_refuses_what_only_resembles_a_row, sizeof bad / sizeof *bad)
{
    struct target t;
    struct arena a;
    struct err e;
    struct router_match match;
    ck_assert_ptr_null(find(bad[_i].method, bad[_i].uri, &t, &match, &a, &e));
    ck_assert_msg(e.kind == bad[_i].kind, "%s: %s", bad[_i].uri, e.text);
    arena_release(&a);
}

TEST(router_says_which_suffixes_a_path_may_have)
{
    struct target t;
    struct arena a;
    struct err e;
    struct router_match match;
    ck_assert_ptr_null(find("GET", "/jobs/3/curve.pdf", &t, &match, &a, &e));
    ck_assert_str_eq(e.text, "there is no such path; what follows the dot must be json or svg");
    arena_release(&a);
    ck_assert_ptr_null(
        find("GET", "/jobs.pdf", &t, &match, &a, &e)); // where a longer path has some
    ck_assert_str_eq(e.text, "there is no such path; /openapi.json lists those there are");
    arena_release(&a);
}

static const struct {
    const char *uri, *allow;
} allows[] = {
    {"/", "GET, HEAD, OPTIONS"},
    {"/jobs", "GET, HEAD, POST, OPTIONS"},
    {"/jobs/latest", "GET, HEAD, PATCH, OPTIONS"},
    {"/jobs/1/cancel", "POST, OPTIONS"},
    {"/jobs/1/curve.svg", "GET, HEAD, OPTIONS"},
    {"/jobs/1/curve.pdf", ""},
    {"/nothing", ""},
};

LOOP_TEST(router_lists_the_methods_of_a_path, sizeof allows / sizeof *allows)
{
    struct target t;
    struct arena a;
    struct err e = {0};
    char allow[ALLOW_TEXT];
    arena_init(&a, 1 << 20);
    ck_assert(target_parse(&t, allows[_i].uri, &a, &e));
    router_allow(&router, &t, allow);
    ck_assert_str_eq(allow, allows[_i].allow);
    arena_release(&a);
}

static const struct {
    const char *query, *name, *value;
} queries[] = {
    {"", "a", NULL},
    {"a=1", "a", "1"},
    {"a=1", "A", NULL},
    {"a", "a", ""},
    {"a=", "a", ""},
    {"a=1&b=2", "b", "2"},
    {"a=1&a=2", "a", "1"},
    {"&&a=1&&", "a", "1"},
    {"ab=1", "a", NULL},
    {"a=b=c", "a", "b=c"},
    {"a=x+y%2Bz", "a", "x y+z"},
    {"%61=1", "a", "1"},
    {"=1", "", "1"},
    {"b=a", "a", NULL},
    {"a=%26b%3d", "a", "&b="},
    {"x=?a=2&a=?", "a", "?"},
};

LOOP_TEST(router_reads_parameters, sizeof queries / sizeof *queries)
{
    struct target t;
    struct arena a;
    struct err e = {0};
    char uri[100];
    arena_init(&a, 1 << 20);
    snprintf(uri, sizeof uri, "/jobs?%s", queries[_i].query);
    ck_assert(target_parse(&t, uri, &a, &e));
    struct query_text text[QUERY_TEXTS];
    const char *value = NULL;
    for (size_t i = target_query(&t, text, QUERY_TEXTS, &a); i-- > 0;)
        if (strcmp(text[i].name, queries[_i].name) == 0)
            value = text[i].value;
    ck_assert_pstr_eq(value, queries[_i].value);
    arena_release(&a);
}

static const struct {
    const char *method, *uri, *says; // NULL: fine
} parameters[] = {
    {"GET", "/jobs/1?wait=3", NULL},
    {"GET", "/jobs/1?wait=3&fields", NULL},
    {"GET", "/jobs/1", NULL},
    {"GET", "/jobs/1?wiat=3", "did you mean \"wait\"?"},
    {"GET", "/jobs/1?zzzzzz=3", "query parameter \"zzzzzz\" is unknown"},
    {"GET", "/jobs/1?wait=3&fields=12345678901", "\"fields\" must be at most 10 bytes, got 11"},
    {"GET", "/jobs/1?wait=3&wait=3", "\"wait\" is given twice"},
    {"GET", "/jobs/1?a=1&b=2", "2 query parameters need attention"},
    {"GET", "/jobs/1?%2f~=1", "query parameter \"/~\" is unknown"},
    {"GET", "/jobs?wait=3", "query parameter \"wait\" is unknown"},
    {"POST", "/datasets?name=x", NULL},
    {"POST", "/datasets", "\"name\" must be given"},
    {"POST", "/datasets?nmae=x", "did you mean \"name\"?"},
};

LOOP_TEST(router_checks_parameters_against_the_row, sizeof parameters / sizeof *parameters)
{
    struct target t;
    struct arena a;
    struct err e;
    struct router_match match;
    const struct route *row = find(parameters[_i].method, parameters[_i].uri, &t, &match, &a, &e);
    ck_assert_ptr_nonnull(row);
    struct faults faults;
    faults_init(&faults, &a);
    const struct asked *asked = router_read_query(row, &t, &a, &faults, &e);
    ck_assert((asked != NULL) == !parameters[_i].says);
    ck_assert(faults.of_query == !asked);
    bool said = asked || strstr(e.text, parameters[_i].says);
    for (size_t i = 0; i < faults.n; i++)
        said |= strstr(faults.item[i].detail, parameters[_i].says) != NULL;
    ck_assert_msg(said, "%s", e.text);
    arena_release(&a);
}

LOOP_TEST(router_knows_its_methods_by_their_exact_name, METHOD_COUNT)
{
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    ck_assert_int_eq(router_method(names[_i]), _i);
    ck_assert_int_eq(router_method("GETX"), METHOD_COUNT);
}
