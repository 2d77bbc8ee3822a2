// SPDX-License-Identifier: MIT
// Hosts: see authority.h. Forms of an address that only resolvers know ("0", "127.1", "0x7f.1")
// count as names: browsers write them out before they send them.

#include "server/base/authority.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_LEN = 253, PORT_DIGITS = 5, PORT_MAX = 65535 };

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool authority_is_alphanumeric(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
}

// Labels of letters, digits, hyphens and underscores (containers have them), none empty.
static bool authority_is_name(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool dot = s[i] == '.' && i > 0 && s[i - 1] != '.';
        if (!dot && !authority_is_alphanumeric(s[i]) && s[i] != '-' && s[i] != '_')
            return false;
    }
    return len > 0 && len <= NAME_MAX_LEN && s[len - 1] != '.';
}

static bool read_ip(struct authority *a, int family, const char *s, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    if (len >= sizeof text)
        return false;
    memcpy(text, s, len);
    text[len] = '\0';
    memcpy(a->ip, mapped, sizeof mapped);
    a->is_ip = inet_pton(family, text, family == AF_INET ? a->ip + sizeof mapped : a->ip) == 1;
    a->host = s;
    a->host_len = len;
    return a->is_ip;
}

static bool read_name(struct authority *a, const char *s, size_t len)
{
    if (read_ip(a, AF_INET, s, len))
        return true;
    a->host_len = len > 1 && s[len - 1] == '.' ? len - 1 : len;
    return authority_is_name(s, a->host_len);
}

// The port that begins with the colon at s, if there is anything at all.
static bool authority_read_port(struct authority *a, const char *s, size_t len)
{
    int port = 0;
    if (len <= 1)
        return !len || *s == ':';
    if (*s != ':' || len > 1 + PORT_DIGITS)
        return false;
    for (size_t i = 1; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        port = port * 10 + (s[i] - '0');
    }
    a->port = port;
    return port <= PORT_MAX;
}

bool authority_read(struct authority *a, const char *text, size_t len)
{
    *a = (struct authority){.host = text, .port = AUTHORITY_NO_PORT};
    bool bracketed = len && *text == '[';
    const char *end = memchr(text, bracketed ? ']' : ':', len);
    size_t host = end ? (size_t)(end - text) : len;
    if (!bracketed)
        return read_name(a, text, host) && authority_read_port(a, text + host, len - host);
    return end && read_ip(a, AF_INET6, text + 1, host - 1) &&
           authority_read_port(a, end + 1, len - host - 1);
}

bool authority_read_host(struct authority *a, const char *text, size_t len)
{
    *a = (struct authority){.port = AUTHORITY_NO_PORT};
    if (read_ip(a, AF_INET6, text, len))
        return true;
    const char *last = len ? &text[len - 1] : text;
    return authority_read(a, text, len) && a->port == AUTHORITY_NO_PORT && *last != ':';
}

static bool is_scheme(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!authority_is_alphanumeric(s[i]) && (!i || !memchr("+-.", s[i], 3)))
            return false;
    return len > 0;
}

static int port_of_scheme(const struct authority *a)
{
    static const struct {
        const char *scheme;
        int port;
    } known[] = {{"http", 80}, {"https", 443}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].scheme) == a->scheme_len &&
            !strncasecmp(known[i].scheme, a->scheme, a->scheme_len))
            return known[i].port;
    return AUTHORITY_NO_PORT;
}

bool authority_read_origin(struct authority *a, const char *text, size_t len)
{
    static const char mark[] = "://";
    const char *end = memmem(text, len, mark, strlen(mark));
    size_t scheme = end ? (size_t)(end - text) : 0, skip = scheme + strlen(mark);
    if (!is_scheme(text, scheme) || !authority_read(a, text + skip, len - skip))
        return false;
    a->scheme = text;
    a->scheme_len = scheme;
    if (a->port == AUTHORITY_NO_PORT)
        a->port = port_of_scheme(a);
    return true;
}

bool authority_is_loopback(const struct authority *a)
{
    static const char local[] = "localhost";
    static const unsigned char one[16] = {[15] = 1};
    size_t len = strlen(local);
    if (a->is_ip)
        return !memcmp(a->ip, one, sizeof one) ||
               (!memcmp(a->ip, mapped, sizeof mapped) && a->ip[12] == 127);
    return a->host_len >= len && !strncasecmp(a->host + a->host_len - len, local, len) &&
           (a->host_len == len || a->host[a->host_len - len - 1] == '.');
}

bool authority_is_unspecified(const struct authority *a)
{
    static const unsigned char zero[16];
    bool v4 = !memcmp(a->ip, mapped, sizeof mapped);
    size_t skip = v4 ? sizeof mapped : 0;
    return a->is_ip && !memcmp(a->ip + skip, zero, sizeof zero - skip);
}

bool authority_same_host(const struct authority *a, const struct authority *b)
{
    if (a->is_ip || b->is_ip)
        return a->is_ip && b->is_ip && !memcmp(a->ip, b->ip, sizeof a->ip);
    return a->host_len == b->host_len && !strncasecmp(a->host, b->host, a->host_len);
}

bool authority_same_origin(const struct authority *a, const struct authority *b)
{
    return a->scheme_len == b->scheme_len && !strncasecmp(a->scheme, b->scheme, a->scheme_len) &&
           authority_same_host(a, b) && a->port == b->port;
}

bool authority_is_origin_of(const struct authority *origin, const struct authority *host)
{
    int port = host->port == AUTHORITY_NO_PORT ? port_of_scheme(origin) : host->port;
    return authority_same_host(origin, host) && origin->port == port;
}

// ---- Patterns ----

static bool is_anything(const char *s, size_t len)
{
    return len == 1 && *s == '*';
}

// Bytes before the name in a pattern that stands for those below it.
static size_t skip_of_pattern(const char *s, size_t len)
{
    return len > 1 && s[0] == '*' && s[1] == '.' ? 2 : len > 0 && *s == '.';
}

bool authority_is_host_pattern(const char *s, size_t len)
{
    struct authority a;
    size_t skip = skip_of_pattern(s, len);
    return is_anything(s, len) ||
           (authority_read_host(&a, s + skip, len - skip) && !(skip && a.is_ip));
}

bool authority_is_origin_pattern(const char *s, size_t len)
{
    struct authority a;
    return is_anything(s, len) || authority_read_origin(&a, s, len);
}

static bool is_below(const struct authority *name, const struct authority *above)
{
    size_t more = name->host_len - above->host_len;
    return !name->is_ip && name->host_len > above->host_len && name->host[more - 1] == '.' &&
           !strncasecmp(name->host + more, above->host, above->host_len);
}

bool authority_matches_host(const char *pattern, size_t len, const struct authority *host)
{
    struct authority a;
    size_t skip = skip_of_pattern(pattern, len);
    if (is_anything(pattern, len))
        return true;
    return authority_read_host(&a, pattern + skip, len - skip) &&
           ((skip < 2 && authority_same_host(&a, host)) || (skip && is_below(host, &a)));
}

bool authority_matches_origin(const char *pattern, size_t len, const char *origin, size_t n)
{
    struct authority wanted, got;
    return is_anything(pattern, len) ||
           (authority_read_origin(&wanted, pattern, len) &&
            authority_read_origin(&got, origin, n) && authority_same_origin(&wanted, &got));
}
