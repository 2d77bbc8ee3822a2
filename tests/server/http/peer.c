// SPDX-License-Identifier: MIT
// The bare client: see peer.h.

#include "tests/server/http/peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

void peer_open(struct peer *p, uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = PEER_SECONDS};
    const int on = 1;
    p->len = 0;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(p->fd, 0);
    ck_assert_int_eq(connect(p->fd, (struct sockaddr *)&at, sizeof at), 0);
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void peer_close(struct peer *p)
{
    close(p->fd);
}

bool peer_try(struct peer *p, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(p->fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0) {
            ck_assert_msg(errno != EAGAIN, "the server stopped reading");
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

void peer_send(struct peer *p, const char *text)
{
    ck_assert(peer_try(p, text, strlen(text)));
}

void peer_zeros(struct peer *p, size_t n, bool chunked)
{
    static char zeros[10000];
    memset(zeros, '0', sizeof zeros);
    while (n > 0) {
        size_t len = n < sizeof zeros ? n : sizeof zeros;
        char size[20];
        snprintf(size, sizeof size, "%zx\r\n", len);
        if (chunked && !peer_try(p, size, strlen(size)))
            return;
        if (!peer_try(p, zeros, len) || (chunked && !peer_try(p, "\r\n", 2)))
            return;
        n -= len;
    }
}

static bool read_more(struct peer *p)
{
    ssize_t n = recv(p->fd, p->in + p->len, PEER_ROOM - 1 - p->len, 0);
    ck_assert_msg(n >= 0 || errno != EAGAIN, "no answer; so far \"%.*s\"", (int)p->len, p->in);
    if (n <= 0)
        return false;
    p->len += (size_t)n;
    p->in[p->len] = '\0';
    return true;
}

static void consume(struct peer *p, size_t n)
{
    memmove(p->in, p->in + n, p->len - n);
    p->len -= n;
    p->in[p->len] = '\0';
}

const char *answer_header(const struct response *a, const char *name)
{
    static _Thread_local char value[1024];
    size_t len = strlen(name);
    for (const char *line = a->head; (line = strstr(line, "\r\n")) != NULL;) {
        line += 2;
        if (strncasecmp(line, name, len) || line[len] != ':')
            continue;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(line + len + 2, "\r"), line + len + 2);
        return value;
    }
    return NULL;
}

static void read_body(struct peer *p, struct response *a, size_t len)
{
    ck_assert_uint_lt(len, sizeof a->body);
    while (p->len < len)
        ck_assert_msg(read_more(p), "the answer was cut short");
    memcpy(a->body, p->in, len);
    a->body[len] = '\0';
    a->body_len = len;
    consume(p, len);
}

void peer_answer(struct peer *p, struct response *a, bool bodyless)
{
    const char *end;
    p->in[p->len] = '\0';
    while (!(end = strstr(p->in, "\r\n\r\n")))
        ck_assert_msg(read_more(p), "hung up without an answer");
    snprintf(a->head, sizeof a->head, "%.*s", (int)(end + 2 - p->in), p->in);
    consume(p, (size_t)(end + 4 - p->in));
    ck_assert_int_eq(sscanf(a->head, "HTTP/1.%*d %d", &a->status), 1);
    const char *connection = answer_header(a, "Connection");
    a->closes = connection && !strcasecmp(connection, "close");
    const char *length = answer_header(a, "Content-Length");
    read_body(p, a, bodyless || !length ? 0 : strtoul(length, NULL, 10));
}

bool peer_at_end(struct peer *p)
{
    return p->len == 0 && !read_more(p);
}

void peer_ask(uint16_t port, const char *request, struct response *a)
{
    struct peer p;
    peer_open(&p, port);
    peer_send(&p, request);
    peer_answer(&p, a, !strncmp(request, "HEAD", 4));
    peer_close(&p);
}
