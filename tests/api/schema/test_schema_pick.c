// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "api/schema/schema.h"

#include <math.h>
#include <string.h>

// A table with every form of hyperparameter, and a schema with one choice of it.
static const struct row steps = {
    .name = "steps",
    .doc = "Falls at milestones.",
    .alias = {"staircase"},
    .torch = "torch.optim.lr_scheduler.MultiStepLR",
    .hyper = {{.name = "at",
               .doc = "Epochs.",
               .type = HYPER_INT,
               .count = 4,
               .list = true,
               .def = {30, 60, NAN, NAN},
               .min = 1,
               .max = 100},
              {.name = "three", .doc = "Numbers.", .count = 3, .def = {1, 2, 3}, .max = 9},
              {.name = "gamma", .doc = "Factor.", .def = {.5}, .max = 1}},
};
static const struct row *const rows[] = {&steps};
static const struct table table = {.what = "fall", .row = rows, .n = 1};

struct thing {
    struct pick fall;
};
static const struct field fields[] = {
    PICK("fall", struct thing, fall, .table = &table, .def = "\"steps\"", .doc = "A choice."),
    {0},
};
static const struct schema schema = {
    .name = "Thing", .doc = "A thing.", .field = fields, .size = sizeof(struct thing)};

static struct arena arena;
static struct faults faults;
static struct thing thing;

static bool read_text(const char *body)
{
    struct err e = {0};
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    faults_init(&faults, &arena);
    return schema_read(&schema, body, strlen(body), &thing, &arena, &faults, &e);
}

static const char *text_of(void (*print)(struct jsonw *))
{
    struct jsonw w;
    struct err e = {0};
    jsonw_init(&w, &arena);
    print(&w);
    return jsonw_text(&w, NULL, &e);
}

static void print_thing(struct jsonw *w)
{
    schema_write(&schema, &thing, w, NULL);
}

static void print_schema(struct jsonw *w)
{
    schema_json(&schema, w, NULL);
}

static const struct {
    const char *body, *printed;
} good[] = {
    {"{}", "{\"fall\":{\"type\":\"steps\",\"at\":[30,60],\"three\":[1,2,3],\"gamma\":0.5}}"},
    {"{\"fall\":{\"at\":[7]}}",
     "{\"fall\":{\"type\":\"steps\",\"at\":[7],\"three\":[1,2,3],\"gamma\":0.5}}"},
    {"{\"fall\":{\"at\":[1,2,3,4],\"three\":[9,0,9]}}",
     "{\"fall\":{\"type\":\"steps\",\"at\":[1,2,3,4],\"three\":[9,0,9],\"gamma\":0.5}}"},
};

LOOP_TEST(hypers_of_several_numbers_are_printed_as_they_were_given, sizeof good / sizeof *good)
{
    ck_assert(read_text(good[_i].body));
    ck_assert_str_eq(text_of(print_thing), good[_i].printed);
}

static const struct {
    const char *body, *pointer, *code;
} bad[] = {
    {"{\"fall\":{\"at\":[]}}", "/fall/at", "wrong_type"},
    {"{\"fall\":{\"at\":7}}", "/fall/at", "wrong_type"},
    {"{\"fall\":{\"at\":[1,2,3,4,5]}}", "/fall/at", "wrong_type"},
    {"{\"fall\":{\"at\":[2,2]}}", "/fall/at/1", "out_of_range"},
    {"{\"fall\":{\"at\":[1,3,2]}}", "/fall/at/2", "out_of_range"},
    {"{\"fall\":{\"at\":[1,101]}}", "/fall/at/1", "out_of_range"},
    {"{\"fall\":{\"at\":[1.5]}}", "/fall/at/0", "not_an_integer"},
    {"{\"fall\":{\"three\":[1,2]}}", "/fall/three", "wrong_type"},
    {"{\"fall\":{\"three\":[1,2,\"x\"]}}", "/fall/three/2", "wrong_type"},
};

LOOP_TEST(a_wrong_hyper_of_several_numbers_is_pointed_at, sizeof bad / sizeof *bad)
{
    ck_assert(!read_text(bad[_i].body));
    ck_assert_uint_eq(faults.total, 1);
    ck_assert_str_eq(faults.item[0].pointer, bad[_i].pointer);
    ck_assert_str_eq(faults.item[0].code, bad[_i].code);
}

TEST(an_alias_of_a_row_is_accepted_and_noted)
{
    ck_assert(read_text("{\"fall\":\"staircase\"}"));
    ck_assert_ptr_eq(thing.fall.row, &steps);
    ck_assert_uint_eq(faults.n_note, 1);
    ck_assert_str_eq(faults.note[0], "fall staircase became steps");
}

TEST(the_schema_tells_how_many_numbers_a_hyper_has)
{
    ck_assert(read_text("{}"));
    const char *text = text_of(print_schema);
    ck_assert_ptr_nonnull(strstr(text, "\"minItems\":1,\"maxItems\":4,\"default\":[30,60]}"));
    ck_assert_ptr_nonnull(strstr(text, "\"minItems\":3,\"maxItems\":3,\"default\":[1,2,3]}"));
    ck_assert_ptr_nonnull(strstr(text, "\"x-torch\":\"torch.optim.lr_scheduler.MultiStepLR\""));
    ck_assert_ptr_nonnull(strstr(text, "{\"const\":\"staircase\""));
}
