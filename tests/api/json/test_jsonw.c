// SPDX-License-Identifier: MIT
#include "api/json/jsonw.h"
#include "tests/harness.h"

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static struct jsonw writer(void)
{
    struct jsonw w;
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    jsonw_init(&w, &arena);
    return w;
}

static void expect(struct jsonw *w, const char *want)
{
    struct err e = {0};
    size_t len;
    const char *text = jsonw_text(w, &len, &e);
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, want);
    ck_assert_uint_eq(len, strlen(want));
    struct faults f;
    faults_init(&f, &arena);
    ck_assert_msg(json_scan(text, len, NULL, 0, &arena, &f, &e), "%s", e.text);
}

TEST(a_document_is_written_with_its_commas)
{
    struct jsonw w = writer();
    jsonw_object(&w, NULL);
    jsonw_int(&w, "id", -17);
    jsonw_array(&w, "empty");
    jsonw_end(&w);
    jsonw_array(&w, "list");
    jsonw_bool(&w, NULL, true);
    jsonw_null(&w, NULL);
    jsonw_object(&w, NULL);
    jsonw_end(&w);
    jsonw_raw(&w, NULL, (struct json_span){"[1]", 3});
    jsonw_end(&w);
    jsonw_string(&w, "none", NULL);
    jsonw_raw(&w, "raw", (struct json_span){0});
    jsonw_json(&w, "json", "{}");
    jsonw_chars(&w, "part", "abcdef", 3);
    jsonw_end(&w);
    expect(&w, "{\"id\":-17,\"empty\":[],\"list\":[true,null,{},[1]],\"none\":null,\"raw\":null,"
               "\"json\":{},\"part\":\"abc\"}");
}

TEST(strings_are_escaped_and_bad_bytes_replaced)
{
    struct jsonw w = writer();
    jsonw_string(&w, NULL,
                 "a\"\\\b\f\n\r\t\x01\x1f/\x7f\xc3\xa9\xf0\x9f\x98\x80|\xff|\x80|\xe2\x82|\xc3");
    expect(&w, "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f/"
               "\\u007f\xc3\xa9\xf0\x9f\x98\x80|\xef\xbf\xbd|\xef\xbf\xbd|"
               "\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\"");
}

// In texts, in keys, and in JSON of a client's that is handed on.
TEST(what_a_terminal_might_obey_is_escaped)
{
    static const char text[] =
        "\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\xe2\x81\xa9\xe2\x80\xa8\xd8\x9c\xc2\xa0"
        "\xe2\x80\xaf\xe2\x81\xaa",
                      raw[] = "{\"\xc2\x9b\x7f\":[1,\"a\\\"\xe2\x80\xae\xc3\xa9\"]}";
    struct jsonw w = writer();
    jsonw_object(&w, NULL);
    jsonw_string(&w, text, text);
    jsonw_json(&w, "raw", raw);
    jsonw_end(&w);
#define TEXT                                                                                       \
    "\"\\u001b[2J\\u007f\\u009b\\u202e\\u2069\\u2028\\u061c\xc2\xa0\xe2\x80\xaf\xe2\x81\xaa\""
    expect(&w, "{" TEXT ":" TEXT ",\"raw\":{\"\\u009b\\u007f\":[1,\"a\\\"\\u202e\xc3\xa9\"]}}");
}

TEST(numbers_that_json_lacks_become_null)
{
    struct jsonw w = writer();
    jsonw_array(&w, NULL);
    jsonw_real(&w, NULL, NAN);
    jsonw_real(&w, NULL, -INFINITY);
    jsonw_float(&w, NULL, INFINITY);
    jsonw_float(&w, NULL, NAN);
    jsonw_end(&w);
    expect(&w, "[null,null,null,null]");
}

TEST(numbers_are_short_and_read_back_the_same)
{
    struct jsonw w = writer();
    jsonw_array(&w, NULL);
    jsonw_real(&w, NULL, 0.1);
    jsonw_real(&w, NULL, 1);
    jsonw_real(&w, NULL, -0.0);
    jsonw_real(&w, NULL, 1e100);
    jsonw_real(&w, NULL, 0.1 + 0.2);
    jsonw_real(&w, NULL, DBL_MAX);
    jsonw_real(&w, NULL, 5e-324);
    jsonw_float(&w, NULL, 0.1f);
    jsonw_float(&w, NULL, 16777217.0f / 3);
    jsonw_int(&w, NULL, INT64_MIN);
    jsonw_end(&w);
    expect(&w, "[0.1,1,-0,1e+100,0.30000000000000004,1.7976931348623157e+308,"
               "4.94065645841247e-324,0.1,5592405.5,-9223372036854775808]");
}

TEST(every_float_reads_back_the_same)
{
    unsigned bits = 1;
    for (int i = 0; i < 100000; i++, bits = bits * 1664525u + 1013904223u) {
        float x;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x))
            continue;
        struct jsonw w = writer();
        struct err e = {0};
        jsonw_float(&w, NULL, x);
        ck_assert_float_eq(strtof(jsonw_text(&w, NULL, &e), NULL), x);
    }
}

// With room made for it a text fits where growing would leave too much behind.
TEST(a_text_with_room_made_for_it_does_not_move)
{
    for (int made = 0; made < 2; made++) {
        struct arena small;
        struct err e = {0};
        struct jsonw w;
        arena_init(&small, 150000);
        jsonw_init(&w, &small);
        if (made)
            jsonw_reserve(&w, 100000);
        jsonw_array(&w, NULL);
        for (int i = 0; i < 10000; i++)
            jsonw_int(&w, NULL, 123456789);
        jsonw_end(&w);
        ck_assert(!jsonw_text(&w, NULL, &e) == !made);
        arena_release(&small);
    }
}

TEST(a_long_text_grows_and_a_full_arena_is_told)
{
    struct jsonw w = writer();
    jsonw_array(&w, NULL);
    for (int i = 0; i < 20000; i++)
        jsonw_int(&w, NULL, i);
    jsonw_end(&w);
    struct err e = {0};
    ck_assert_ptr_nonnull(jsonw_text(&w, NULL, &e));
    struct arena small;
    arena_init(&small, 5000);
    jsonw_init(&w, &small);
    jsonw_array(&w, NULL);
    for (int i = 0; i < 20000; i++)
        jsonw_int(&w, NULL, i);
    jsonw_end(&w);
    ck_assert_ptr_null(jsonw_text(&w, NULL, &e));
    ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
    arena_release(&small);
}
