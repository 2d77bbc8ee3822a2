// SPDX-License-Identifier: MIT
// Reading a head: see head.h. Sections named here are those of RFC 9112 unless another is.
//
// A line's end is CR LF and nothing else; a name stands right before its colon; a value has no
// control characters; nothing is folded, trimmed away or mended. Where the RFC lets a server choose
// between mending and refusing, this one refuses: a proxy in front may have mended it differently.

#include "server/http/head.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const names[HEAD_COUNT] = {
    [HEAD_HOST] = "host",
    [HEAD_LENGTH] = "content-length",
    [HEAD_TRANSFER] = "transfer-encoding",
    [HEAD_TYPE] = "content-type",
    [HEAD_CODING] = "content-encoding",
    [HEAD_CONNECTION] = "connection",
    [HEAD_EXPECT] = "expect",
    [HEAD_ORIGIN] = "origin",
    [HEAD_REFERER] = "referer",
    [HEAD_SITE] = "sec-fetch-site",
    [HEAD_MODE] = "sec-fetch-mode",
    [HEAD_DEST] = "sec-fetch-dest",
    [HEAD_AGENT] = "user-agent",
    [HEAD_ACCEPT] = "accept",
};

static bool head_is_alphanumeric(char c)
{
    char low = c | 0x20;
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9');
}

static bool all(const char *s, size_t len, const char *others)
{
    size_t n = strlen(others);
    for (size_t i = 0; i < len; i++)
        if (!head_is_alphanumeric(s[i]) && !memchr(others, s[i], n))
            return false;
    return len > 0;
}

bool head_is_token(const char *s, size_t len)
{
    return all(s, len, "!#$%&'*+-.^_`|~");
}

// ---- The request line ----

// Characters of a URI (RFC 3986 section 2), and "%"; the fragment is for the client alone.
static bool head_is_target(const char *s)
{
    return all(s, strlen(s), "-._~:/?[]@!$&'()*+,;=%");
}

static bool check_version(const char *v, struct err *e)
{
    if (!strcmp(v, "HTTP/1.1") || !strcmp(v, "HTTP/1.0"))
        return true;
    bool number = strlen(v) == 8 && !strncmp(v, "HTTP/", 5) && v[5] >= '0' && v[5] <= '9' &&
                  v[6] == '.' && v[7] >= '0' && v[7] <= '9';
    return number ? fail(e, ERR_VERSION, "this server speaks HTTP/1.1 and HTTP/1.0")
                  : fail(e, ERR_MALFORMED,
                         "the request line must be METHOD, TARGET and HTTP/1.1, with one blank "
                         "between them");
}

// An absolute URI stands for its path and, in place of Host, its authority (section 3.2.2).
static bool split_absolute(struct head *h, char *uri, struct err *e)
{
    size_t scheme = !strncasecmp(uri, "http://", 7) ? 7 : !strncasecmp(uri, "https://", 8) ? 8 : 0;
    if (!scheme)
        return fail(e, ERR_MALFORMED, "the request's target must be a path that starts with \"/\"");
    size_t len = strcspn(uri + scheme, "/?");
    const char *rest = uri + scheme + len;
    // the authority moves one place down to make room for its end and, before "?", for a "/"
    char *authority = memmove(uri, uri + scheme, len);
    authority[len] = '\0';
    h->authority = authority;
    h->target = rest;
    if (*rest != '/') {
        char *slash = uri + scheme + len - 1;
        *slash = '/';
        h->target = slash;
    }
    return true;
}

static bool check_target(struct head *h, char *target, struct err *e)
{
    h->target = target;
    if (!head_is_target(target))
        return fail(e, ERR_MALFORMED,
                    "the request's target has a character that must be escaped as %%XX");
    if (strlen(target) > HEAD_TARGET)
        return fail(e, ERR_TARGET_TOO_LONG, "the request's target may have %d bytes at most",
                    HEAD_TARGET);
    bool asterisk = !strcmp(target, "*") && !strcmp(h->method, "OPTIONS");
    return *target == '/' || asterisk || split_absolute(h, target, e);
}

bool head_request_line(struct head *h, char *text, size_t len, struct err *e)
{
    *h = (struct head){.method = text, .version = "HTTP/1.1"};
    text[len] = '\0';
    char *target = strchr(text, ' '), *version = target ? strrchr(target + 1, ' ') : NULL;
    if (!version || !head_is_token(text, (size_t)(target - text)))
        return check_version("", e);
    *target++ = *version++ = '\0';
    h->version = version;
    return check_version(version, e) && check_target(h, target, e);
}

// ---- Header lines ----

size_t head_colon(const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name = colon ? (size_t)(colon - line) : 0;
    return head_is_token(line, name) ? name : 0;
}

bool head_add(struct head *h, const char *name, const char *value, struct err *e)
{
    if (h->n_line == HEAD_LINES)
        return fail(e, ERR_HEAD_TOO_LARGE, "a request may have %d header lines at most",
                    HEAD_LINES);
    h->line[h->n_line++] = (struct head_line){name, value};
    for (int i = 0; i < HEAD_COUNT; i++)
        if (!strcasecmp(name, names[i])) {
            h->field[i].n++;
            h->field[i].value = value;
        }
    return true;
}

static char *trim(char *value)
{
    value += strspn(value, " \t");
    size_t len = strlen(value);
    while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    value[len] = '\0';
    return value;
}

static bool one_line(struct head *h, char *line, size_t len, struct err *e)
{
    size_t colon = head_colon(line, len);
    if (*line == ' ' || *line == '\t')
        return fail(e, ERR_MALFORMED, "a header line is folded: it begins with a blank");
    if (!colon)
        return fail(e, ERR_MALFORMED, "a header line must be a name, a colon and a value");
    line[colon] = line[len] = '\0';
    return head_add(h, line, trim(line + colon + 1), e);
}

bool head_lines(struct head *h, char *text, size_t len, struct err *e)
{
    for (char *end; len; text = end + 2) {
        end = memchr(text, '\r', len);
        BUG(!end || end[1] != '\n');
        if (!one_line(h, text, (size_t)(end - text), e))
            return false;
        len -= (size_t)(end + 2 - text);
    }
    return true;
}

const char *head_host(const struct head *h)
{
    return h->authority ? h->authority : h->field[HEAD_HOST].value;
}

int head_value(const struct head *h, const char *name, const char **value)
{
    int n = 0;
    *value = NULL;
    for (size_t i = 0; i < h->n_line; i++)
        if (!strcasecmp(h->line[i].name, name) && n++ == 0)
            *value = h->line[i].value;
    return n;
}

static bool has_word(const char *value, const char *word)
{
    for (size_t len; *value; value += len) {
        value += strspn(value, ", \t");
        len = strcspn(value, ", \t");
        if (len == strlen(word) && !strncasecmp(value, word, len))
            return true;
    }
    return false;
}

bool head_lists(const struct head *h, enum head_name i, const char *word)
{
    for (size_t k = 0; k < h->n_line; k++)
        if (!strcasecmp(h->line[k].name, names[i]) && has_word(h->line[k].value, word))
            return true;
    return false;
}

// ---- Who is asked, and where the request ends ----

static bool is_port(const char *s)
{
    size_t digits = strspn(s, "0123456789");
    return !s[digits] && digits <= 5 && atoi(s) <= 65535;
}

static bool is_ipv6(const char *s, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    return (size_t)snprintf(text, sizeof text, "%.*s", (int)len, s) < sizeof text &&
           inet_pton(AF_INET6, text, &address) == 1;
}

// uri-host [":" port] without userinfo, path, lists or escapes (section 3.2, RFC 3986 3.2.2).
static bool is_host(const char *s)
{
    size_t len = *s == '[' ? strcspn(s, "]") : strcspn(s, ":");
    bool name = *s == '[' ? s[len] == ']' && is_ipv6(s + 1, len - 1) : all(s, len, "-._~");
    const char *rest = s + len + (*s == '[' && s[len]);
    return name && (!*rest || (*rest == ':' && is_port(rest + 1)));
}

static bool is_length(const char *s)
{
    return *s && !s[strspn(s, "0123456789")] && strlen(s + strspn(s, "0")) <= HEAD_DIGITS;
}

static bool head_is(const struct head *h, enum head_name i, const char *value)
{
    return h->field[i].n && !strcasecmp(h->field[i].value, value);
}

bool head_framing(const struct head *h, struct err *e)
{
    bool modern = !strcmp(h->version, "HTTP/1.1");
    bool host = h->field[HEAD_HOST].n, length = h->field[HEAD_LENGTH].n,
         transfer = h->field[HEAD_TRANSFER].n;
    const struct {
        bool wrong;
        const char *why;
    } rules[] = {
        {modern && !host, "HTTP/1.1 requires a Host header"},
        {h->field[HEAD_HOST].n > 1, "there is more than one Host header"},
        {host && !is_host(h->field[HEAD_HOST].value), "Host must be a name and perhaps a port"},
        {h->authority && (!*h->authority || !is_host(h->authority)),
         "the target's host must be a name and perhaps a port"},
        {h->field[HEAD_LENGTH].n > 1, "there is more than one Content-Length header"},
        {length && !is_length(h->field[HEAD_LENGTH].value),
         "Content-Length is not a number of bytes"},
        {length && transfer, "Content-Length and Transfer-Encoding exclude each other"},
        {transfer && (h->field[HEAD_TRANSFER].n > 1 || !head_is(h, HEAD_TRANSFER, "chunked")),
         "the only Transfer-Encoding read here is \"chunked\""},
        {transfer && !modern, "HTTP/1.0 has no Transfer-Encoding"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].wrong)
            return fail(e, ERR_MALFORMED, "%s", rules[i].why);
    return true;
}

bool head_is_chunked(const struct head *h)
{
    return h->field[HEAD_TRANSFER].n;
}

uint64_t head_length(const struct head *h)
{
    return h->field[HEAD_LENGTH].n ? strtoull(h->field[HEAD_LENGTH].value, NULL, 10) : 0;
}

bool head_has_body(const struct head *h)
{
    return head_is_chunked(h) || head_length(h);
}
