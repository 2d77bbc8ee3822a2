// SPDX-License-Identifier: MIT
#include "server/http/head.h"

#include "tests/harness.h"

#include <stdio.h>
#include <string.h>

static struct head head;
static char room[20000];

// Read "line\r\nname: value\r\n...", which stays in `room`.
static bool read(const char *text, struct err *e)
{
    snprintf(room, sizeof room, "%s", text);
    size_t line = strcspn(room, "\r");
    return head_request_line(&head, room, line, e) &&
           head_lines(&head, room + line + 2, strlen(text) - line - 2, e);
}

static const struct {
    const char *line;
    enum err_kind kind;
    const char *method, *target, *authority;
} request_lines[] = {
    {"GET / HTTP/1.1", ERR_NONE, "GET", "/", NULL},
    {"GET /a?b=c&d HTTP/1.0", ERR_NONE, "GET", "/a?b=c&d", NULL},
    {"M-SEARCH /a HTTP/1.1", ERR_NONE, "M-SEARCH", "/a", NULL},
    {"OPTIONS * HTTP/1.1", ERR_NONE, "OPTIONS", "*", NULL},
    {"GET http://h/a?b HTTP/1.1", ERR_NONE, "GET", "/a?b", "h"},
    {"GET HTTPS://h:80 HTTP/1.1", ERR_NONE, "GET", "/", "h:80"},
    {"GET http://h?b=/ HTTP/1.1", ERR_NONE, "GET", "/?b=/", "h"},
    {"GET * HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET ftp://h/ HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET h:80 HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET a HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET /a#b HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET /a?b=\"c\" HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET /a\\b HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET /a b HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET /\xc3\xa9 HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET  / HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET /  HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET\t/ HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {" GET / HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET / HTTP/1.1 ", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET /", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET", ERR_MALFORMED, NULL, NULL, NULL},
    {"", ERR_MALFORMED, NULL, NULL, NULL},
    {"G(T / HTTP/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET / http/1.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET / HTTP/1.1x", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET / HTTP/1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET / HTTP/1,1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET / HTTP/01.1", ERR_MALFORMED, NULL, NULL, NULL},
    {"GET / HTTP/1.2", ERR_VERSION, NULL, NULL, NULL},
    {"GET / HTTP/0.9", ERR_VERSION, NULL, NULL, NULL},
    {"PRI * HTTP/2.0", ERR_VERSION, NULL, NULL, NULL},
};

LOOP_TEST(head_reads_a_request_line_strictly, sizeof request_lines / sizeof *request_lines)
{
    struct err e = {0};
    char text[200];
    snprintf(text, sizeof text, "%s\r\n", request_lines[_i].line);
    ck_assert_msg(read(text, &e) == !request_lines[_i].kind, "%s", request_lines[_i].line);
    ck_assert_int_eq(e.kind, request_lines[_i].kind);
    if (e.kind)
        return;
    ck_assert_str_eq(head.method, request_lines[_i].method);
    ck_assert_str_eq(head.target, request_lines[_i].target);
    ck_assert_pstr_eq(head.authority, request_lines[_i].authority);
}

TEST(head_limits_the_target)
{
    for (int over = 0; over < 2; over++) {
        char text[HEAD_TARGET + 100];
        struct err e = {0};
        snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\n", HEAD_TARGET - 1 + over, 0);
        ck_assert(read(text, &e) == !over);
        ck_assert_int_eq(e.kind, over ? ERR_TARGET_TOO_LONG : ERR_NONE);
    }
}

static const struct {
    const char *line;
    bool sound;
} lines[] = {
    {"A: b", true},
    {"A:b", true},
    {"A:", true},
    {"A: \t b\tc \t", true},
    {"A: \xc3\xa9\xff", true},
    {"!#$%&'*+-.^_`|~09aZ: b", true},
    {"A : b", false},
    {"A\t: b", false},
    {" A: b", false},
    {"\tA: b", false},
    {": b", false},
    {":", false},
    {"A", false},
    {"A b: c", false},
    {"A(b): c", false},
    {"\"A\": b", false},
    {"A\xc3\xa9: b", false},
};

LOOP_TEST(head_reads_a_header_line_strictly, sizeof lines / sizeof *lines)
{
    struct err e = {0};
    char text[100];
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", lines[_i].line);
    ck_assert_msg(read(text, &e) == lines[_i].sound, "%s", lines[_i].line);
    ck_assert_int_eq(e.kind, lines[_i].sound ? ERR_NONE : ERR_MALFORMED);
}

TEST(head_gives_values_without_the_blanks_around_them)
{
    struct err e = {0};
    ck_assert(read("GET / HTTP/1.1\r\nX-A: \t b c \t\r\nx-a: d\r\nEmpty: \r\n", &e));
    const char *value;
    ck_assert_int_eq(head_value(&head, "x-A", &value), 2);
    ck_assert_str_eq(value, "b c");
    ck_assert_int_eq(head_value(&head, "empty", &value), 1);
    ck_assert_str_eq(value, "");
    ck_assert_int_eq(head_value(&head, "x", &value), 0);
    ck_assert_ptr_null(value);
}

TEST(head_takes_so_many_lines_and_no_more)
{
    for (int over = 0; over < 2; over++) {
        struct err e = {0};
        static char text[1000];
        strcpy(text, "GET / HTTP/1.1\r\n");
        for (int i = 0; i < HEAD_LINES + over; i++)
            strcat(text, "a:b\r\n");
        ck_assert(read(text, &e) == !over);
        ck_assert_int_eq(e.kind, over ? ERR_HEAD_TOO_LARGE : ERR_NONE);
    }
}

static const struct {
    const char *version, *lines;
    enum err_kind kind;
} framings[] = {
    {"HTTP/1.1", "Host: x\r\n", ERR_NONE},
    {"HTTP/1.1", "host: x\r\nAccept: */*\r\n", ERR_NONE},
    {"HTTP/1.1", "", ERR_MALFORMED},
    {"HTTP/1.0", "", ERR_NONE},
    {"HTTP/1.1", "Host: x\r\nHOST: y\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nHOST: x\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host:\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: [::g]\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: [1.2.3.4]\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x:8080\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: x:\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: a-b.c_d~e:65535\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: [::1]:80\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: [::ffff:1.2.3.4]\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: :80\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x:65536\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x:8x\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x:-1\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x, y\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x,y\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x y\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: u@x\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x/a\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: http://x\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x%41\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: [::1\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: []\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: [::1]x\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 0\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 007\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 3 3\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 3, 3\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length: +3\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length: -3\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 0x3\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length:\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 999999999999999999\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 0999999999999999999\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 1000000000000000000\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 18446744073709551617\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nContent-Length: 3\r\ncontent-length: 3\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding: Chunked\r\n", ERR_NONE},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding: chunked, chunked\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding: gzip, chunked\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding: identity\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding: chunked;q=1\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding: \"chunked\"\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding:\r\n", ERR_MALFORMED},
    {"HTTP/1.0", "Transfer-Encoding: chunked\r\n", ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
     ERR_MALFORMED},
    {"HTTP/1.1", "Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", ERR_MALFORMED},
};

LOOP_TEST(head_lets_only_sound_framing_through, sizeof framings / sizeof *framings)
{
    struct err e = {0};
    char text[200];
    snprintf(text, sizeof text, "GET / %s\r\n%s", framings[_i].version, framings[_i].lines);
    ck_assert(read(text, &e));
    ck_assert_msg(head_framing(&head, &e) == !framings[_i].kind, "%s: %s", framings[_i].lines,
                  e.text);
    ck_assert_int_eq(e.kind, framings[_i].kind);
}

TEST(head_asks_the_host_of_an_absolute_target)
{
    struct err e = {0};
    ck_assert(read("GET http://a:1/ HTTP/1.1\r\nHost: b\r\n", &e) && head_framing(&head, &e));
    ck_assert_str_eq(head_host(&head), "a:1");
    ck_assert(read("GET / HTTP/1.1\r\nHost: b\r\n", &e));
    ck_assert_str_eq(head_host(&head), "b");
    ck_assert(read("GET http://u@a/ HTTP/1.1\r\nHost: b\r\n", &e) && !head_framing(&head, &e));
}

TEST(head_finds_words_in_lists_over_several_lines)
{
    struct err e = {0};
    ck_assert(read("GET / HTTP/1.1\r\nConnection: a, Close\r\nConnection: b\r\n", &e));
    ck_assert(head_lists(&head, HEAD_CONNECTION, "close"));
    ck_assert(head_lists(&head, HEAD_CONNECTION, "b"));
    ck_assert(!head_lists(&head, HEAD_CONNECTION, "clos"));
    ck_assert(!head_lists(&head, HEAD_EXPECT, "a"));
}
