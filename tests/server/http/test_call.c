// SPDX-License-Identifier: MIT
#include "server/http/call.h"

#include "tests/harness.h"

#include <string.h>

static const struct {
    const char *text;
    int64_t id; // 0: refused
} ids[] = {
    {"1", 1},
    {"17", 17},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775808", 0},
    {"0", 0},
    {"01", 0},
    {"-1", 0},
    {"+1", 0},
    {" 1", 0},
    {"1 ", 0},
    {"1.0", 0},
    {"1e3", 0},
    {"x", 0},
};

LOOP_TEST(call_id_takes_plain_positive_numbers, sizeof ids / sizeof *ids)
{
    struct err e = {0};
    struct call c = {.segment = {ids[_i].text}};
    int64_t id = 0;
    ck_assert(call_id(&c, 0, "job", &id, &e) == (ids[_i].id != 0));
    ck_assert_int_eq(id, ids[_i].id);
    if (!id) {
        ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(e.text, "no such job"));
    }
}

TEST(call_reply_hands_over_the_text)
{
    struct call c = {.status = 201};
    ck_assert(call_reply(&c, "abc", 3));
    ck_assert_str_eq(c.out, "abc");
    ck_assert_uint_eq(c.out_len, 3);
    ck_assert_int_eq(c.status, 201);
}
