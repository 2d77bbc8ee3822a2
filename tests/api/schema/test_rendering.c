// SPDX-License-Identifier: MIT
#include "api/schema/rendering.h"

#include "tests/harness.h"

#include <string.h>

static const struct rendering json = {.name = "json", .media = "application/json"},
                              svg = {.name = "svg", .media = "image/svg+xml"},
                              csv = {.name = "csv", .media = "text/csv; charset=utf-8"};

TEST(renderings_are_found_by_name)
{
    static const struct rendering *const list[] = {&json, &svg, NULL};
    ck_assert_ptr_eq(rendering_find(list, "svg"), &svg);
    ck_assert_ptr_null(rendering_find(list, "csv"));
    ck_assert_ptr_null(rendering_find(list, ""));
    ck_assert_ptr_null(rendering_find(list, "sv"));
}

TEST(renderings_are_listed_as_words_and_as_media_types)
{
    static const struct rendering *const one[] = {&json, NULL}, *const three[] = {&json, &svg, &csv,
                                                                                  NULL};
    char out[RENDERING_WORDS];
    ck_assert_str_eq(rendering_names(one, out), "json");
    ck_assert_str_eq(rendering_names(three, out), "json, svg or csv");
    ck_assert_str_eq(rendering_media(three, out), "application/json, image/svg+xml or text/csv");
}

TEST(a_long_list_of_renderings_is_cut_short)
{
    const struct rendering *list[40] = {NULL};
    char out[RENDERING_WORDS];
    for (int i = 0; i < 39; i++)
        list[i] = &svg;
    ck_assert_uint_eq(strlen(rendering_media(list, out)), RENDERING_WORDS - 1);
}
