// SPDX-License-Identifier: MIT
#include "api/json/json.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(s) s, sizeof(s) - 1

static struct arena arena;
static struct faults faults;
static struct err err;

static bool scan(const char *text, size_t len)
{
    arena_release(&arena);
    arena_init(&arena, 64 << 20);
    faults_init(&faults, &arena);
    err = (struct err){0};
    return json_scan(text, len, NULL, 0, &arena, &faults, &err);
}

static const struct {
    const char *text;
    size_t len;
} valid[] = {
    {TEXT("{}")},
    {TEXT("[]")},
    {TEXT(" \t\r\n[\n]\t ")},
    {TEXT("null")},
    {TEXT("true")},
    {TEXT("false")},
    {TEXT("0")},
    {TEXT("-0")},
    {TEXT("-0.0")},
    {TEXT("42")},
    {TEXT("-1")},
    {TEXT("1.5")},
    {TEXT("0.1e1")},
    {TEXT("0e+1")},
    {TEXT("0e1")},
    {TEXT("1E22")},
    {TEXT("1E-2")},
    {TEXT("1e+2")},
    {TEXT("123.456e78")},
    {TEXT("1.7976931348623157e308")},
    {TEXT("1e-400")},
    {TEXT("1e-0000099")},
    {TEXT("0.00000000000000000000000000000000000000000000000000000000000000000000001")},
    {TEXT("12345678901234567890123456789012345678901234567890")},
    {TEXT("\"\"")},
    {TEXT("\"a\"")},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")},
    {TEXT("\"\\u0041\\u00e9\\u20AC\"")},
    {TEXT("\"\\uD83D\\uDE00\"")},
    {TEXT("\"\\ud83d\\udfff\"")},
    {TEXT("\"\\uFFFF\\uD7FF\\uE000\"")},
    {TEXT("\"\\\\u0000\"")},
    {TEXT("\"\x7f\"")},
    {TEXT("\"\xc2\x80\xdf\xbf\"")},
    {TEXT("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"")},
    {TEXT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"")},
    {TEXT("[1,2,3]")},
    {TEXT("[1 , 2]")},
    {TEXT("[null,true,false,\"x\",{},[]]")},
    {TEXT("{\"a\":1}")},
    {TEXT("{\"a\" : 1 , \"b\" : 2}")},
    {TEXT("{\"a\":{\"a\":{\"a\":1}}}")},
    {TEXT("[{\"a\":1},{\"a\":1}]")},
    {TEXT("{\"\":0}")},
    {TEXT("{\"a\":1,\"A\":1}")},
    {TEXT("{\"a\\u0041\":1,\"a\":1}")},
    {TEXT("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]")},
};

LOOP_TEST(json_accepts_what_the_grammar_allows, sizeof valid / sizeof *valid)
{
    ck_assert_msg(scan(valid[_i].text, valid[_i].len), "%s: %s", valid[_i].text, err.text);
    ck_assert_uint_eq(faults.total, 0);
}

static const struct {
    const char *text;
    size_t len;
    const char *code, *at;
    int column;
} invalid[] = {
    {TEXT(""), "malformed", "", 1},
    {TEXT(" "), "malformed", "", 2},
    {TEXT("["), "malformed", "/0", 2},
    {TEXT("]"), "malformed", "", 1},
    {TEXT("{"), "malformed", "", 2},
    {TEXT("}"), "malformed", "", 1},
    {TEXT("[1"), "malformed", "", 3},
    {TEXT("[1,"), "malformed", "/1", 4},
    {TEXT("[1,]"), "malformed", "/1", 4},
    {TEXT("[,1]"), "malformed", "/0", 2},
    {TEXT("[1,,2]"), "malformed", "/1", 4},
    {TEXT("[,]"), "malformed", "/0", 2},
    {TEXT("[1 2]"), "malformed", "", 4},
    {TEXT("[1}"), "malformed", "", 3},
    {TEXT("[1]]"), "malformed", "", 4},
    {TEXT("[1:2]"), "malformed", "", 3},
    {TEXT("[]x"), "malformed", "", 3},
    {TEXT("{}{}"), "malformed", "", 3},
    {TEXT("1 2"), "malformed", "", 3},
    {TEXT("{\"a\"}"), "malformed", "", 5},
    {TEXT("{\"a\":}"), "malformed", "/a", 6},
    {TEXT("{\"a\":1,}"), "malformed", "", 8},
    {TEXT("{,\"a\":1}"), "malformed", "", 2},
    {TEXT("{\"a\":1,,\"b\":2}"), "malformed", "", 8},
    {TEXT("{\"a\":1 \"b\":2}"), "malformed", "", 8},
    {TEXT("{\"a\",1}"), "malformed", "", 5},
    {TEXT("{\"a\"::1}"), "malformed", "/a", 6},
    {TEXT("{a:1}"), "malformed", "", 2},
    {TEXT("{'a':1}"), "malformed", "", 2},
    {TEXT("{1:1}"), "malformed", "", 2},
    {TEXT("{null:1}"), "malformed", "", 2},
    {TEXT("{\"a\":1"), "malformed", "", 7},
    {TEXT("{\"a\":1]"), "malformed", "", 7},
    {TEXT("{\"a"), "malformed", "", 4},
    {TEXT("'a'"), "malformed", "", 1},
    {TEXT("01"), "malformed", "", 1},
    {TEXT("-01"), "malformed", "", 2},
    {TEXT("00"), "malformed", "", 1},
    {TEXT("+1"), "malformed", "", 1},
    {TEXT("-"), "malformed", "", 2},
    {TEXT("--1"), "malformed", "", 2},
    {TEXT("1."), "malformed", "", 3},
    {TEXT(".5"), "malformed", "", 1},
    {TEXT("-.5"), "malformed", "", 2},
    {TEXT("1.e1"), "malformed", "", 3},
    {TEXT("1e"), "malformed", "", 3},
    {TEXT("1e+"), "malformed", "", 4},
    {TEXT("1eE2"), "malformed", "", 3},
    {TEXT("1.2.3"), "malformed", "", 4},
    {TEXT("0x10"), "malformed", "", 2},
    {TEXT("1_000"), "malformed", "", 2},
    {TEXT("1a"), "malformed", "", 2},
    {TEXT("1,5"), "malformed", "", 2},
    {TEXT("\xef\xbc\x91"), "malformed", "", 1},
    {TEXT("NaN"), "malformed", "", 1},
    {TEXT("nan"), "malformed", "", 1},
    {TEXT("Infinity"), "malformed", "", 1},
    {TEXT("-Infinity"), "malformed", "", 2},
    {TEXT("inf"), "malformed", "", 1},
    {TEXT("1e999"), "not_finite", "", 1},
    {TEXT("-1e999"), "not_finite", "", 1},
    {TEXT("1.8e308"), "not_finite", "", 1},
    {TEXT("{\"a\":[0,1e309]}"), "not_finite", "/a/1", 9},
    {TEXT("True"), "malformed", "", 1},
    {TEXT("TRUE"), "malformed", "", 1},
    {TEXT("tru"), "malformed", "", 1},
    {TEXT("truee"), "malformed", "", 5},
    {TEXT("nul"), "malformed", "", 1},
    {TEXT("None"), "malformed", "", 1},
    {TEXT("undefined"), "malformed", "", 1},
    {TEXT("\""), "malformed", "", 2},
    {TEXT("\"a"), "malformed", "", 3},
    {TEXT("\"\\"), "malformed", "", 2},
    {TEXT("\"\\\""), "malformed", "", 4},
    {TEXT("\"\\a\""), "malformed", "", 2},
    {TEXT("\"\\x41\""), "malformed", "", 2},
    {TEXT("\"\\0\""), "malformed", "", 2},
    {TEXT("\"\\U0041\""), "malformed", "", 2},
    {TEXT("\"\\u\""), "malformed", "", 2},
    {TEXT("\"\\u004\""), "malformed", "", 2},
    {TEXT("\"\\u00G0\""), "malformed", "", 2},
    {TEXT("\"\\u 041\""), "malformed", "", 2},
    {TEXT("\"\\u0000\""), "malformed", "", 2},
    {TEXT("\"\\uD800\""), "malformed", "", 2},
    {TEXT("\"\\uD800x\""), "malformed", "", 2},
    {TEXT("\"\\uD800\\n\""), "malformed", "", 2},
    {TEXT("\"\\uD800\\u0041\""), "malformed", "", 2},
    {TEXT("\"\\uD800\\uD800\""), "malformed", "", 2},
    {TEXT("\"\\uDC00\\uD800\""), "malformed", "", 2},
    {TEXT("\"\\uD800\\uDC0\""), "malformed", "", 2},
    {TEXT("\"\t\""), "malformed", "", 2},
    {TEXT("\"\n\""), "malformed", "", 2},
    {TEXT("\"a\0b\""), "malformed", "", 3},
    {TEXT("\"\x1f\""), "malformed", "", 2},
    {TEXT("\"\x80\""), "malformed", "", 2},
    {TEXT("\"\xff\""), "malformed", "", 2},
    {TEXT("\"\xc0\xaf\""), "malformed", "", 2},
    {TEXT("\"\xc1\xbf\""), "malformed", "", 2},
    {TEXT("\"\xc3\""), "malformed", "", 2},
    {TEXT("\"\xc3\x28\""), "malformed", "", 2},
    {TEXT("\"\xe0\x80\xaf\""), "malformed", "", 2},
    {TEXT("\"\xe2\x82\""), "malformed", "", 2},
    {TEXT("\"\xed\xa0\x80\""), "malformed", "", 2},
    {TEXT("\"\xf0\x80\x80\x80\""), "malformed", "", 2},
    {TEXT("\"\xf4\x90\x80\x80\""), "malformed", "", 2},
    {TEXT("\"\xf5\x80\x80\x80\""), "malformed", "", 2},
    {TEXT("\"\xf0\x9f\x98\""), "malformed", "", 2},
    {TEXT("\"\xf8\x88\x80\x80\x80\""), "malformed", "", 2},
    {TEXT("\xef\xbb\xbf{}"), "malformed", "", 1},
    {TEXT("[1]\0"), "malformed", "", 4},
    {TEXT("\0"), "malformed", "", 1},
    {TEXT("[\f]"), "malformed", "/0", 2},
    {TEXT("[\v1]"), "malformed", "/0", 2},
    {TEXT("[\xc2\xa0]"), "malformed", "/0", 2},
    {TEXT("[1]//x"), "malformed", "", 4},
    {TEXT("/**/1"), "malformed", "", 1},
    {TEXT("{\"a\":1,\"a\":1}"), "duplicate_key", "/a", 8},
    {TEXT("{\"a\":1,\"\\u0061\":1}"), "duplicate_key", "/a", 8},
    {TEXT("[{\"x/~\":{\"b\":0,\"b\":0}}]"), "duplicate_key", "/0/x~1~0/b", 16},
    {TEXT("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"), "too_deep", "/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0",
     17},
};

LOOP_TEST(json_refuses_everything_else_and_names_the_place, sizeof invalid / sizeof *invalid)
{
    ck_assert_msg(!scan(invalid[_i].text, invalid[_i].len), "accepted: %s", invalid[_i].text);
    ck_assert_int_eq(err.kind, ERR_MALFORMED);
    ck_assert_uint_eq(faults.n, 1);
    ck_assert_str_eq(faults.item[0].code, invalid[_i].code);
    ck_assert_msg(strcmp(err.at, invalid[_i].at) == 0, "%s: place \"%s\"", invalid[_i].text,
                  err.at);
    ck_assert_str_eq(faults.item[0].pointer, invalid[_i].at);
    const char *column = strstr(err.text, "column ");
    ck_assert_msg(column && atoi(column + 7) == invalid[_i].column, "%s: %s", invalid[_i].text,
                  err.text);
}

TEST(json_counts_lines)
{
    ck_assert(!scan(TEXT("{\n  \"a\": [\n    1,\n    x\n  ]\n}")));
    ck_assert_str_eq(err.text, "could not read the body as JSON: line 4, column 5: expected a "
                               "value, found 'x'");
    ck_assert_str_eq(err.at, "/a/1");
}

// Every proper prefix of a body is refused, and reading never goes past it (the sanitizers look).
TEST(json_refuses_every_prefix)
{
    const char body[] = "{\"n\": [1.5e-3, -0, true, null], \"s\": \"\\u00e9\\uD83D\\uDE00 "
                        "\xe2\x82\xac\\n\", \"o\": {\"k\": [[], {}]}}";
    ck_assert(scan(body, sizeof body - 1));
    for (size_t len = 0; len < sizeof body - 1; len++) {
        char *part = malloc(len + 1);
        memcpy(part, body, len);
        part[len] = '\0';
        ck_assert_msg(!scan(part, len), "accepted: %s", part);
        free(part);
    }
}

TEST(json_survives_a_depth_bomb)
{
    enum { LEN = 1 << 20 };
    char *bomb = malloc(LEN + 1);
    memset(bomb, '[', LEN);
    bomb[LEN] = '\0';
    ck_assert(!scan(bomb, LEN));
    ck_assert_str_eq(faults.item[0].code, "too_deep");
    free(bomb);
}

static char *many_keys(int n, int repeat, size_t *len)
{
    char *text = malloc((size_t)n * 16 + 32), *p = text;
    *p++ = '{';
    for (int i = 0; i < n; i++)
        p += sprintf(p, "%s\"k%d\":%d", i ? "," : "", i == n - 1 && repeat >= 0 ? repeat : i, i);
    *p++ = '}';
    *p = '\0';
    *len = (size_t)(p - text);
    return text;
}

TEST(json_finds_a_repeated_key_among_many)
{
    static const int sizes[] = {2, 16, 17, 18, 100, 1000, 32768};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t len;
        char *text = many_keys(sizes[i], -1, &len);
        ck_assert_msg(scan(text, len), "%s", err.text);
        free(text);
        text = many_keys(sizes[i], sizes[i] / 3, &len);
        ck_assert(!scan(text, len));
        ck_assert_str_eq(faults.item[0].code, "duplicate_key");
        free(text);
    }
}

TEST(json_takes_a_bounded_number_of_keys_in_one_object)
{
    size_t len;
    char *text = many_keys(32769, -1, &len);
    ck_assert(!scan(text, len));
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    ck_assert_str_eq(err.text, "the body has more than 32768 keys in one object");
    free(text);
}

TEST(json_gives_back_what_it_took_to_check)
{
    size_t len;
    char *text = many_keys(1000, -1, &len);
    ck_assert(scan(text, len));
    ck_assert_uint_eq(arena.used, 0);
    free(text);
    text = many_keys(1000, 3, &len);
    ck_assert(!scan(text, len));
    ck_assert_uint_lt(arena.used, 1000);
    free(text);
}

TEST(json_says_too_large_when_keys_do_not_fit_the_arena)
{
    size_t len;
    char *text = many_keys(10000, -1, &len);
    struct arena small;
    arena_init(&small, 20000);
    faults_init(&faults, &small);
    err = (struct err){0};
    ck_assert(!json_scan(text, len, NULL, 0, &small, &faults, &err));
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    arena_release(&small);
    free(text);
}

TEST(json_lifts_members_of_the_outermost_object_only)
{
    const char body[] = "{\"a\": {\"data\": 0}, \"data\" : [1, 2 ] , \"b\": \"x\", \"m\":{}}";
    struct json_want want[] = {{.key = "m"}, {.key = "data"}, {.key = "none"}};
    arena_init(&arena, 1 << 20);
    faults_init(&faults, &arena);
    ck_assert(json_scan(body, sizeof body - 1, want, 3, &arena, &faults, &err));
    ck_assert_int_eq(strncmp(want[1].value.at, "[1, 2 ]", want[1].value.len), 0);
    ck_assert_uint_eq(want[1].value.len, 7);
    ck_assert_uint_eq(want[0].value.len, 2);
    ck_assert_ptr_null(want[2].value.at);
    const char *rest = json_rest(body, sizeof body - 1, want, 3, 100, &arena, &err);
    ck_assert_str_eq(rest, "{\"a\": {\"data\": 0}, \"data\" : null , \"b\": \"x\", \"m\":null}");
    ck_assert_ptr_null(json_rest(body, sizeof body - 1, want, 3, 20, &arena, &err));
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
}
