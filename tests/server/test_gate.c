// SPDX-License-Identifier: MIT
#include "gate.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

// A head from lines "name: value\n".
static struct head head_of(const char *version, const char *lines, char room[512])
{
    struct head h = {.version = version};
    snprintf(room, 512, "%s", lines);
    for (char *rest, *line = strtok_r(room, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        char *value = strstr(line, ": ");
        *value = '\0';
        value += 2;
        gate_header(&h, line, strlen(line), value, strlen(value));
    }
    return h;
}

static const struct {
    const char *version, *lines;
    bool sound;
} framings[] = {
    {"HTTP/1.1", "Host: x", true},
    {"HTTP/1.1", "host: x\nAccept: */*", true},
    {"HTTP/1.1", "", false},
    {"HTTP/1.0", "", true},
    {"HTTP/1.2", "Host: x", false},
    {"HTTP/0.9", "Host: x", false},
    {"HTTP/1.1", "Host: x\nHOST: y", false},
    {"HTTP/1.1", "Host: x\nContent-Length: 0", true},
    {"HTTP/1.1", "Host: x\nContent-Length: 007", true},
    {"HTTP/1.1", "Host: x\nContent-Length: 3 ", false},
    {"HTTP/1.1", "Host: x\nContent-Length: 3, 3", false},
    {"HTTP/1.1", "Host: x\nContent-Length: 0x3", false},
    {"HTTP/1.1", "Host: x\nContent-Length: ", false},
    {"HTTP/1.1", "Host: x\nContent-Length: 9999999999999999999", false},
    {"HTTP/1.1", "Host: x\nContent-Length: 3\ncontent-length: 3", false},
    {"HTTP/1.1", "Host: x\nTransfer-Encoding: Chunked", true},
    {"HTTP/1.1", "Host: x\nTransfer-Encoding: chunked, chunked", false},
    {"HTTP/1.1", "Host: x\nTransfer-Encoding: ", false},
    {"HTTP/1.0", "Transfer-Encoding: chunked", false},
    {"HTTP/1.1", "Host: x\nTransfer-Encoding: chunked\nContent-Length: 1", false},
    {"HTTP/1.1", "Host: x\nA b: 1", false},
    {"HTTP/1.1", "Host: x\nContent-Length : 1", false},
    {"HTTP/1.1", "Host: x\nA: a\tb\xc3\xa9", true},
    {"HTTP/1.1", "Host: x\nA: a\rb", false},
    {"HTTP/1.1", "Host: x\nA: a\x7f", false},
};

LOOP_TEST(gate_lets_only_sound_framing_through, sizeof framings / sizeof *framings)
{
    char room[512];
    struct err e = {0};
    struct head h = head_of(framings[_i].version, framings[_i].lines, room);
    ck_assert_msg(gate_framing(&h, &e) == framings[_i].sound, "%s: %s", framings[_i].lines, e.text);
    ck_assert_int_eq(e.kind, framings[_i].sound ? ERR_NONE : ERR_MALFORMED);
}

TEST(gate_sees_a_nul_within_a_value)
{
    struct err e = {0};
    struct head h = {.version = "HTTP/1.0"};
    gate_header(&h, "a", 1, "b\0c", 3);
    ck_assert(!gate_framing(&h, &e));
}

static const struct {
    bool changes;
    const char *site;
    bool sound;
} sites[] = {
    {true, "cross-site", false}, {true, "same-origin", true}, {true, "same-site", true},
    {true, "none", true},        {false, "cross-site", true},
};

LOOP_TEST(gate_lets_no_other_site_change_anything, sizeof sites / sizeof *sites)
{
    struct err e = {0};
    struct head h = {.version = "HTTP/1.0", .changes = sites[_i].changes};
    gate_header(&h, "Sec-Fetch-Site", 14, sites[_i].site, strlen(sites[_i].site));
    ck_assert(gate_framing(&h, &e) == sites[_i].sound);
}

static const struct {
    enum body_kind kind;
    const char *type;
    bool read;
} media[] = {
    {BODY_JSON, "application/json", true},
    {BODY_JSON, "Application/JSON;charset=utf-8", true},
    {BODY_JSON, "application/json ; a=b", true},
    {BODY_JSON, "application/x-www-form-urlencoded", true},
    {BODY_JSON, "", true},
    {BODY_JSON, "application/jso", false},
    {BODY_JSON, "application/json2", false},
    {BODY_JSON, "text/csv", false},
    {BODY_JSON, "multipart/form-data; boundary=x", false},
    {BODY_STREAM, "text/csv", true},
    {BODY_STREAM, "text/csv; header=present", true},
    {BODY_STREAM, "application/octet-stream", true},
    {BODY_STREAM, "application/x-www-form-urlencoded", true},
    {BODY_STREAM, "application/json", false},
    {BODY_STREAM, "multipart/form-data; boundary=x", false},
    {BODY_NONE, "anything/at-all", true},
};

LOOP_TEST(gate_reads_the_media_types_of_the_row, sizeof media / sizeof *media)
{
    struct err e = {0};
    struct head h = {.version = "HTTP/1.0"};
    const struct route row = {.body_kind = media[_i].kind};
    size_t length;
    gate_header(&h, "Content-Type", 12, media[_i].type, strlen(media[_i].type));
    ck_assert(gate_body(&h, &row, 100, &length, &e) == media[_i].read);
    ck_assert_int_eq(e.kind, media[_i].read ? ERR_NONE : ERR_UNSUPPORTED);
}

TEST(gate_limits_a_body_by_its_row_and_else_by_its_kind)
{
    const struct route own = {.body_kind = BODY_STREAM, .max_body = 7},
                       stream = {.body_kind = BODY_STREAM}, json = {.body_kind = BODY_JSON};
    ck_assert_uint_eq(gate_limit(&own, 1000), 7);
    ck_assert_uint_eq(gate_limit(&stream, 1000), 1000);
    ck_assert_uint_eq(gate_limit(&json, 1000), 64 << 10);
}

TEST(gate_refuses_an_announced_length_beyond_the_limit)
{
    const struct route row = {.body_kind = BODY_JSON};
    for (size_t limit = 9; limit <= 11; limit++) {
        struct err e = {0};
        struct head h = {.version = "HTTP/1.0"};
        size_t length;
        gate_header(&h, "Content-Length", 14, "10", 2);
        ck_assert(gate_has_body(&h));
        ck_assert(gate_body(&h, &row, limit, &length, &e) == (limit >= 10));
        ck_assert_uint_eq(length, 10);
        ck_assert_int_eq(e.kind, limit >= 10 ? ERR_NONE : ERR_TOO_LARGE);
    }
}
