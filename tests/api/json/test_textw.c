// SPDX-License-Identifier: MIT
#include "api/json/textw.h"

#include "tests/harness.h"

#include <string.h>

static const struct {
    const char *text, *xml;
} texts[] = {
    {"", ""},
    {"plain", "plain"},
    {"a<b>&\"c\"'", "a&lt;b&gt;&amp;&quot;c&quot;'"},
    {"Z\xc3\xbcrich \xe2\x89\xa4 \xf0\x9f\x98\x80", "Z\xc3\xbcrich \xe2\x89\xa4 \xf0\x9f\x98\x80"},
    {"\x1b[1m\x01\x7f", "\xEF\xBF\xBD[1m\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"\xff<\xc3", "\xEF\xBF\xBD&lt;\xEF\xBF\xBD"},
    {"\xe2\x80\xae"
     "x",
     "\xEF\xBF\xBDx"}, // it would turn round what follows
};

LOOP_TEST(any_text_becomes_xml, sizeof texts / sizeof *texts)
{
    struct arena a;
    struct textw w;
    struct err e = {0};
    size_t len;
    arena_init(&a, 1 << 20);
    textw_init(&w, &a);
    textw_xml(&w, texts[_i].text);
    ck_assert_str_eq(textw_end(&w, &len, &e), texts[_i].xml);
    ck_assert_uint_eq(len, strlen(texts[_i].xml));
    arena_release(&a);
}

TEST(a_field_has_so_many_characters_and_none_that_a_terminal_obeys)
{
    static const struct {
        const char *text, *field;
        size_t width, n;
    } row[] = {{"abc", "abc", 5, 3},
               {"abc", "ab", 2, 2},
               {"a<&", "a<&", 3, 3},
               {"\xc3\xbc\xe2\x89\xa4x", "\xc3\xbc\xe2\x89\xa4", 2, 2},
               {"\x1b\xff"
                "b",
                "\xEF\xBF\xBD\xEF\xBF\xBD"
                "b",
                9, 3}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct arena a;
        struct textw w;
        struct err e = {0};
        size_t len;
        arena_init(&a, 1 << 20);
        textw_init(&w, &a);
        ck_assert_uint_eq(textw_field(&w, row[i].text, row[i].width), row[i].n);
        ck_assert_str_eq(textw_end(&w, &len, &e), row[i].field);
        arena_release(&a);
    }
}

// With room made for it a text fits where it just fits, without it does not.
TEST(a_text_with_room_made_for_it_does_not_move)
{
    for (int made = 0; made < 2; made++) {
        struct arena a;
        struct textw w;
        struct err e = {0};
        size_t len;
        arena_init(&a, 100000);
        textw_init(&w, &a);
        if (made)
            textw_reserve(&w, 90000);
        const char *at = w.text;
        for (int i = 0; i < 9000; i++)
            textw_add(&w, "%010d", i);
        const char *text = textw_end(&w, &len, &e);
        ck_assert(!made == !text);
        ck_assert_int_eq(e.kind, made ? ERR_NONE : ERR_TOO_LARGE);
        ck_assert(!made || (text == at && len == 90000));
        arena_release(&a);
    }
}

TEST(more_room_than_there_is_is_an_error)
{
    struct arena a;
    struct textw w;
    struct err e = {0};
    size_t len;
    arena_init(&a, 1000);
    textw_init(&w, &a);
    textw_reserve(&w, 2000);
    textw_put(&w, "x", 1);
    ck_assert_ptr_null(textw_end(&w, &len, &e));
    ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
    arena_release(&a);
}
