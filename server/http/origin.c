// SPDX-License-Identifier: MIT
// Who may call: see origin.h.
//
// A request for a foreign host is answered 421, which says just this: it came to a server that does
// not answer for that host. So somebody whose proxy hands on a name we do not know is told apart
// from a page that is kept out (403), and so is the flag that helps. Neither answer depends on
// whether the path exists.
//
// That a caller is no browser is concluded from what it does not send. A program may send whatever
// it likes; the page in a browser has no say in these headers.

#include "server/http/origin.h"

#include "server/base/authority.h"

#include <string.h>
#include <strings.h>

enum { SHOWN = 100 }; // bytes of a name in a message

static const char *origin_value_of(const struct head *h, enum head_name i)
{
    return h->field[i].n ? h->field[i].value : "";
}

static bool origin_is(const struct head *h, enum head_name i, const char *value)
{
    return h->field[i].n == 1 && !strcasecmp(h->field[i].value, value);
}

// ---- Host ----

// On 0.0.0.0 every address of the machine is ours, also those that a router made up for it; that
// costs nothing, because rebinding takes a name.
static bool is_bound(const struct address *bound, const struct authority *host)
{
    struct authority given, ip;
    bool named = authority_read_host(&given, bound->host, strlen(bound->host)),
         numbered = authority_read_host(&ip, bound->ip, strlen(bound->ip));
    return (named && authority_same_host(&given, host)) ||
           (numbered && authority_same_host(&ip, host)) ||
           (numbered && authority_is_unspecified(&ip) && host->is_ip);
}

static bool is_allowed(const struct settings_list *allowed, const struct authority *host)
{
    for (size_t i = 0; i < allowed->n; i++)
        if (authority_matches_host(allowed->item[i].at, allowed->item[i].len, host))
            return true;
    return false;
}

static bool check_one(const struct origin_policy *p, const char *text, struct err *e)
{
    struct authority host;
    if (!text)
        return true;
    if (!authority_read(&host, text, strlen(text)))
        return fail(e, ERR_MISDIRECTED, "the Host header names no host");
    return authority_is_loopback(&host) || is_bound(p->bound, &host) ||
           is_allowed(&p->settings->allowed_host, &host) ||
           fail(e, ERR_MISDIRECTED,
                "this server is not known as \"%.*s\"; if it should be, start it with "
                "--allowed-host and that name",
                (int)(host.host_len < SHOWN ? host.host_len : SHOWN), host.host);
}

// Only HTTP/1.0 goes without a Host, and no browser speaks that. A target with a host of its own
// stands for Host, but no browser asks a server so: both must be ours.
static bool check_host(const struct origin_policy *p, const struct head *h, struct err *e)
{
    return check_one(p, h->authority, e) && check_one(p, h->field[HEAD_HOST].value, e);
}

// ---- The page ----

enum sender { UNSAID, OWN, LISTED, FOREIGN };

static enum sender sender_of(const struct origin_policy *p, const struct head *h, const char *text,
                             size_t len)
{
    const struct settings_list *listed = &p->settings->cors_origin;
    const char *name = head_host(h);
    struct authority origin, host;
    for (size_t i = 0; i < listed->n; i++)
        if (authority_matches_origin(listed->item[i].at, listed->item[i].len, text, len))
            return LISTED;
    bool own = name && authority_read_origin(&origin, text, len) &&
               authority_read(&host, name, strlen(name)) && authority_is_origin_of(&origin, &host);
    return own ? OWN : FOREIGN;
}

static enum sender by_origin(const struct origin_policy *p, const struct head *h)
{
    const char *text = origin_value_of(h, HEAD_ORIGIN);
    int n = h->field[HEAD_ORIGIN].n;
    return n > 1 ? FOREIGN : n ? sender_of(p, h, text, strlen(text)) : UNSAID;
}

// The origin in a Referer is what stands before its path.
static enum sender by_referer(const struct origin_policy *p, const struct head *h)
{
    const char *text = origin_value_of(h, HEAD_REFERER), *mark = strstr(text, "://");
    size_t skip = mark ? (size_t)(mark + 3 - text) : 0;
    return *text ? sender_of(p, h, text, skip + strcspn(text + skip, "/?#")) : UNSAID;
}

// ---- What it does ----

static bool reads(const char *method)
{
    return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "OPTIONS");
}

// A link that somebody follows, or an address that is typed: what comes back is shown to them, and
// the page that had the link sees nothing of it.
static bool is_visit(const struct head *h)
{
    return reads(h->method) && (!h->field[HEAD_MODE].n || origin_is(h, HEAD_MODE, "navigate")) &&
           (!h->field[HEAD_DEST].n || origin_is(h, HEAD_DEST, "document"));
}

// What a form can send, and a script without asking first. For other methods and types a browser
// asks by OPTIONS, and gets no.
static bool is_form(const struct head *h)
{
    static const char *const types[] = {"", "application/x-www-form-urlencoded",
                                        "multipart/form-data", "text/plain"};
    const char *type = origin_value_of(h, HEAD_TYPE);
    size_t len = strcspn(type, "; \t");
    bool sends = h->field[HEAD_TYPE].n > 1;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        sends |= strlen(types[i]) == len && !strncasecmp(types[i], type, len);
    return sends && !strcmp(h->method, "POST");
}

// Some Sec-Fetch-* header, of those that there are and those to come.
static bool has_fetch(const struct head *h)
{
    static const char start[] = "Sec-Fetch-";
    for (size_t i = 0; i < h->n_line; i++)
        if (!strncasecmp(h->line[i].name, start, strlen(start)))
            return true;
    return false;
}

// Programs that call themselves "Mozilla" do not ask for HTML, programs that ask for HTML do not
// call themselves that; browsers do both when a form is sent.
static bool is_like_a_browser(const struct head *h)
{
    static const char browser[] = "Mozilla/";
    return has_fetch(h) ||
           (!strncasecmp(origin_value_of(h, HEAD_AGENT), browser, strlen(browser)) &&
            strcasestr(origin_value_of(h, HEAD_ACCEPT), "text/html"));
}

// A form from a browser that says neither Origin nor Sec-Fetch-Site.
static bool is_old_form(const struct origin_policy *p, const struct head *h)
{
    enum sender page = by_referer(p, h);
    return is_form(h) && (page == FOREIGN || (page == UNSAID && is_like_a_browser(h)));
}

// ---- Together ----

static bool refuse_page(const char *origin, struct err *e)
{
    struct authority a;
    size_t len = strlen(origin);
    bool shown = len <= SHOWN && authority_read_origin(&a, origin, len);
    return fail(e, ERR_FORBIDDEN,
                "%s%s may not call this server; --cors-origin names those that may",
                shown ? "a page of " : "a page of another origin", shown ? origin : "");
}

bool origin_admits(const struct origin_policy *p, const struct head *h, struct err *e)
{
    if (!check_host(p, h, e))
        return false;
    enum sender page = by_origin(p, h);
    bool visit = is_visit(h), said = h->field[HEAD_SITE].n;
    bool here = origin_is(h, HEAD_SITE, "same-origin"), user = origin_is(h, HEAD_SITE, "none");
    const struct {
        bool wrong;
        const char *why;
    } rules[] = {
        {said && !here && !user && !visit && page != LISTED,
         "a page of another site or port may not call this server; --cors-origin names those that "
         "may"},
        {user && !visit && page == UNSAID,
         "addresses of this server may be opened in a browser, but only a page of its own may send "
         "something"},
        {!said && page == UNSAID && is_old_form(p, h),
         "a form in a browser may not change anything here; send application/json"},
    };
    if (page == FOREIGN)
        return refuse_page(origin_value_of(h, HEAD_ORIGIN), e);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].wrong)
            return fail(e, ERR_FORBIDDEN, "%s", rules[i].why);
    return true;
}

// ---- The answer ----

static bool lists_any(const struct settings_list *origins)
{
    for (size_t i = 0; i < origins->n; i++)
        if (origins->item[i].len == 1 && *origins->item[i].at == '*')
            return true;
    return false;
}

const char *origin_granted(const struct origin_policy *p, const struct head *h)
{
    if (by_origin(p, h) != LISTED)
        return NULL;
    return lists_any(&p->settings->cors_origin) ? "*" : origin_value_of(h, HEAD_ORIGIN);
}

// Sec-Fetch-* comes to loopback and TLS only. Elsewhere the policy of resources keeps other sites
// from showing an answer as a picture or running it as a script, which asks nobody. Nothing that we
// send loads or runs anything; the picture of a graph has a style. No credentials are allowed to
// pages because there are none.
void origin_headers(const struct origin_policy *p, const char *granted, const char *methods,
                    struct header out[ORIGIN_HEADERS])
{
    const struct settings_list *origins = &p->settings->cors_origin;
    bool asked = granted && methods;
    const struct header header[ORIGIN_HEADERS] = {
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
        {"Vary", origins->n && !lists_any(origins) ? "Origin" : NULL},
        {"Access-Control-Allow-Origin", granted},
        {"Access-Control-Expose-Headers",
         granted && !methods ? "Location, Retry-After, Idempotent-Replayed" : NULL},
        {"Access-Control-Allow-Methods", asked ? methods : NULL},
        {"Access-Control-Allow-Headers", asked ? "Content-Type, Idempotency-Key" : NULL},
        {"Access-Control-Max-Age", asked ? "7200" : NULL},
    };
    memcpy(out, header, sizeof header);
}
