// SPDX-License-Identifier: MIT
// Replies printed by their rows: every type there and not there, and what is refused.

#include "api/schema/schema.h"
#include "tests/harness.h"

#include <math.h>
#include <string.h>

struct point {
    const char *name;
    double value;
};

struct sample {
    int64_t whole, time;
    double real;
    bool yes, has_on;
    const char *text;
    struct json_span raw;
    struct point object;
    const char *const *list;
    const struct point *items, *map;
    size_t n_list, n_items, n_map;
    double on;
    const char *stored;
    float single;
    struct matrix matrix;
};

static const struct field point_fields[] = {
    STRING("name", struct point, name),
    REAL("value", struct point, value, .nullable = true),
    {0},
};
static const struct schema point_schema = {
    .name = "Point", .field = point_fields, .size = sizeof(struct point), .reply = true};

static const struct field stored_fields[] = {
    STRING("a", struct point, name),
    REAL("b", struct point, value, .optional = true),
    {0},
};
static const struct schema stored_schema = {
    .name = "Stored", .field = stored_fields, .size = sizeof(struct point), .reply = true};

static const char *const kind[] = {"sample", NULL};

// The same members thrice: all must be there, may be null, may be left out.
#define ROWS(...)                                                                                  \
    WHOLE("whole", struct sample, whole, __VA_ARGS__),                                             \
        AS("time", struct sample, time, int64_t, FIELD_TIME, __VA_ARGS__),                         \
        REAL("real", struct sample, real, __VA_ARGS__),                                            \
        STRING("text", struct sample, text, __VA_ARGS__),                                          \
        RAW("raw", struct sample, raw, __VA_ARGS__),                                               \
        OBJECT("object", struct sample, object, struct point, .sub = &point_schema, __VA_ARGS__),  \
        LIST("list", struct sample, list, n_list, const char *, .of = FIELD_STRING, __VA_ARGS__),  \
        LIST("items", struct sample, items, n_items, struct point, .of = FIELD_OBJECT,             \
             .sub = &point_schema, __VA_ARGS__),                                                   \
        MAP("map", struct sample, map, n_map, struct point, .sub = &point_schema, __VA_ARGS__)

static const struct field must_fields[] = {
    {.key = "kind", .type = FIELD_CONST, .names = kind},
    BOOL("yes", struct sample, yes),
    ROWS(.min = 0),
    {0},
};
static const struct field may_fields[] = {ROWS(.optional = true), {0}};
static const struct field null_fields[] = {
    ROWS(.nullable = true),
    BOOL("yes", struct sample, yes, .on = AT(struct sample, has_on, bool), .nullable = true),
    {0}};
static const struct field on_fields[] = {
    REAL("on", struct sample, on, .on = AT(struct sample, has_on, bool), .nullable = true,
         .optional = true),
    {0},
};
static const struct field with_stored_fields[] = {
    WHOLE("whole", struct sample, whole),
    AS("stored", struct sample, stored, const char *, FIELD_STORED, .sub = &stored_schema,
       .optional = true),
    BOOL("yes", struct sample, yes),
    {0},
};

static struct arena arena;

static const char *print_with(const struct field *rows, const struct sample *s, struct err *e)
{
    const struct schema schema = {.field = rows, .size = sizeof *s, .reply = true};
    struct jsonw w;
    *e = (struct err){0};
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    jsonw_init(&w, &arena);
    schema_write(&schema, s, &w, NULL);
    return jsonw_text(&w, NULL, e);
}

static const char *const texts[] = {"x", "y"};
static const struct point points[] = {{"p", 1}, {"q", NAN}};

static const struct sample all = {
    .whole = 0,
    .time = 1500,
    .real = 0,
    .yes = true,
    .text = "",
    .raw = {"[1]", 3},
    .object = {"o", 0},
    .list = texts,
    .n_list = 2,
    .items = points,
    .n_items = 2,
    .map = points,
    .n_map = 2,
};
static const struct sample none = {.whole = -1, .real = NAN, .object = {NULL, 1}};

static const char ALL[] =
    "\"whole\":0,\"time\":1.5,\"real\":0,\"text\":\"\",\"raw\":[1],"
    "\"object\":{\"name\":\"o\",\"value\":0},\"list\":[\"x\",\"y\"],"
    "\"items\":[{\"name\":\"p\",\"value\":1},{\"name\":\"q\",\"value\":null}],"
    "\"map\":{\"p\":1,\"q\":null}";

TEST(what_is_there_is_printed_by_its_row_zero_and_all)
{
    struct err e;
    char want[512];
    snprintf(want, sizeof want, "{\"kind\":\"sample\",\"yes\":true,%s}", ALL);
    ck_assert_str_eq(print_with(must_fields, &all, &e), want);
    snprintf(want, sizeof want, "{%s}", ALL);
    ck_assert_str_eq(print_with(may_fields, &all, &e), want);
    snprintf(want, sizeof want, "{%s,\"yes\":null}", ALL);
    ck_assert_str_eq(print_with(null_fields, &all, &e), want);
}

TEST(what_is_not_there_is_null_or_left_out_as_the_row_says)
{
    struct err e;
    ck_assert_str_eq(print_with(may_fields, &none, &e), "{}");
    ck_assert_str_eq(print_with(null_fields, &none, &e),
                     "{\"whole\":null,\"time\":null,\"real\":null,\"text\":null,\"raw\":null,"
                     "\"object\":null,\"list\":null,\"items\":null,\"map\":null,\"yes\":null}");
}

TEST(what_may_be_null_and_left_out_goes_by_the_bool_beside_it)
{
    struct err e;
    ck_assert_str_eq(print_with(on_fields, &(struct sample){.on = 2}, &e), "{}");
    ck_assert_str_eq(print_with(on_fields, &(struct sample){.on = 2, .has_on = true}, &e),
                     "{\"on\":2}");
    ck_assert_str_eq(print_with(on_fields, &(struct sample){.on = NAN, .has_on = true}, &e),
                     "{\"on\":null}");
}

// Empty lists are lists, with or without a pointer.
LOOP_TEST(a_reply_that_lacks_what_it_must_have_is_refused_by_name, 7)
{
    struct sample s = all;
    struct err e;
    static const char *const key[] = {"whole", "time", "real", "text", "raw", "object", NULL};
    switch (_i) {
    case 0:
        s.whole = -1;
        break;
    case 1:
        s.time = 0;
        break;
    case 2:
        s.real = INFINITY;
        break;
    case 3:
        s.text = NULL;
        break;
    case 4:
        s.raw.at = NULL;
        break;
    case 5:
        s.object.name = NULL;
        break;
    default:
        s.list = NULL;
        s.items = s.map = NULL;
        s.n_list = s.n_items = s.n_map = 0;
    }
    const char *text = print_with(must_fields, &s, &e);
    if (!key[_i]) {
        ck_assert_ptr_nonnull(strstr(text, "\"list\":[],\"items\":[],\"map\":{}"));
        return;
    }
    char want[64];
    snprintf(want, sizeof want, "the answer has no \"%s\"", key[_i]);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(e.kind, ERR_INTERNAL);
    ck_assert_str_eq(e.text, want);
}

TEST(of_what_was_stored_the_members_with_a_row_stand_among_the_others)
{
    struct err e;
    struct sample s = {.stored = "{ \"z\": 3, \"a\" : [1, \"\\u0041\"], \"b\":2.50 }"};
    ck_assert_str_eq(print_with(with_stored_fields, &s, &e),
                     "{\"whole\":0,\"a\":[1, \"\\u0041\"],\"b\":2.50,\"yes\":false}");
    s.stored = "{\"\\u0061\":1}";
    ck_assert_str_eq(print_with(with_stored_fields, &s, &e), "{\"whole\":0,\"a\":1,\"yes\":false}");
    s.stored = NULL;
    ck_assert_str_eq(print_with(with_stored_fields, &s, &e), "{\"whole\":0,\"yes\":false}");
    s.stored = "{\"b\":1}";
    ck_assert_ptr_null(print_with(with_stored_fields, &s, &e));
    ck_assert_str_eq(e.text, "the answer has no \"a\"");
}

TEST(a_list_that_is_written_while_it_is_made_stands_where_its_row_is)
{
    const struct schema schema = {.field = must_fields, .size = sizeof all, .reply = true};
    struct err e;
    char whole[512];
    struct jsonw w;
    snprintf(whole, sizeof whole, "%s", print_with(must_fields, &all, &e));
    jsonw_init(&w, &arena);
    schema_write_to(&schema, &all, "list", &w);
    jsonw_string(&w, NULL, "x");
    jsonw_string(&w, NULL, "y");
    schema_write_rest(&schema, &all, "list", &w);
    ck_assert_str_eq(jsonw_text(&w, NULL, &e), whole);
}

TEST(matrices_and_floats_are_printed_and_described_with_their_gaps)
{
    static const float v[] = {0.1f, NAN, 3, 4, 5, 6};
    static const struct field rows[] = {
        AS("single", struct sample, single, float, FIELD_FLOAT, .nullable = true),
        AS("matrix", struct sample, matrix, struct matrix, FIELD_MATRIX, .optional = true,
           .gaps = true),
        {0},
    };
    const struct schema schema = {
        .name = "S", .doc = ".", .field = rows, .size = sizeof all, .reply = true};
    const struct sample s = {.single = 0.1f, .matrix = {v, 2, 3}};
    struct jsonw w;
    struct err e;
    ck_assert_str_eq(print_with(rows, &s, &e),
                     "{\"single\":0.1,\"matrix\":[[0.1,null,3],[4,5,6]]}");
    ck_assert_str_eq(print_with(rows, &(struct sample){.single = NAN}, &e), "{\"single\":null}");
    jsonw_init(&w, &arena);
    schema_json(&schema, &w, NULL);
    ck_assert_ptr_nonnull(strstr(jsonw_text(&w, NULL, &e),
                                 "\"matrix\":{\"type\":\"array\",\"items\":{\"type\":\"array\","
                                 "\"items\":{\"type\":[\"number\",\"null\"]}}}"));
}

TEST(a_stored_object_is_described_as_if_its_members_were_the_replys_own)
{
    const struct schema schema = {
        .name = "S", .doc = ".", .field = with_stored_fields, .size = sizeof all, .reply = true};
    struct err e = {0};
    struct jsonw w;
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    jsonw_init(&w, &arena);
    schema_json(&schema, &w, NULL);
    const char *text = jsonw_text(&w, NULL, &e);
    ck_assert_ptr_nonnull(strstr(text,
                                 "\"properties\":{\"whole\":{\"type\":\"integer\"},\"a\":"
                                 "{\"type\":\"string\"},\"b\":{\"type\":\"number\"},\"yes\":"));
    ck_assert_ptr_nonnull(strstr(text, "\"required\":[\"whole\",\"yes\"]"));
}
