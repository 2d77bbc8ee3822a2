// SPDX-License-Identifier: MIT
// Who may call: one row for every kind of caller there is, and what it gets.

#include "server/http/origin.h"

#include "server/http/exchange.h"
#include "tests/harness.h"
#include "api/views/problem.h"

#include <string.h>

// ---- Servers: how they were started, and what they listen on ----

enum {
    LOCAL,
    SIX,
    NAMED,
    LAN,
    EVERY,
    EVERY_SIX,
    PROXY,
    BELOW,
    STRICT,
    BLIND,
    CORS,
    OPEN,
    N_SERVER
};

static const struct {
    const char *flag[4];
    const char *ip;
} servers[N_SERVER] = {
    [LOCAL] = {{"--listen=127.0.0.1:8080"}, "127.0.0.1"},
    [SIX] = {{"--listen=[::1]:8080"}, "::1"},
    [NAMED] = {{"--listen=box.lan:8080", "--insecure-listen"}, "192.168.1.7"},
    [LAN] = {{"--listen=192.168.1.7:8080", "--insecure-listen"}, "192.168.1.7"},
    [EVERY] = {{"--listen=0.0.0.0:8080", "--insecure-listen"}, "0.0.0.0"},
    [EVERY_SIX] = {{"--listen=[::]:8080", "--insecure-listen"}, "::"},
    [PROXY] = {{"--allowed-host=ml.example.org", "--allowed-host", "10.0.0.9,2001:db8::9"},
               "127.0.0.1"},
    [BELOW] = {{"--allowed-host=.example.org"}, "127.0.0.1"},
    [STRICT] = {{"--allowed-host=*.example.org"}, "127.0.0.1"},
    [BLIND] = {{"--allowed-host=*"}, "127.0.0.1"},
    [CORS] = {{"--cors-origin=http://localhost:3000,https://App.Example.org:443",
               "--allowed-host=ml.example.org"},
              "127.0.0.1"},
    [OPEN] = {{"--cors-origin=*"}, "127.0.0.1"},
};

static void start(struct settings *s, struct address *bound, int which)
{
    char *argv[6] = {"mlpd"};
    int n = 1;
    struct err e = {0};
    for (; n < 5 && servers[which].flag[n - 1]; n++)
        argv[n] = (char *)servers[which].flag[n - 1];
    ck_assert_msg(settings_read(s, n, argv, &e), "%s", e.text);
    *bound = s->address;
    strcpy(bound->ip, servers[which].ip);
}

// ---- Callers ----

struct caller {
    int server;
    const char *method, *host, *origin, *site, *mode, *type;
    const char *more_name, *more, *also_name, *also;
    int status;
};

static void add(struct head *h, const char *name, const char *value)
{
    struct err e = {0};
    if (value)
        ck_assert(head_add(h, name, value, &e));
}

static struct head head_of(const struct caller *c)
{
    struct head h = {.method = c->method, .version = "HTTP/1.1"};
    add(&h, "Host", c->host);
    add(&h, "Origin", c->origin);
    add(&h, "Sec-Fetch-Site", c->site);
    add(&h, "Sec-Fetch-Mode", c->mode);
    add(&h, "Content-Type", c->type);
    if (c->more)
        add(&h, c->more_name, c->more);
    if (c->also)
        add(&h, c->also_name, c->also);
    return h;
}

#define ME "127.0.0.1:8080"
#define MINE "http://127.0.0.1:8080"
#define EVIL "http://evil.example"
#define PORT3 "http://localhost:3000"
#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"
#define PARTS "multipart/form-data; boundary=x"
#define MORE(name, value) .more_name = name, .more = value
#define ALSO(name, value) .also_name = name, .also = value
#define FIREFOX "Mozilla/5.0 (X11; Linux x86_64; rv:60.0) Gecko/20100101 Firefox/60.0"
#define HTML "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

static const struct caller callers[] = {
    // Programs
    {LOCAL, "GET", ME, .status = 200},
    {LOCAL, "HEAD", ME, .status = 200},
    {LOCAL, "OPTIONS", ME, .status = 200},
    {LOCAL, "POST", ME, .status = 200},
    {LOCAL, "POST", ME, .type = FORM, .status = 200}, // curl -d
    {LOCAL, "POST", ME, .type = FORM, MORE("User-Agent", "curl/7.88.1"), ALSO("Accept", "*/*"),
     .status = 200},
    {LOCAL, "POST", ME, .type = PARTS, .status = 200}, // curl -F
    {LOCAL, "POST", ME, .type = "text/plain", .status = 200},
    {LOCAL, "POST", ME, .type = JSON, .status = 200},
    {LOCAL, "POST", ME, .type = "text/csv", .status = 200},
    {LOCAL, "DELETE", ME, .status = 200},
    {LOCAL, "PUT", ME, .type = FORM, .status = 200},
    {LOCAL, "GET", NULL, .status = 200}, // HTTP/1.0
    {LOCAL, "POST", NULL, .type = FORM, .status = 200},
    // PowerShell, Java
    {LOCAL, "POST", ME, .type = FORM,
     MORE("User-Agent", "Mozilla/5.0 (Windows NT; Windows NT 10.0) WindowsPowerShell/5.1"),
     .status = 200},
    {LOCAL, "POST", ME, .type = FORM, MORE("User-Agent", "Java/17.0.2"),
     ALSO("Accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"), .status = 200},

    // Hosts
    {LOCAL, "GET", "localhost", .status = 200},
    {LOCAL, "GET", "localhost:8080", .status = 200},
    {LOCAL, "GET", "LocalHost:9", .status = 200}, // a forwarded port
    {LOCAL, "GET", "localhost.:8080", .status = 200},
    {LOCAL, "GET", "ml.localhost:8080", .status = 200},
    {LOCAL, "GET", "127.9.9.9", .status = 200},
    {LOCAL, "GET", "[::1]:8080", .status = 200},
    {LOCAL, "GET", "[::ffff:127.0.0.1]", .status = 200},
    {LOCAL, "GET", "evil.example:8080", .status = 421},
    {LOCAL, "HEAD", "evil.example", .status = 421},
    {LOCAL, "OPTIONS", "evil.example", .status = 421},
    {LOCAL, "DELETE", "evil.example", .status = 421},
    {LOCAL, "POST", "evil.example", .type = JSON, .status = 421},
    {LOCAL, "GET", "127.0.0.1.evil.example", .status = 421},
    {LOCAL, "GET", "localhost.evil.example", .status = 421},
    {LOCAL, "GET", "evillocalhost", .status = 421},
    {LOCAL, "GET", "localhost..", .status = 421},
    {LOCAL, "GET", "192.168.1.7:8080", .status = 421},
    {LOCAL, "GET", "0.0.0.0:8080", .status = 421}, // reaches loopback on Linux
    {LOCAL, "GET", "128.0.0.1", .status = 421},
    {LOCAL, "GET", "[::2]", .status = 421},
    {LOCAL, "GET", "[::ffff:128.0.0.1]", .status = 421},
    {LOCAL, "GET", "", .status = 421},
    {LOCAL, "GET", "user@localhost", .status = 421},
    {LOCAL, "GET", "localhost, evil.example", .status = 421},
    {LOCAL, "GET", "localhost/x", .status = 421},
    {LOCAL, "GET", "localhost:80x", .status = 421},
    {LOCAL, "GET", "[::1", .status = 421},
    {SIX, "GET", "[0:0:0:0:0:0:0:1]:8080", .status = 200},
    {SIX, "GET", "[fe80::1]:8080", .status = 421},
    {NAMED, "GET", "box.lan:8080", .status = 200},
    {NAMED, "GET", "BOX.LAN", .status = 200},
    {NAMED, "GET", "192.168.1.7:8080", .status = 200},
    {NAMED, "GET", "box", .status = 421},
    {NAMED, "GET", "192.168.1.8:8080", .status = 421},
    {LAN, "GET", "192.168.1.7:8080", .status = 200},
    {LAN, "GET", "localhost:8080", .status = 200}, // a published port of a container
    {LAN, "GET", "192.168.1.8:8080", .status = 421},
    {LAN, "GET", "box.lan:8080", .status = 421},
    {EVERY, "GET", "10.1.2.3:8080", .status = 200},
    {EVERY, "GET", "[2001:db8::1]:8080", .status = 200},
    {EVERY, "GET", "evil.example:8080", .status = 421},
    {EVERY, "GET", "2130706433", .status = 421}, // a name to us; browsers write it out
    {EVERY_SIX, "GET", "10.1.2.3:8080", .status = 200},
    {EVERY_SIX, "GET", "box.lan:8080", .status = 421},
    {PROXY, "POST", "ml.example.org", .type = FORM, .status = 200}, // curl -H 'Host: ...' -d
    {PROXY, "GET", "ML.example.org.:443", .status = 200},
    {PROXY, "GET", "10.0.0.9", .status = 200},
    {PROXY, "GET", "[2001:db8::9]:8080", .status = 200},
    {PROXY, "GET", "localhost", .status = 200},
    {PROXY, "GET", "example.org", .status = 421},
    {PROXY, "GET", "a.ml.example.org", .status = 421},
    {BELOW, "GET", "example.org", .status = 200},
    {BELOW, "GET", "a.b.example.org", .status = 200},
    {BELOW, "GET", "badexample.org", .status = 421},
    {STRICT, "GET", "a.example.org", .status = 200},
    {STRICT, "GET", "example.org", .status = 421},
    {BLIND, "GET", "whatever.example", .status = 200},
    {BLIND, "GET", "10.9.9.9", .status = 200},

    // Pages of our own
    {LOCAL, "POST", ME, MINE, .type = JSON, .status = 200},
    {LOCAL, "POST", ME, MINE, "same-origin", "cors", JSON, .status = 200},
    {LOCAL, "POST", ME, MINE, "same-origin", "navigate", FORM, .status = 200},
    {LOCAL, "POST", ME, NULL, "same-origin", "cors", JSON, .status = 200},
    {LOCAL, "POST", ME, NULL, "same-origin", "navigate", FORM, .status = 200},
    {LOCAL, "POST", ME, MINE, .type = FORM, MORE("User-Agent", FIREFOX), ALSO("Accept", HTML),
     .status = 200},
    {LOCAL, "GET", ME, NULL, "same-origin", "cors", .status = 200},
    {LOCAL, "GET", ME, NULL, "same-origin", "no-cors", .status = 200},
    {LOCAL, "POST", ME, MINE, "none", "navigate", FORM, .status = 200},
    {LOCAL, "DELETE", "localhost", "http://localhost", .status = 200},
    {LOCAL, "DELETE", "[::1]:8080", "http://[::1]:8080", .status = 200},
    {PROXY, "POST", "ml.example.org", "https://ml.example.org", "same-origin", "cors", JSON,
     .status = 200},
    {PROXY, "POST", "ml.example.org:443", "https://ml.example.org", .status = 200},
    {LOCAL, "POST", ME, .type = FORM, MORE("Referer", MINE "/jobs?x#y"), .status = 200},
    {LOCAL, "POST", ME, NULL, NULL, "navigate", FORM, MORE("Referer", MINE), .status = 200},

    // Pages of others that say so
    {LOCAL, "POST", ME, EVIL, .type = FORM, .status = 403},
    {LOCAL, "POST", ME, EVIL, .type = JSON, .status = 403},
    {LOCAL, "POST", ME, EVIL, .status = 403},
    {LOCAL, "GET", ME, EVIL, .status = 403},
    {LOCAL, "HEAD", ME, EVIL, .status = 403},
    {LOCAL, "OPTIONS", ME, EVIL, .status = 403}, // a preflight
    {LOCAL, "DELETE", ME, EVIL, .status = 403},
    {LOCAL, "POST", ME, "null", .type = FORM, .status = 403},
    {LOCAL, "GET", ME, "null", .status = 403},
    {LOCAL, "POST", ME, "", .status = 403},
    {LOCAL, "POST", ME, PORT3, .type = FORM, .status = 403}, // another local port
    {LOCAL, "POST", "localhost:8080", "http://localhost", .status = 403},
    {LOCAL, "POST", "localhost", "https://localhost:8080", .status = 403},
    {LOCAL, "POST", ME, "http://localhost:8080", .status = 403}, // another name for us
    {LOCAL, "POST", ME, "http://127.0.0.1:8080/", .status = 403},
    {LOCAL, "POST", ME, "127.0.0.1:8080", .status = 403},
    {LOCAL, "POST", ME, "http://127.0.0.1:8080@evil.example", .status = 403},
    {LOCAL, "POST", ME, "http://127.0.0.1:8080.evil.example", .status = 403},
    {LOCAL, "POST", ME, EVIL, "same-origin", "cors", JSON, .status = 403},
    {LOCAL, "POST", ME, MINE, .type = FORM, MORE("Origin", EVIL), .status = 403}, // two of them
    {LOCAL, "POST", NULL, MINE, .type = FORM, .status = 403},
    {PROXY, "POST", "ml.example.org", "https://example.org", .type = JSON, .status = 403},
    {LOCAL, "POST", "evil.example:8080", "http://evil.example:8080", "same-origin", "cors", JSON,
     .status = 421}, // DNS rebinding
    {LOCAL, "GET", "evil.example:8080", NULL, "same-origin", "cors", .status = 421},
    {EVERY, "GET", "evil.example:8080", NULL, "same-origin", "cors", .status = 421},

    // What current browsers say of their pages
    {LOCAL, "POST", ME, EVIL, "cross-site", "cors", "text/plain", .status = 403},
    {LOCAL, "POST", ME, "null", "cross-site", "navigate", FORM, .status = 403},
    {LOCAL, "POST", ME, NULL, "cross-site", "no-cors", FORM, .status = 403},
    {LOCAL, "POST", ME, NULL, "same-site", "navigate", FORM, .status = 403},
    {LOCAL, "POST", ME, PORT3, "same-site", "cors", JSON, .status = 403},
    {LOCAL, "POST", ME, NULL, "none", "navigate", FORM, .status = 403},
    {LOCAL, "POST", ME, NULL, "sideways", .status = 403},
    {LOCAL, "POST", ME, MINE, "cross-site", "cors", JSON, .status = 403}, // TLS beside us
    {LOCAL, "DELETE", ME, NULL, "cross-site", .status = 403},
    {LOCAL, "DELETE", ME, NULL, "same-site", .status = 403},
    {LOCAL, "DELETE", ME, NULL, "none", .status = 403},
    {LOCAL, "POST", ME, NULL, NULL, "no-cors", FORM, .status = 403},
    {LOCAL, "POST", ME, .type = FORM, MORE("Sec-Fetch-User", "?1"), .status = 403},
    {LOCAL, "GET", ME, NULL, "cross-site", "no-cors", .status = 403}, // a picture, a script
    {LOCAL, "GET", ME, NULL, "same-site", "no-cors", .status = 403},
    {LOCAL, "GET", ME, NULL, "cross-site", "cors", .status = 403},
    {LOCAL, "GET", ME, NULL, "none", "cors", .status = 403},
    {LOCAL, "POST", ME, NULL, "same-origin", MORE("Sec-Fetch-Site", "same-origin"), .status = 403},

    // Links and typed addresses
    {LOCAL, "GET", ME, NULL, "none", "navigate", .status = 200},
    {LOCAL, "GET", ME, NULL, "none", .status = 200},
    {LOCAL, "HEAD", ME, NULL, "none", "navigate", .status = 200},
    {LOCAL, "GET", ME, NULL, "cross-site", .status = 200},
    {LOCAL, "GET", ME, NULL, "cross-site", "navigate", .status = 200},
    {LOCAL, "GET", ME, NULL, "cross-site", "navigate", MORE("Sec-Fetch-Dest", "document"),
     ALSO("Referer", EVIL "/"), .status = 200},
    {LOCAL, "GET", ME, NULL, "same-site", "navigate", MORE("Sec-Fetch-Dest", "document"),
     .status = 200},
    {LOCAL, "GET", ME, NULL, "cross-site", "navigate", MORE("Sec-Fetch-Dest", "iframe"),
     .status = 403},
    {LOCAL, "GET", ME, MORE("Referer", EVIL "/"), .status = 200},
    {LOCAL, "GET", ME, MORE("User-Agent", FIREFOX), ALSO("Accept", HTML), .status = 200},

    // Forms from browsers that say nothing of the kind
    {LOCAL, "POST", ME, .type = FORM, MORE("Referer", EVIL "/x"), .status = 403},
    {LOCAL, "POST", ME, .type = PARTS, MORE("Referer", PORT3), .status = 403},
    {LOCAL, "POST", ME, .type = "Text/Plain;charset=utf-8", MORE("Referer", "about:blank"),
     .status = 403},
    {LOCAL, "POST", ME, MORE("Referer", EVIL "?" MINE "/"), .status = 403},
    {LOCAL, "POST", ME, .type = FORM, MORE("User-Agent", FIREFOX), ALSO("Accept", HTML),
     .status = 403},
    {LOCAL, "POST", ME, .type = PARTS, MORE("User-Agent", FIREFOX), ALSO("Accept", HTML),
     .status = 403},
    {LOCAL, "POST", ME, .type = "", MORE("User-Agent", FIREFOX), ALSO("Accept", HTML),
     .status = 403},
    {LOCAL, "POST", ME, .type = JSON, MORE("Content-Type", FORM), ALSO("Referer", EVIL),
     .status = 403},
    {LOCAL, "POST", ME, .type = FORM, MORE("Content-Type", JSON), ALSO("Referer", EVIL),
     .status = 403},
    {LOCAL, "POST", ME, .type = JSON, MORE("User-Agent", FIREFOX), ALSO("Accept", HTML),
     .status = 200}, // no form sends JSON
    {LOCAL, "POST", ME, .type = JSON, MORE("Referer", EVIL "/x"), .status = 200},

    // Pages that --cors-origin names
    {CORS, "POST", ME, PORT3, "same-site", "cors", JSON, .status = 200},
    {CORS, "POST", ME, PORT3, .type = FORM, .status = 200},
    {CORS, "GET", ME, PORT3, "cross-site", "cors", .status = 200},
    {CORS, "OPTIONS", ME, PORT3, "cross-site", "cors", .status = 200},
    {CORS, "DELETE", ME, "https://app.example.org", "cross-site", "cors", .status = 200},
    {CORS, "POST", ME, MINE, "same-origin", "cors", JSON, .status = 200},
    {CORS, "POST", ME, .type = FORM, MORE("Referer", PORT3 "/app"), .status = 200},
    {CORS, "POST", "ml.example.org", PORT3, "cross-site", "cors", JSON, .status = 200},
    {CORS, "GET", ME, "http://localhost:3001", .status = 403},
    {CORS, "GET", ME, "https://localhost:3000", .status = 403},
    {CORS, "GET", ME, "http://app.example.org:443", .status = 403},
    {CORS, "GET", ME, "https://app.example.org:8443", .status = 403},
    {CORS, "GET", ME, "https://a.app.example.org", .status = 403},
    {CORS, "GET", ME, EVIL, .status = 403},
    {CORS, "GET", ME, "null", .status = 403},
    {CORS, "GET", ME, NULL, "cross-site", "no-cors", .status = 403},
    {CORS, "GET", ME, PORT3, MORE("Origin", PORT3), .status = 403},
    {CORS, "GET", "evil.example", PORT3, "cross-site", "cors", .status = 421},
    {OPEN, "POST", ME, EVIL, "cross-site", "cors", JSON, .status = 200},
    {OPEN, "POST", ME, "null", "cross-site", "navigate", FORM, .status = 200},
    {OPEN, "GET", ME, NULL, "cross-site", "no-cors", .status = 403},
    {OPEN, "GET", "evil.example", EVIL, .status = 421},
};

LOOP_TEST(origin_answers_every_caller_as_its_row_says, sizeof callers / sizeof *callers)
{
    const struct caller *c = &callers[_i];
    struct settings s;
    struct address bound;
    struct err e = {0};
    struct head h = head_of(c);
    start(&s, &bound, c->server);
    const struct origin_policy p = {&s, &bound};
    bool admitted = origin_admits(&p, &h, &e);
    int status = admitted ? 200 : problem_of(e.kind)->status;
    ck_assert_msg(status == c->status, "row %d, %s of \"%s\" from \"%s\", %s: %d, not %d: %s", _i,
                  c->method, c->host ? c->host : "-", c->origin ? c->origin : "-",
                  c->site ? c->site : "-", status, c->status, e.text);
    ck_assert(admitted || strlen(e.text) > 20);
}

// ---- What is said, and to whom ----

static const struct {
    int server;
    const char *host, *origin, *says;
} refusals[] = {
    {LOCAL, "evil.example:8080", NULL, "\"evil.example\""},
    {LOCAL, "evil.example:8080", NULL, "--allowed-host"},
    {LOCAL, "a\xff", NULL, "names no host"},
    {LOCAL, ME, PORT3, "a page of http://localhost:3000 may not"},
    {LOCAL, ME, PORT3, "--cors-origin"},
    {LOCAL, ME, "null", "a page of another origin"},
    {LOCAL, ME, "http://\xff", "a page of another origin"},
};

LOOP_TEST(origin_names_the_flag_that_would_help, sizeof refusals / sizeof *refusals)
{
    const struct caller c = {
        .method = "GET", .host = refusals[_i].host, .origin = refusals[_i].origin};
    struct settings s;
    struct address bound;
    struct err e = {0};
    struct head h = head_of(&c);
    start(&s, &bound, refusals[_i].server);
    ck_assert(!origin_admits(&(struct origin_policy){&s, &bound}, &h, &e));
    ck_assert_msg(strstr(e.text, refusals[_i].says), "\"%s\" lacks \"%s\"", e.text,
                  refusals[_i].says);
}

TEST(origin_cuts_a_long_name_in_its_message)
{
    char name[300];
    const struct caller c = {.method = "GET", .host = name};
    struct settings s;
    struct address bound;
    struct err e = {0};
    memset(name, 'a', 250);
    name[250] = '\0';
    struct head h = head_of(&c);
    start(&s, &bound, LOCAL);
    ck_assert(!origin_admits(&(struct origin_policy){&s, &bound}, &h, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "--allowed-host and that name"));
}

static const struct {
    const char *authority, *host, *origin;
    int status;
} absolutes[] = {
    {"localhost:8080", "localhost:8080", NULL, 200},
    {"evil.example", "localhost", NULL, 421},
    {"localhost", "evil.example", NULL, 421},
    {"localhost", NULL, NULL, 200},
    {"localhost:8080", "127.0.0.1", "http://localhost:8080", 200},
    {"localhost:8080", "127.0.0.1", "http://127.0.0.1", 403},
};

// "GET http://localhost:8080/jobs": what stands there is who is asked, but Host is looked at, too.
LOOP_TEST(origin_looks_at_both_hosts_of_an_absolute_target, sizeof absolutes / sizeof *absolutes)
{
    const struct caller c = {
        .method = "GET", .host = absolutes[_i].host, .origin = absolutes[_i].origin};
    struct settings s;
    struct address bound;
    struct err e = {0};
    struct head h = head_of(&c);
    h.authority = absolutes[_i].authority;
    start(&s, &bound, LOCAL);
    bool admitted = origin_admits(&(struct origin_policy){&s, &bound}, &h, &e);
    ck_assert_int_eq(admitted ? 200 : problem_of(e.kind)->status, absolutes[_i].status);
}

static const struct {
    int server;
    const char *origin, *granted, *vary;
} grants[] = {
    {LOCAL, NULL, NULL, NULL},
    {LOCAL, MINE, NULL, NULL},
    {CORS, NULL, NULL, "Origin"},
    {CORS, MINE, NULL, "Origin"},
    {CORS, PORT3, PORT3, "Origin"},
    {CORS, "https://app.example.org", "https://app.example.org", "Origin"},
    {CORS, EVIL, NULL, "Origin"},
    {OPEN, EVIL, "*", NULL},
    {OPEN, "null", "*", NULL},
    {OPEN, NULL, NULL, NULL},
};

static const char *value(const struct header *all, const char *name)
{
    for (int i = 0; i < ORIGIN_HEADERS; i++)
        if (all[i].name && !strcmp(all[i].name, name))
            return all[i].value;
    ck_abort_msg("no row for %s", name);
    return NULL;
}

LOOP_TEST(origin_grants_reading_to_listed_pages_only, sizeof grants / sizeof *grants)
{
    const struct caller c = {.method = "GET", .host = ME, .origin = grants[_i].origin};
    struct settings s;
    struct address bound;
    struct header out[ORIGIN_HEADERS];
    struct head h = head_of(&c);
    start(&s, &bound, grants[_i].server);
    const struct origin_policy p = {&s, &bound};
    const char *granted = origin_granted(&p, &h);
    ck_assert_pstr_eq(granted, grants[_i].granted);
    for (int options = 0; options < 2; options++) {
        bool asked = granted && options;
        origin_headers(&p, granted, options ? "GET, OPTIONS" : NULL, out);
        ck_assert_pstr_eq(value(out, "Access-Control-Allow-Origin"), granted);
        ck_assert_pstr_eq(value(out, "Vary"), grants[_i].vary);
        ck_assert_pstr_eq(value(out, "Access-Control-Allow-Methods"),
                          asked ? "GET, OPTIONS" : NULL);
        ck_assert_int_eq(value(out, "Access-Control-Allow-Headers") != NULL, asked);
        ck_assert_int_eq(value(out, "Access-Control-Max-Age") != NULL, asked);
        ck_assert_int_eq(value(out, "Access-Control-Expose-Headers") != NULL, granted && !options);
        ck_assert_str_eq(value(out, "Cross-Origin-Resource-Policy"), "same-origin");
    }
}
