// SPDX-License-Identifier: MIT
// More large bodies at once than the memory of all requests holds: some are refused, none of the
// small requests is, and when the clients are gone all of the memory is there again.

#include "tests/e2e/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <time.h>

enum { MB = 1000000, CLIENTS = 24, BODY = 60, MEMORY = 128, MARGIN = 24 };

struct sender {
    int fd; // -1: over
    size_t sent;
    char answer[600];
};

static void start(const struct daemon *d, struct sender *s)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)d->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *head =
        text("POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", BODY * MB);
    *s = (struct sender){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ck_assert_int_eq(connect(s->fd, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_gt(send(s->fd, head, strlen(head), MSG_NOSIGNAL), 0);
}

static void stop(struct sender *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

// Read the answer if there is one, or wait for it, and hang up.
static void hear(struct sender *s, int ms)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    if (poll(&p, 1, ms) == 0)
        return;
    recv(s->fd, s->answer, sizeof s->answer - 1, 0); // its head comes in one piece
    stop(s);
}

// Up to a million bytes more, unless the server has answered.
static void send_on(struct sender *s, size_t most)
{
    static char zeros[MB];
    memset(zeros, '0', sizeof zeros);
    size_t left = most - s->sent, len = left < MB ? left : MB;
    hear(s, 0);
    for (size_t at = 0; s->fd >= 0 && at < len;) {
        ssize_t n = send(s->fd, zeros + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            hear(s, 0);
        else
            at += (size_t)n, s->sent += (size_t)n;
        if (n <= 0)
            stop(s);
    }
}

static int status_of(const struct sender *s)
{
    int status = 0;
    sscanf(s->answer, "HTTP/1.1 %d", &status);
    return status;
}

static long megabytes(const struct daemon *d, const char *what)
{
    char *status = file_text(text("/proc/%d/status", (int)d->pid), NULL);
    ck_assert_ptr_nonnull(status);
    const char *line = strstr(status, what);
    long kib = line ? strtol(line + strlen(what) + 1, NULL, 10) : -1;
    free(status);
    return kib * 1024 / MB;
}

// All of them, byte by byte side by side, up to the last byte. How many were not refused.
static int fill(const struct daemon *d, struct sender s[CLIENTS])
{
    int open = 0, refused = 0;
    for (int i = 0; i < CLIENTS; i++)
        start(d, &s[i]);
    for (int round = 0; round < BODY; round++)
        for (int i = 0; i < CLIENTS; i++)
            send_on(&s[i], BODY * (size_t)MB - 1);
    for (int i = 0; i < CLIENTS; i++) {
        open += s[i].fd >= 0;
        refused += status_of(&s[i]) == 503;
        ck_assert_msg(!*s[i].answer ||
                          (status_of(&s[i]) == 503 && strstr(s[i].answer, "Retry-After: ") &&
                           strstr(s[i].answer, "Connection: close")),
                      "%s", s[i].answer);
    }
    ck_assert_int_gt(refused, 0);
    return open;
}

static void check_small_requests(const struct daemon *d)
{
    expect_status(http(d, "GET", "/healthz", NULL), 200);
    expect_status(http(d, "GET", "/jobs", NULL), 200);
    expect_status(http(d, "POST", "/jobs/1/predict", "{\"instances\":[[3],[4]]}"), 200);
    expect_status(http(d, "POST", "/datasets?name=small", "a,b\n1,2\n3,4\n"), 201);
}

static void check_memory(const struct daemon *d, const char *what, long most)
{
#ifndef MLPD_SANITIZED // which needs memory of its own
    long used = megabytes(d, what);
    for (int i = 0; used > most && i < 500; i++) { // until the last of those who left is noticed
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        used = megabytes(d, what);
    }
    ck_assert_msg(used <= most, "%s %ld MB, at most %ld expected", what, used, most);
#else
    (void)d, (void)what, (void)most;
#endif
}

// A whole body until it is not refused any more.
static int send_whole(const struct daemon *d)
{
    struct sender s;
    do {
        start(d, &s);
        while (s.fd >= 0 && s.sent < BODY * (size_t)MB)
            send_on(&s, BODY * (size_t)MB);
        if (s.fd >= 0)
            hear(&s, -1);
    } while (status_of(&s) == 503 || status_of(&s) == 0);
    return status_of(&s);
}

TEST(memory_of_many_large_bodies_stays_within_its_budget)
{
    struct daemon d;
    struct sender s[CLIENTS], late;
    setenv("MLPD_REQUEST_MEMORY", text("%dm", MEMORY), 1);
    daemon_start(&d);
    unsetenv("MLPD_REQUEST_MEMORY");
    train(&d, "{\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10]],"
              "\"y\":[1,2,3,4,5,6,7,8,9,10]},\"training\":{\"epochs\":3}}");
    check_small_requests(&d);
    long before = megabytes(&d, "VmRSS:");
    int open = fill(&d, s);
    ck_assert_int_ge(open, 1);
    ck_assert_int_le(open, MEMORY * (1 << 20) / (BODY * MB));
    start(&d, &late);
    if (open > 1) {
        hear(&late, -1);
        ck_assert_int_eq(status_of(&late), 503);
    }
    check_small_requests(&d);
    check_memory(&d, "VmHWM:", before + MEMORY * (1 << 20) / MB + MARGIN);
    for (int i = 0; i < CLIENTS; i++)
        stop(&s[i]);
    stop(&late);
    ck_assert_int_eq(send_whole(&d), 400);
    check_memory(&d, "VmRSS:", before + MARGIN);
    daemon_end(&d);
}
