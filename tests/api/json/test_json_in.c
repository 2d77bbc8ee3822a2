// SPDX-License-Identifier: MIT
#include "api/json/json_in.h"
#include "tests/harness.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json_in reader(const char *text)
{
    struct arena a;
    struct faults f;
    struct err e = {0};
    arena_init(&a, 1 << 20);
    faults_init(&f, &a);
    ck_assert_msg(json_scan(text, strlen(text), NULL, 0, &a, &f, &e), "%s: %s", text, e.text);
    arena_release(&a);
    return json_in((struct json_span){text, strlen(text)});
}

static void same_as_strtod(const char *text)
{
    struct json_in in = {text};
    double got = json_number(&in), want = strtod(text, NULL);
    ck_assert_msg(memcmp(&got, &want, sizeof got) == 0, "%s: %a, not %a", text, got, want);
    ck_assert_uint_eq((size_t)(in.at - text), strlen(text));
}

TEST(numbers_of_every_form_are_rounded_correctly)
{
    static const char *const text[] = {"0",
                                       "-0",
                                       "0.0",
                                       "-0.0e-5",
                                       "1",
                                       "-1",
                                       "0.1",
                                       "0.3",
                                       "1.5",
                                       "123456789.123456789",
                                       "9007199254740993",
                                       "9007199254740992.5",
                                       "9007199254740993e1",
                                       "1e22",
                                       "1e23",
                                       "1e-22",
                                       "1e-23",
                                       "1e27",
                                       "1e-27",
                                       "1e28",
                                       "123e-30",
                                       "18446744073709551615",
                                       "9999999999999999999",
                                       "99999999999999999999",
                                       "1.7976931348623157e308",
                                       "2.2250738585072014e-308",
                                       "5e-324",
                                       "2e-324",
                                       "1e-400",
                                       "0.1e-5",
                                       "100e-2",
                                       "1E5",
                                       "1e+5",
                                       "1e00005",
                                       "0e999999999999",
                                       "0.000000000000000000000000000001",
                                       "8.442911973260991817129021e15",
                                       "9007199254740992.9999999999999999999",
                                       "1.00000000000000011102230246251565404236316680908203125",
                                       "6929495644600919.5",
                                       "3.0540412E5",
                                       "4503599627370497.5",
                                       "2.47032822920623272e-324"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        same_as_strtod(text[i]);
}

TEST(random_numbers_are_rounded_as_the_library_rounds_them)
{
    static const char *const format[] = {"%.17g", "%.9g", "%.3f", "%.15e", "%.16g", "%.18e"};
    uint64_t state = 1;
    char text[512];
    for (int i = 0; i < 300000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double x = ldexp((double)(int64_t)(state ^ state >> 29), (int)(state >> 40) % 100 - 80);
        snprintf(text, sizeof text, format[i % 6], x);
        same_as_strtod(text);
    }
    // Long digits over large powers: what a division leaves over decides here.
    for (int i = 0; i < 100000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        snprintf(text, sizeof text, "%llue-%d", (unsigned long long)(state >> 1), 23 + i % 5);
        same_as_strtod(text);
    }
    // Integers near the middle between two doubles, shifted by powers of ten.
    for (int k = -27; k <= 27; k++)
        for (uint64_t w = (1u << 10) + 1; w < 1u << 11; w++) {
            snprintf(text, sizeof text, "%llue%d", (unsigned long long)((w << 53) + (1u << 10)), k);
            same_as_strtod(text);
        }
}

TEST(an_array_of_arrays_is_read_to_its_end)
{
    struct json_in in = reader(" [ [1,2.5] ,[ ], [-3e1 , 4 ]\n] ");
    double sum = 0;
    int rows = 0;
    ck_assert_int_eq(json_kind(&in), JSON_ARRAY);
    for (json_enter(&in); json_more(&in); rows++)
        for (json_enter(&in); json_more(&in);)
            sum += json_number(&in);
    ck_assert_int_eq(rows, 3);
    ck_assert_double_eq(sum, -22.5);
    ck_assert_str_eq(in.at, " ");
}

TEST(an_object_gives_keys_and_values_of_every_kind)
{
    struct arena a;
    arena_init(&a, 1000);
    struct json_in in = reader("{ \"n\" : null, \"t\":true,\"f\":false, \"s\\u0041\":\"x\\ny\", "
                               "\"o\":{\"a\":[1,\"]}\"]}, \"plain\":\"z\\\\\" }");
    struct json_text key, text;
    json_enter(&in);
    ck_assert(json_key(&in, &key, &a) && key.len == 1 && *key.at == 'n');
    ck_assert_int_eq(json_kind(&in), JSON_NULL);
    json_null(&in);
    ck_assert(json_key(&in, &key, &a) && json_kind(&in) == JSON_BOOL && json_bool(&in));
    ck_assert(json_key(&in, &key, &a) && !json_bool(&in));
    ck_assert(json_key(&in, &key, &a) && key.len == 2 && memcmp(key.at, "sA", 2) == 0);
    ck_assert(json_string(&in, &text, &a) && text.len == 3 && memcmp(text.at, "x\ny", 3) == 0);
    ck_assert(json_key(&in, &key, &a) && json_kind(&in) == JSON_OBJECT);
    struct json_span span = json_skip(&in);
    ck_assert(span.len == 14 && memcmp(span.at, "{\"a\":[1,\"]}\"]}", 14) == 0);
    ck_assert(json_key(&in, &key, &a) && json_string(&in, &text, &a));
    ck_assert(text.len == 2 && memcmp(text.at, "z\\", 2) == 0);
    ck_assert(!json_key(&in, &key, &a));
    ck_assert_int_eq(*in.at, '\0');
    arena_release(&a);
}

TEST(every_value_can_be_skipped)
{
    struct json_in in = reader("[1.5e+7,-0,true,false,null,\"\\\"]\",[[]],{},{\"a\":\"}\"},0]");
    static const size_t len[] = {6, 2, 4, 5, 4, 5, 4, 2, 9, 1};
    size_t n = 0;
    for (json_enter(&in); json_more(&in); n++)
        ck_assert_uint_eq(json_skip(&in).len, len[n]);
    ck_assert_uint_eq(n, 10);
}

TEST(escapes_decode_to_utf8)
{
    struct arena a;
    arena_init(&a, 1000);
    struct json_in in =
        reader("\"\\u0041\\u00e9\\u20AC\\ud83D\\uDE00\\/\\b\\f\\r\\t\\\"\xc3\xa9\"");
    struct json_text text;
    ck_assert(json_string(&in, &text, &a));
    const char want[] = "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/\b\f\r\t\"\xc3\xa9";
    ck_assert_uint_eq(text.len, sizeof want - 1);
    ck_assert_int_eq(memcmp(text.at, want, text.len), 0);
    arena_release(&a);
}

TEST(a_string_without_escapes_is_not_copied_and_a_full_arena_is_told)
{
    struct arena none;
    arena_init(&none, 0);
    const char *body = "[\"plain\", \"esc\\n\"]";
    struct json_in in = reader(body);
    struct json_text text;
    json_enter(&in);
    ck_assert(json_more(&in) && json_string(&in, &text, &none));
    ck_assert_ptr_eq(text.at, body + 2);
    ck_assert(json_more(&in) && !json_string(&in, &text, &none));
    ck_assert(!json_more(&in));
}
