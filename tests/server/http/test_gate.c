// SPDX-License-Identifier: MIT
#include "server/http/gate.h"

#include "tests/harness.h"

#include <string.h>

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
    head_add(&h, "Content-Type", media[_i].type, &e);
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
        head_add(&h, "Content-Length", "10", &e);
        ck_assert(head_has_body(&h));
        ck_assert(gate_body(&h, &row, limit, &length, &e) == (limit >= 10));
        ck_assert_uint_eq(length, 10);
        ck_assert_int_eq(e.kind, limit >= 10 ? ERR_NONE : ERR_TOO_LARGE);
    }
}
