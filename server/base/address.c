// SPDX-License-Identifier: MIT
// Addresses: see address.h. We open the listening socket ourselves, so that a port that is taken or
// a name that does not resolve is reported in words. An IPv6 socket serves IPv6 only: what was
// asked for is what is open.

#include "server/base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static bool address_read_port(uint16_t *port, const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || n > UINT16_MAX)
        return false;
    *port = (uint16_t)n;
    return true;
}

bool address_parse(struct address *a, const char *text, struct err *e)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
    if (bracketed) {
        host++;
        len -= 2;
    }
    if (!len || len >= sizeof a->host || (!bracketed && memchr(host, ':', len)) ||
        !address_read_port(&a->port, colon + 1))
        return fail(e, ERR_INVALID,
                    "cannot listen on \"%s\": expected HOST:PORT, such as 127.0.0.1:8080 or "
                    "[::1]:8080",
                    text);
    memcpy(a->host, host, len);
    a->host[len] = '\0';
    return true;
}

bool address_is_loopback(const struct address *a)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, a->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, a->host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(a->host, "localhost") == 0;
}

void address_print(const struct address *a, char out[ADDRESS_TEXT])
{
    const char *form = strchr(a->host, ':') ? "[%s]:%d" : "%s:%d";
    snprintf(out, ADDRESS_TEXT, form, a->host, a->port);
}

static int open_socket(const struct addrinfo *info)
{
    const int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, BACKLOG))
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static void note_in_use(struct address *a, int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at;
    getsockname(fd, (struct sockaddr *)&at, &len);
    bool six = at.ss_family == AF_INET6;
    a->port = ntohs(six ? v6->sin6_port : v4->sin_port);
    inet_ntop(at.ss_family, six ? (const void *)&v6->sin6_addr : &v4->sin_addr, a->ip, ADDRESS_IP);
}

int address_listen(struct address *a, struct err *e)
{
    char text[ADDRESS_TEXT], port[8];
    address_print(a, text);
    snprintf(port, sizeof port, "%d", a->port);
    struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *info;
    int code = getaddrinfo(a->host, port, &want, &info);
    if (code) {
        fail(e, ERR_INVALID, "could not resolve \"%s\": %s", a->host, gai_strerror(code));
        return -1;
    }
    int fd = open_socket(info);
    if (fd < 0)
        fail(e, errno == EADDRINUSE ? ERR_BUSY : ERR_INTERNAL, "could not listen on %s: %s", text,
             strerror(errno));
    else
        note_in_use(a, fd);
    freeaddrinfo(info);
    return fd;
}
