// SPDX-License-Identifier: MIT
#include "api/files/prep_json.h"
#include "tests/harness.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct err err;

static void begin(void)
{
    arena_release(&arena);
    arena_init(&arena, 16 << 20);
    err = (struct err){0};
}

static const char *text_of(const struct prep *p)
{
    struct jsonw w;
    jsonw_init(&w, &arena);
    prep_write(p, &w);
    const char *text = jsonw_text(&w, NULL, &err);
    ck_assert_ptr_nonnull(text);
    return text;
}

static const char *const levels[] = {"Bern", "", "R\"o\\me\n", "\xc3\xa9\xe2\x82\xac", "\x01"};
static struct prep_column column[] = {
    {.name = "plain", .at = 0, .width = 1, .mean = .1, .std = 1. / 3, .fill = 1e-310},
    {.name = "with \"gaps\"",
     .at = 1,
     .width = 2,
     .mean = -DBL_MAX,
     .std = DBL_MIN,
     .fill = -0.,
     .indicator = true},
    {.name = "city",
     .type = COLUMN_CATEGORICAL,
     .at = 3,
     .width = 6,
     .level = levels,
     .n_level = 5},
    {.name = "none", .type = COLUMN_CATEGORICAL, .at = 9, .width = 1, .level = levels},
    {.name = "last", .at = 10, .width = 1, .mean = 123456789.123456789, .std = 1, .fill = 2e22},
};
static const struct prep prep = {.column = column, .n_column = 5, .n_feature = 11};

static void same_column(const struct prep_column *got, const struct prep_column *want)
{
    const double *a[] = {&got->mean, &got->std, &got->fill},
                 *b[] = {&want->mean, &want->std, &want->fill};
    ck_assert_str_eq(got->name, want->name);
    ck_assert(got->type == want->type && got->at == want->at && got->width == want->width &&
              got->indicator == want->indicator && got->n_level == want->n_level);
    for (int i = 0; i < 3; i++)
        ck_assert_mem_eq(a[i], b[i], sizeof(double));
    for (size_t i = 0; i < want->n_level; i++)
        ck_assert_str_eq(got->level[i], want->level[i]);
}

static bool read_text(struct prep *p, const char *text)
{
    return prep_read(p, arena_text(&arena, text, strlen(text)), &arena, &err);
}

TEST(what_is_written_is_read_again_bit_for_bit)
{
    struct prep p;
    begin();
    const char *text = text_of(&prep);
    ck_assert_msg(read_text(&p, text), "%s: %s", err.text, text);
    ck_assert(p.n_column == 5 && p.n_feature == 11);
    for (size_t i = 0; i < 5; i++)
        same_column(&p.column[i], &prep.column[i]);
    ck_assert_uint_eq(prep_find(&p, "city", 4), 2);
    ck_assert_str_eq(text_of(&p), text);
}

// Names and levels are found through a hash table: equal ones would cluster in it.
static const struct {
    const char *columns, *says;
} repeated[] = {
    {"[\"a\",\"categorical\",[\"u\",\"v\",\"u\"]]", "\"a\" has the level \"u\" twice"},
    {"[\"a\",\"numeric\",0,1,0,false],[\"a\",\"categorical\",[\"u\"]]",
     "two inputs are called \"a\""},
};

LOOP_TEST(a_repeated_name_or_level_is_refused, sizeof repeated / sizeof *repeated)
{
    struct prep p;
    begin();
    ck_assert(!read_text(
        &p, arena_printf(&arena, "{\"version\":1,\"columns\":[%s]}", repeated[_i].columns)));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_str_eq(err.text, repeated[_i].says);
}

// As many levels as training keeps, and one more.
LOOP_TEST(a_column_has_no_more_levels_than_training_keeps, 2)
{
    struct prep p;
    char text[4000];
    size_t at = (size_t)sprintf(text, "{\"version\":1,\"columns\":[[\"a\",\"categorical\",[\"v\"");
    begin();
    for (int i = 1; i < PREP_MAX_LEVELS + _i; i++)
        at += (size_t)sprintf(text + at, ",\"v%d\"", i);
    sprintf(text + at, "]]]}");
    ck_assert(read_text(&p, text) == (_i == 0));
    if (_i)
        ck_assert(err.kind == ERR_INVALID && strstr(err.text, "damaged"));
}

#define HEAD "\"version\":1"
static const char *const damaged[] = {
    "",
    "[]",
    "null",
    "{}",
    "{" HEAD "}",
    "{" HEAD ",\"columns\":{}}",
    "{" HEAD ",\"columns\":[1]}",
    "{" HEAD ",\"columns\":[[]]}",
    "{" HEAD ",\"columns\":[[\"a\"]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\"]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",1,2,3]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",1,2,3,false,4]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",1,null,3,false]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",1,\"2\",3,false]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",1,2,3,0]]}",
    "{" HEAD ",\"columns\":[[1,\"numeric\",1,2,3,true]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",1,0,3,true]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",1,-2,3,true]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",1,5e-324,3,true]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"numeric\",-1e999,2,3,true]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"Numeric\",1,2,3,true]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"categorical\",1,2,3,true]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"categorical\",[1]]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"categorical\",[\"x\"],[]]]}",
    "{" HEAD ",\"columns\":[[\"a\",\"categorical\",\"x\"]]}",
    "{\"columns\":[]}",
    "{\"version\":0,\"columns\":[]}",
    "{\"version\":2,\"columns\":[]}",
    "{\"version\":\"1\",\"columns\":[]}",
    "{" HEAD "," HEAD ",\"columns\":[]}",
};

LOOP_TEST(a_damaged_description_is_refused, sizeof damaged / sizeof *damaged)
{
    struct prep p;
    begin();
    ck_assert_msg(!read_text(&p, damaged[_i]), "%s", damaged[_i]);
    ck_assert_int_eq(err.kind, ERR_INVALID);
}

TEST(a_description_cut_off_anywhere_is_refused)
{
    struct prep p;
    char text[2000];
    begin();
    snprintf(text, sizeof text, "%s", text_of(&prep));
    for (size_t len = strlen(text); len-- > 0;) {
        text[len] = '\0';
        begin();
        ck_assert_msg(!read_text(&p, text), "%s", text);
    }
}

// Any byte replaced by any bracket, quote or digit: refused or read, but never worse.
TEST(one_wrong_byte_does_no_harm)
{
    struct prep p;
    char text[2000];
    begin();
    snprintf(text, sizeof text, "%s", text_of(&prep));
    for (size_t i = 0; text[i]; i++)
        for (const char *c = "[]{}\",:\\0e-n "; *c; c++) {
            char keep = text[i];
            text[i] = *c;
            begin();
            if (!read_text(&p, text))
                ck_assert_int_eq(err.kind, ERR_INVALID);
            text[i] = keep;
        }
}
