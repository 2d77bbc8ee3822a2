// SPDX-License-Identifier: MIT
#include "server/http/chunk.h"

#include "tests/harness.h"

static const struct {
    const char *line;
    bool ok;
    uint64_t size;
} lines[] = {
    {"0", true, 0},
    {"1F", true, 31},
    {"00a", true, 10},
    {"fffffffffffffff", true, UINT64_C(0xfffffffffffffff)},
    {"1000000000000000", false, 0}, // 16 digits
    {"", false, 0},
    {"g", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {"0x1", false, 0},
    {" 1", false, 0},
    {"5 ", false, 0},
    {"5;a", true, 5},
    {"5 ; a", true, 5},
    {"5;a=b", true, 5},
    {"5;a = b;c", true, 5},
    {"5;a=\"b;\\\"c\"", true, 5},
    {"5;a=\"b", false, 0},
    {"5;a=\"b\\", false, 0},
    {"5;", false, 0},
    {"5;a=", false, 0},
    {"5;=b", false, 0},
    {"5 a", false, 0},
    {"5;a b", false, 0},
    {"5;a;", false, 0},
};

LOOP_TEST(a_chunk_has_a_size_and_extensions_and_nothing_else, sizeof lines / sizeof *lines)
{
    uint64_t size = 0;
    ck_assert_msg(chunk_size(lines[_i].line, &size) == lines[_i].ok, "%s", lines[_i].line);
    ck_assert_uint_eq(size, lines[_i].size);
}
