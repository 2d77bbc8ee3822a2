// SPDX-License-Identifier: MIT
// A browser on the machine of the daemon, with pages of strangers in it: what they send is replayed
// as browsers send it, and must neither change nor tell anything.

#include "tests/e2e/scene.h"

#include <stdlib.h>
#include <string.h>

#define JOB "{\"dataset\":\"iris\",\"target\":\"species\",\"name\":\"stolen\"}"
#define FORM "\nContent-Type: application/x-www-form-urlencoded"
#define TEXT "\nContent-Type: text/plain;charset=UTF-8"
#define EVIL "Origin: http://evil.example"
#define REBOUND "Host: evil.example:%1$d\nOrigin: http://evil.example:%1$d"
#define NEIGHBOUR "Origin: http://localhost:3000\nSec-Fetch-Site: same-site"

// DNS rebinding: evil.example has become 127.0.0.1, and its page speaks to its own server, as far
// as the browser can tell.
static const struct {
    const char *method, *path, *body, *headers;
    int status;
} strangers[] = {
    {"GET", "/jobs", NULL, "Host: evil.example:%1$d", 421},
    {"GET", "/datasets/iris", NULL, "Host: evil.example:%1$d\nSec-Fetch-Site: same-origin", 421},
    {"GET", "/models/iris/export", NULL, "Host: evil.example", 421},
    {"GET", "/no/such/path", NULL, "Host: evil.example", 421},
    {"DELETE", "/datasets/shop", NULL, REBOUND, 421},
    {"POST", "/jobs", JOB, REBOUND "\nContent-Type: application/json", 421},
    {"POST", "/jobs", JOB, REBOUND "\nSec-Fetch-Site: same-origin\nSec-Fetch-Mode: cors" TEXT, 421},
    {"POST", "/datasets?name=stolen", "a,b\n1,2\n", REBOUND "\nContent-Type: text/csv", 421},
    {"OPTIONS", "/jobs", NULL, REBOUND "\nAccess-Control-Request-Method: POST", 421},
    // A form, or a script, on a page of another port of this machine
    {"POST", "/jobs", JOB, NEIGHBOUR "\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document" FORM,
     403},
    {"POST", "/jobs", JOB, NEIGHBOUR "\nSec-Fetch-Mode: no-cors" TEXT, 403},
    {"POST", "/jobs", JOB, "Origin: http://localhost:3000" FORM, 403},
    {"POST", "/datasets?name=stolen", "a,b\n1,2\n", NEIGHBOUR FORM, 403},
    {"POST", "/jobs/1/cancel", "", NEIGHBOUR FORM, 403},
    {"GET", "/jobs", NULL, NEIGHBOUR "\nSec-Fetch-Mode: cors", 403},
    // Of another site, of a frame without an origin, and from a browser that says nothing
    {"POST", "/jobs", JOB, EVIL "\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors" TEXT, 403},
    {"POST", "/jobs", JOB, EVIL FORM, 403},
    {"POST", "/jobs", JOB, EVIL "\nContent-Type:", 403},
    {"POST", "/jobs", JOB, "Origin: null" FORM, 403},
    {"POST", "/jobs", JOB, "Referer: http://evil.example/page" FORM, 403},
    {"DELETE", "/datasets/shop", NULL, EVIL, 403},
    {"OPTIONS", "/datasets/shop", NULL, EVIL "\nAccess-Control-Request-Method: DELETE", 403},
    {"GET", "/models/iris/graph?format=svg", NULL,
     "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: image", 403},
};

LOOP_TEST(a_page_of_a_stranger_gets_nothing, sizeof strangers / sizeof *strangers)
{
    const char *body = strangers[_i].body;
    double last = number_at(http(scene(), "GET", "/jobs?limit=1", NULL), "/last_id");
    const struct reply *r =
        http_bytes(scene(), strangers[_i].method, strangers[_i].path, body, body ? strlen(body) : 0,
                   text(strangers[_i].headers, scene()->port));
    expect_status(r, strangers[_i].status);
    ck_assert_str_eq(r->media, "application/problem+json");
    ck_assert_str_eq(string_at(r, "/code"), r->status == 403 ? "forbidden" : "misdirected");
    ck_assert_str_eq(r->origin, "");
    ck_assert_str_eq(r->allow, "");
    expect_status(http(scene(), "GET", "/datasets/stolen", NULL), 404);
    expect_status(http(scene(), "GET", "/datasets/shop", NULL), 200);
    ck_assert_double_eq(number_at(http(scene(), "GET", "/jobs?limit=1", NULL), "/last_id"), last);
}

static const char *const visitors[] = {
    "Host: localhost",
    "Host: [::1]:8080",
    "Origin: http://127.0.0.1:%d\nSec-Fetch-Site: same-origin",
    "Sec-Fetch-Site: none\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document",
    "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document",
};

LOOP_TEST(who_means_this_server_is_answered, sizeof visitors / sizeof *visitors)
{
    const char *headers = text(visitors[_i], scene()->port);
    expect_status(http_bytes(scene(), "GET", "/models/iris", NULL, 0, headers), 200);
}

// ---- A page that was let in ----

#define APP "Origin: http://localhost:3000\nSec-Fetch-Site: same-site\nSec-Fetch-Mode: cors"

static void check_preflight(const struct daemon *d)
{
    const struct reply *r =
        http_bytes(d, "OPTIONS", "/datasets", NULL, 0,
                   APP "\nAccess-Control-Request-Method: POST"
                       "\nAccess-Control-Request-Headers: content-type,idempotency-key");
    expect_status(r, 204);
    ck_assert_str_eq(r->origin, "http://localhost:3000");
    ck_assert_str_eq(r->methods, "GET, HEAD, POST, OPTIONS");
    ck_assert_ptr_nonnull(strstr(r->headers, "Content-Type"));
    ck_assert_ptr_nonnull(strstr(r->headers, "Idempotency-Key"));
    r = http_bytes(d, "OPTIONS", "/datasets", NULL, 0, "Origin: http://localhost:3001");
    expect_status(r, 403);
    ck_assert_str_eq(r->origin, "");
}

static void check_requests(const struct daemon *d)
{
    const struct reply *r = http_bytes(d, "POST", "/datasets?name=app", "a,b\n1,2\n3,4\n", 12,
                                       APP "\nContent-Type: text/csv");
    expect_status(r, 201);
    ck_assert_str_eq(r->origin, "http://localhost:3000");
    ck_assert_ptr_nonnull(strstr(r->exposed, "Location"));
    r = http_bytes(d, "POST", "/jobs", "{", 1, APP "\nContent-Type: application/json");
    expect_status(r, 400); // which the page may read
    ck_assert_str_eq(r->origin, "http://localhost:3000");
    expect_status(http_bytes(d, "GET", "/datasets/app", NULL, 0, EVIL), 403);
    expect_status(http_bytes(d, "DELETE", "/datasets/app", NULL, 0, APP), 204);
}

TEST(a_page_that_is_named_may_call_and_a_host_that_is_named_is_served)
{
    struct daemon d;
    setenv("MLPD_CORS_ORIGIN", "http://localhost:3000", 1);
    setenv("MLPD_ALLOWED_HOST", "ml.example.org", 1);
    daemon_start(&d);
    unsetenv("MLPD_CORS_ORIGIN");
    unsetenv("MLPD_ALLOWED_HOST");
    check_preflight(&d);
    check_requests(&d);
    expect_status(
        http_bytes(&d, "POST", "/datasets?name=x", "a,b\n1,2\n3,4\n", 12, "Host: ml.example.org"),
        201); // curl -H 'Host: ...' --data-binary
    expect_status(http_bytes(&d, "GET", "/datasets/x", NULL, 0, "Host: example.org"), 421);
    daemon_end(&d);
}
