// SPDX-License-Identifier: MIT
#pragma once

// Hosts as they stand in the headers Host, Origin and Referer and in the settings: a name or an IP
// address, perhaps with a port, perhaps behind a scheme. Pure functions over texts that need not be
// NUL-terminated; what they find points into the text. Any thread.

#include <stdbool.h>
#include <stddef.h>

enum { AUTHORITY_NO_PORT = -1 };

struct authority {
    const char *scheme; // "http"; of length 0 where none belongs
    size_t scheme_len;
    const char *host; // without brackets, without a dot at its end
    size_t host_len;
    bool is_ip;
    unsigned char ip[16]; // is_ip: as IPv6, an IPv4 address mapped
    int port;             // AUTHORITY_NO_PORT: none given, and the scheme has none of its own
};

// "name", "10.0.0.1:8080", "[::1]:8080": what a Host header says. False for everything else: other
// bytes than names have, a user, a path, several hosts.
bool authority_read(struct authority *a, const char *text, size_t len);

// The same without a port; an IPv6 address may go without brackets. For settings and addresses.
bool authority_read_host(struct authority *a, const char *text, size_t len);

// "https://name:8443" and nothing behind it: what an Origin header says, "null" excepted. The port
// of http and https is filled in.
bool authority_read_origin(struct authority *a, const char *text, size_t len);

// localhost and the names below it (RFC 6761), 127.0.0.0/8, ::1.
bool authority_is_loopback(const struct authority *a);

// 0.0.0.0 or ::, which as an address to listen on stands for all there are.
bool authority_is_unspecified(const struct authority *a);

// The same name or the same address.
bool authority_same_host(const struct authority *a, const struct authority *b);

// Two origins are the same: scheme, host and port.
bool authority_same_origin(const struct authority *a, const struct authority *b);

// Whether a page of this origin came from the host and port of a Host header. The scheme is not
// compared, because a proxy may have taken TLS off; a port that Host leaves out is the scheme's.
bool authority_is_origin_of(const struct authority *origin, const struct authority *host);

// What the settings name hosts and origins by: a host, ".example.org" for that name and all below
// it, "*.example.org" for those below it only; an origin; "*" for any, "null" included.
bool authority_is_host_pattern(const char *s, size_t len);
bool authority_is_origin_pattern(const char *s, size_t len);
bool authority_matches_host(const char *pattern, size_t len, const struct authority *host);
bool authority_matches_origin(const char *pattern, size_t len, const char *origin, size_t n);
