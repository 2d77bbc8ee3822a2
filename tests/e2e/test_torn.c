// SPDX-License-Identifier: MIT
// Clients that vanish in the middle of a request: whatever had arrived is gone, too.

#include "tests/e2e/scene.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const struct daemon *d)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)d->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void send_text(int fd, const char *bytes)
{
    size_t len = strlen(bytes);
    ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

// Send the head and some rows of an upload that says it is longer; return once they are on disk.
static int begin_upload(const struct daemon *d, const char *framing, const char *rows)
{
    int fd = connect_to(d);
    send_text(fd, text("POST /datasets?name=torn HTTP/1.1\r\nHost: localhost\r\n"
                       "Content-Type: text/csv\r\n%s\r\n\r\n%s",
                       framing, rows));
    daemon_wait_files(d, "tmp", 1);
    return fd;
}

static void check_nothing_stayed(const struct daemon *d, size_t files)
{
    daemon_wait_files(d, "tmp", 0);
    ck_assert_uint_eq(daemon_files(d, "datasets"), files);
    expect_status(http(d, "GET", "/datasets/torn", NULL), 404);
}

static const struct {
    const char *framing, *rows;
    bool reset;
} uploads[] = {
    {"Content-Length: 100000", "a,b\n1,2\n3,", false},
    {"Content-Length: 100000", "a,b\n1,2\n3,", true},
    {"Content-Length: 100000", "a,b\n1,2\n", false}, // cut where it would be a whole table
    {"Transfer-Encoding: chunked", "8\r\na,b\n1,2\n\r\n", false},
    {"Transfer-Encoding: chunked", "8\r\na,b\n1,2\n\r\n", true},
};

LOOP_TEST(an_upload_cut_off_midway_leaves_nothing, sizeof uploads / sizeof *uploads)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    size_t files = daemon_files(scene(), "datasets");
    int fd = begin_upload(scene(), uploads[_i].framing, uploads[_i].rows);
    if (uploads[_i].reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    check_nothing_stayed(scene(), files);
}

TEST(an_upload_that_the_daemon_does_not_survive_leaves_nothing)
{
    struct daemon d;
    daemon_start(&d);
    int fd = begin_upload(&d, "Content-Length: 100000", "a,b\n1,2\n3,");
    daemon_kill(&d);
    close(fd);
    daemon_restart(&d);
    check_nothing_stayed(&d, 0);
    daemon_end(&d);
}

TEST(a_job_cut_off_midway_is_no_job)
{
    const struct reply *r = http(scene(), "GET", "/jobs?limit=1", NULL);
    double last = number_at(r, "/last_id");
    int fd = connect_to(scene());
    send_text(fd, "POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n"
                  "{\"dataset\":\"iris\",\"target\":\"species\"}");
    close(fd);
    expect_status(http(scene(), "GET", "/healthz", NULL), 200);
    ck_assert_double_eq(number_at(http(scene(), "GET", "/jobs?limit=1", NULL), "/last_id"), last);
}

TEST(clients_that_are_gone_do_not_hold_up_the_end)
{
    struct daemon d;
    daemon_start(&d);
    for (int i = 0; i < 50; i++) {
        int fd = connect_to(&d);
        send_text(fd, "POST /datasets?name=torn HTTP/1.1\r\nHost: localhost\r\n"
                      "Content-Length: 10000\r\n\r\na,b\n1,2\n");
        close(fd); // at once, so that the farewell comes with the last bytes
    }
    daemon_end(&d);
}
