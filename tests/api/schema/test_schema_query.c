// SPDX-License-Identifier: MIT
// A query read by rows: what each type takes, and what is said of what it does not take.

#include "api/schema/schema.h"
#include "tests/harness.h"

#include <string.h>

enum colour { RED, BLUE };

struct asked {
    int n;
    int64_t after;
    enum colour colour;
    const char *text, *name;
};

static const char *const colours[] = {[RED] = "red", [BLUE] = "blue", NULL};
static const struct field fields[] = {
    INT("n", struct asked, n, .def = "20", .min = 1, .max = 1000),
    WHOLE("after", struct asked, after, .max = 1e15),
    WORD("colour", struct asked, colour, enum colour, .names = colours, .def = "\"blue\""),
    STRING("text", struct asked, text, .max = 5),
    NAME("name", struct asked, name),
    {0},
};
static const struct schema schema = {.field = fields, .size = sizeof(struct asked)};

static struct arena arena;
static struct faults faults;

static bool ask(const struct query_text *text, size_t n, struct asked *out, struct err *e)
{
    *e = (struct err){0};
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    faults_init(&faults, &arena);
    return schema_read_query(&schema, text, n, out, &arena, &faults, e);
}

TEST(what_is_not_asked_for_has_its_default_or_none)
{
    struct asked q;
    struct err e;
    ck_assert(ask(NULL, 0, &q, &e));
    ck_assert_int_eq(q.n, 20);
    ck_assert_int_eq(q.after, 0);
    ck_assert_int_eq(q.colour, BLUE);
    ck_assert_ptr_null(q.text);
    ck_assert(!faults.of_query); // those of a body may follow
}

TEST(what_is_asked_for_is_read_by_its_row)
{
    static const struct query_text text[] = {{"n", "0007"},
                                             {"after", "999999999999999"},
                                             {"colour", "red"},
                                             {"text", "12"},
                                             {"name", "a-1"}};
    struct asked q;
    struct err e;
    ck_assert_msg(ask(text, 5, &q, &e), "%s", e.text);
    ck_assert_int_eq(q.n, 7);
    ck_assert_int_eq(q.after, 999999999999999);
    ck_assert_int_eq(q.colour, RED);
    ck_assert_str_eq(q.text, "12"); // digits or not
    ck_assert_str_eq(q.name, "a-1");
}

static const struct {
    const char *name, *value, *code, *says;
} wrong[] = {
    {"n", "", "wrong_type", "\"n\" must be a whole number, got \"\""},
    {"n", "ten", "wrong_type", "\"n\" must be a whole number, got \"ten\""},
    {"n", "1e2", "wrong_type", "\"n\" must be a whole number, got \"1e2\""},
    {"n", "0x10", "wrong_type", "\"n\" must be a whole number, got \"0x10\""},
    {"n", " 1", "wrong_type", "\"n\" must be a whole number, got \" 1\""},
    {"n", "1.5", "wrong_type", "\"n\" must be a whole number, got \"1.5\""},
    {"n", "-", "wrong_type", "\"n\" must be a whole number, got \"-\""},
    {"n", "0", "out_of_range", "\"n\" must be between 1 and 1000, got 0"},
    {"n", "99999999999999999999999", "out_of_range", "\"n\" must be between 1 and 1000, got 1e+23"},
    {"after", "-1", "out_of_range", "\"after\" must be between 0 and 1e+15, got -1"},
    {"colour", "rad", "unknown_value",
     "\"colour\" must be one of \"red\", \"blue\", got \"rad\"; did you mean \"red\"?"},
    {"colour", "", "unknown_value", "\"colour\" must be one of \"red\", \"blue\", got \"\""},
    {"text", "123456", "too_long", "\"text\" must be at most 5 bytes, got 6"},
    {"name", "..", "bad_name",
     "\"name\" must be 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-', the first a letter or digit, got "
     "\"..\""},
    {"nme", "x", "unknown_field", "\"nme\" is unknown; did you mean \"name\"?"},
    {"zzzzzz", "x", "unknown_field", "\"zzzzzz\" is unknown"},
    {"", "x", "unknown_field", "\"\" is unknown"},
};

LOOP_TEST(a_parameter_that_will_not_do_is_named_with_what_would,
          (int)(sizeof wrong / sizeof *wrong))
{
    struct asked q;
    struct err e;
    char want[200];
    snprintf(want, sizeof want, "query parameter %s", wrong[_i].says);
    ck_assert(!ask(&(struct query_text){wrong[_i].name, wrong[_i].value}, 1, &q, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_str_eq(e.text, want);
    ck_assert_str_eq(e.at, "");
    ck_assert_uint_eq(faults.n, 1);
    ck_assert_str_eq(faults.item[0].code, wrong[_i].code);
    ck_assert_str_eq(faults.item[0].pointer + 1, wrong[_i].name);
    ck_assert(faults.of_query);
}

TEST(all_that_is_wrong_with_a_query_is_told_at_once)
{
    static const struct query_text text[] = {
        {"n", "0"}, {"colour", "x"}, {"n", "7"}, {"what", ""}, {"name", "ok"}};
    struct asked q;
    struct err e;
    ck_assert(!ask(text, 5, &q, &e));
    ck_assert_str_eq(e.text, "4 query parameters need attention");
    ck_assert_uint_eq(faults.n, 4);
}

TEST(a_query_of_too_many_parameters_is_refused)
{
    struct query_text text[QUERY_TEXTS];
    struct asked q;
    struct err e;
    for (size_t i = 0; i < QUERY_TEXTS; i++)
        text[i] = (struct query_text){"n", "1"};
    ck_assert(!ask(text, QUERY_TEXTS, &q, &e));
    ck_assert_uint_eq(faults.total, QUERY_TEXTS - 1);
    ck_assert(!ask(text, QUERY_TEXTS + 1, &q, &e));
    ck_assert_str_eq(e.text, "the query has over 32 parameters");
}
