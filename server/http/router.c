// SPDX-License-Identifier: MIT
// The router: see router.h. Segments are split at slashes first and decoded afterwards, so an
// encoded slash can never become structure. A URI is checked as a whole before anything is taken
// from it; decoding a part of it later cannot fail. Rows are tried one after the other: for a table
// of some thirty rows that is a few hundred byte comparisons.

#include "server/http/router.h"

#include "api/json/json_text.h"
#include "api/schema/rendering.h"
#include "api/schema/schema.h"

#include <stdio.h>
#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The byte that the escape at s stands for; -1 when it is none.
static int escaped(const char *s)
{
    int hi = hex(s[1]), lo = hi < 0 ? -1 : hex(s[2]);
    return lo < 0 ? -1 : hi * 16 + lo;
}

// Decode len bytes; the text has passed check_text().
static char *router_decode(struct arena *a, const char *s, size_t len, char plus)
{
    char *out = arena_need(a, len + 1, 1), *to = out;
    for (const char *end = s + len; s < end; s++) {
        if (*s == '%') {
            *to++ = (char)escaped(s);
            s += 2;
        } else {
            *to++ = *s == '+' ? plus : *s;
        }
    }
    *to = '\0';
    return out;
}

static bool check_escapes(const char *uri, struct err *e)
{
    for (const char *p = uri; (p = strchr(p, '%')); p++) {
        int byte = escaped(p);
        if (byte < 0)
            return fail(e, ERR_MALFORMED, "the URI has a \"%%\" without two hexadecimal digits");
        if (byte < ' ' || byte == 0x7f)
            return fail(e, ERR_MALFORMED, "the URI has an encoded control character");
    }
    return true;
}

static bool check_text(const char *uri, struct arena *a, struct err *e)
{
    if (*uri != '/')
        return fail(e, ERR_MALFORMED, "the request's target must be a path that starts with \"/\"");
    if (!check_escapes(uri, e))
        return false;
    size_t step;
    for (const char *p = router_decode(a, uri, strlen(uri), '+'); *p; p += step) {
        step = utf8_length(p);
        if (!step)
            return fail(e, ERR_MALFORMED, "the URI is not valid UTF-8");
        if (*p < ' ' && step == 1)
            return fail(e, ERR_MALFORMED, "the URI has a control character");
    }
    return true;
}

static bool add_segment(struct target *t, const char *s, size_t len, struct arena *a, struct err *e)
{
    char *text = router_decode(a, s, len, '+');
    if (!strcmp(text, ".") || !strcmp(text, "..") || strchr(text, '/'))
        return fail(e, ERR_MALFORMED, "the path has a \"%s\" segment", text);
    if (t->n < TARGET_DEPTH)
        t->segment[t->n++] = text;
    else
        t->n = TARGET_DEPTH + 1;
    return true;
}

// An empty segment is deeper than any route: "/jobs/" and "//jobs" are not "/jobs".
bool target_parse(struct target *t, const char *uri, struct arena *a, struct err *e)
{
    *t = (struct target){.query = "", .any = !strcmp(uri, "*")};
    if (t->any)
        return true;
    if (!check_text(uri, a, e))
        return false;
    const char *end = uri + strcspn(uri, "?");
    if (*end)
        t->query = end + 1;
    if (end == uri + 1)
        return true;
    for (const char *s = uri; s < end;) {
        size_t len = strcspn(++s, "/?");
        if (!len)
            t->n = TARGET_DEPTH + 1;
        else if (!add_segment(t, s, len, a, e))
            return false;
        s += len;
    }
    return true;
}

// The next parameter of a query: its name and value, both encoded. NULL at the end.
static const char *next_parameter(const char *q, size_t *name, const char **value, size_t *len)
{
    q += strspn(q, "&");
    if (!*q)
        return NULL;
    size_t whole = strcspn(q, "&");
    const char *equals = memchr(q, '=', whole);
    *name = equals ? (size_t)(equals - q) : whole;
    *value = equals ? equals + 1 : q + whole;
    *len = (size_t)(q + whole - *value);
    return q;
}

size_t target_query(const struct target *t, struct query_text *out, size_t max, struct arena *a)
{
    size_t name_len, len, n = 0;
    const char *value;
    for (const char *q = t->query; (q = next_parameter(q, &name_len, &value, &len));
         q = value + len, n++)
        if (n < max)
            out[n] = (struct query_text){router_decode(a, q, name_len, ' '),
                                         router_decode(a, value, len, ' ')};
    return n;
}

// Whether what follows the last word of a path is a suffix that names a form of the row's reply.
static bool router_suffix(const struct route *row, const char *rest, struct router_match *m)
{
    if (!row->rendering || *rest != '.')
        return false;
    m->suffix = rendering_find(row->rendering, rest + 1);
    m->suffixes = m->suffix ? NULL : row->rendering;
    return m->suffix;
}

// Whether the row's path fits.
static bool router_matches(const struct route *row, const struct target *t, struct router_match *m)
{
    const char *p = row->path;
    *m = (struct router_match){.n_segment = 0};
    if (t->any || t->n > TARGET_DEPTH)
        return t->any;
    for (size_t i = 0; i < t->n; i++) {
        if (*p != '/')
            return false;
        size_t len = strcspn(++p, "/");
        if (*p == '{') {
            BUG(m->n_segment == ROUTE_SEGMENTS);
            m->segment[m->n_segment++] = t->segment[i];
        } else if (strncmp(p, t->segment[i], len)) {
            return false;
        } else {
            const char *rest = t->segment[i] + len;
            if (*rest && (i + 1 < t->n || p[len] || !router_suffix(row, rest, m)))
                return false;
        }
        p += len;
    }
    return !*p || (!t->n && !strcmp(p, "/"));
}

static void router_refuse(bool path_exists, const struct rendering *const *suffixes, struct err *e)
{
    char words[RENDERING_WORDS];
    if (path_exists)
        fail(e, ERR_METHOD, "this path does not take that method; Allow lists those it takes");
    else if (suffixes)
        fail(e, ERR_NOT_FOUND, "there is no such path; what follows the dot must be %s",
             rendering_names(suffixes, words));
    else
        fail(e, ERR_NOT_FOUND, "there is no such path; /openapi.json lists those there are");
}

const struct route *router_find(const struct router *r, enum method method, const struct target *t,
                                struct router_match *match, struct err *e)
{
    const struct route *best = NULL; // "*" has methods, but no row
    const struct rendering *const *suffixes = NULL;
    struct router_match m;
    bool path_exists = false;
    for (size_t i = 0; i < r->n; i++) {
        if (!router_matches(&r->row[i], t, &m)) {
            suffixes = m.suffixes ? m.suffixes : suffixes;
            continue;
        }
        path_exists = true;
        if (t->any || r->row[i].method != method || (best && m.n_segment >= match->n_segment))
            continue;
        best = &r->row[i];
        *match = m;
    }
    if (!best)
        router_refuse(path_exists, suffixes, e);
    return best;
}

static const char *const names[METHOD_COUNT] = {
    [GET] = "GET", [POST] = "POST", [PUT] = "PUT", [PATCH] = "PATCH", [DELETE] = "DELETE"};

const char *method_name(enum method m)
{
    return names[m];
}

enum method router_method(const char *name)
{
    int m = 0;
    while (m < METHOD_COUNT && strcmp(names[m], name))
        m++;
    return (enum method)m;
}

void router_allow(const struct router *r, const struct target *t, char out[ALLOW_TEXT])
{
    bool has[METHOD_COUNT] = {false}, any = false;
    struct router_match match;
    size_t len = 0;
    for (size_t i = 0; i < r->n; i++)
        if (router_matches(&r->row[i], t, &match))
            any = has[r->row[i].method] = true;
    *out = '\0';
    for (int m = 0; m < METHOD_COUNT; m++)
        if (has[m])
            len += (size_t)snprintf(out + len, ALLOW_TEXT - len, "%s, %s", names[m],
                                    m == GET ? "HEAD, " : "");
    if (any)
        snprintf(out + len, ALLOW_TEXT - len, "OPTIONS");
}

const void *router_read_query(const struct route *row, const struct target *t, struct arena *a,
                              struct faults *f, struct err *e)
{
    static const struct field no_fields[] = {{0}};
    static const struct schema none = {.field = no_fields, .size = 1};
    const struct schema *s = row->query ? row->query : &none;
    struct query_text text[QUERY_TEXTS];
    size_t n = target_query(t, text, QUERY_TEXTS, a);
    void *out = arena_need(a, s->size, 1);
    return schema_read_query(s, text, n, out, a, f, e) ? out : NULL;
}
