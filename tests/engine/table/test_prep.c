// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "tests/engine/table/madeprep.h"
#include "tests/engine/table/tasks.h"

#include <stdio.h>
#include <math.h>
#include <string.h>

#define CALIFORNIA "tests/data/california_housing_train.csv"
#define CALIFORNIA_TEST "tests/data/california_housing_test.csv"

static const char SMALL[] = "id,x,color,y\n"
                            "1,1,red,10\n"
                            "2,,blue,20\n"
                            "3,3,red,30\n"
                            "4,1000,green,\n"
                            "5,5,?,50\n";

TEST(prep_learns_from_the_given_rows_only)
{
    struct arena a = prep_arena(1);
    struct frame f = table_of_text(SMALL, &a);
    struct data_spec s = plain_spec("y");
    const uint32_t row[] = {0, 1, 2};
    struct prep p = prep_fitted(&f, &s, row, 3, &a);
    ck_assert_int_eq(task_place(p.answer.task), AT_regression);
    ck_assert_uint_eq(p.n_column, 3);
    const struct prep_column *x = &p.column[1], *color = &p.column[2];
    ck_assert_double_eq(x->mean, 2);
    ck_assert_double_eq(x->std, 1);
    ck_assert(x->indicator && x->width == 2);
    ck_assert(!p.column[0].indicator);
    ck_assert_uint_eq(color->n_level, 2); // green is not in the rows
    ck_assert_str_eq(color->level[0], "red");
    ck_assert_str_eq(color->level[1], "blue");
    ck_assert_uint_eq(p.n_feature, 1 + 2 + 3);
    ck_assert_double_eq(p.answer.mean[0], 20);
    p = prep_fitted(&f, &s, (const uint32_t[]){0, 1, 4}, 3, &a);
    ck_assert_double_eq(p.column[1].std, 2);
    p = prep_fitted(&f, &s, (const uint32_t[]){0, 2}, 2, &a); // the gap is in another row
    ck_assert(!p.column[1].indicator);
    arena_release(&a);
}

TEST(prep_encodes_gaps_rare_levels_and_targets)
{
    struct arena a = prep_arena(1);
    struct frame f = table_of_text(SMALL, &a);
    struct data_spec s = plain_spec("y");
    const char *const exclude[] = {"id"};
    s.exclude = exclude;
    s.n_exclude = 1;
    const uint32_t row[] = {0, 1, 2}, all[] = {1, 2, 3, 4};
    struct prep p = prep_fitted(&f, &s, row, 3, &a);
    real x[4][5], y[4];
    static const real WANT[4][5] = {
        {0, 1, 0, 1, 0}, {1, 0, 1, 0, 0}, {998, 0, 0, 0, 1}, {3, 0, 0, 0, 1}};
    prep_encode(&p, &f, all, 4, x[0], NULL);
    prep_encode_target(&p, &f, all, 4, y, NULL);
    for (size_t i = 0; i < 4; i++)
        prep_expect_row(x[i], WANT[i], 5);
    ck_assert(y[0] == 0 && isnan(y[2]) && y[3] > 3);
    s.numeric = NUMERIC_NONE;
    s.missing = MISSING_MEAN;
    p = prep_fitted(&f, &s, row, 3, &a);
    ck_assert_uint_eq(p.n_feature, 4);
    prep_encode(&p, &f, all, 1, x[0], NULL);
    prep_expect_row(x[0], (const real[]){2, 0, 1, 0}, 4);
    arena_release(&a);
}

static const struct {
    const char *column;
    struct cell cell;
    real want[3];    // the column's features
    const char *err; // instead
} CELLS[] = {
    {"x", {CELL_NUMBER, 4, NULL, 0}, {2, 0}, NULL},
    {"x", {CELL_TEXT, 0, " 4.0 ", 5}, {2, 0}, NULL},
    {"x", {CELL_MISSING, 0, NULL, 0}, {0, 1}, NULL},
    {"x", {CELL_TEXT, 0, "NA", 2}, {0, 1}, NULL},
    {"x", {CELL_NUMBER, NAN, NULL, 0}, {0, 1}, NULL},
    {"x", {CELL_TEXT, 0, "four", 4}, {0}, "\"x\" must be a number, got \"four\""},
    {"x", {CELL_TEXT, 0, "1e999", 5}, {0}, "\"x\" must be a finite number"},
    {"x", {CELL_NUMBER, INFINITY, NULL, 0}, {0}, "\"x\" must be a finite number"},
    {"color", {CELL_TEXT, 0, "redder", 3}, {1, 0, 0}, NULL},
    {"color", {CELL_TEXT, 0, "blue", 4}, {0, 1, 0}, NULL},
    {"color", {CELL_TEXT, 0, "purple", 6}, {0, 0, 1}, NULL},
    {"color", {CELL_TEXT, 0, "re", 2}, {0, 0, 1}, NULL},
    {"color", {CELL_TEXT, 0, "?", 1}, {0, 0, 1}, NULL},
    {"color", {CELL_TEXT, 0, "", 0}, {0, 0, 1}, NULL},
    {"color", {CELL_MISSING, 0, NULL, 0}, {0, 0, 1}, NULL},
    {"color", {CELL_NUMBER, 7, NULL, 0}, {0, 0, 1}, NULL},
    {"id", {CELL_NUMBER, 2, NULL, 0}, {0, 1, 0}, NULL},
    {"id", {CELL_TEXT, 0, "3.0", 3}, {0, 0, 1}, NULL},
    {"id", {CELL_NUMBER, 9, NULL, 0}, {0, 0, 0}, NULL},
};

LOOP_TEST(prep_reads_a_clients_cells, sizeof CELLS / sizeof *CELLS)
{
    struct arena a = prep_arena(1);
    struct frame f = table_of_text(SMALL, &a);
    struct data_spec s = plain_spec("y");
    const struct column_override categorical = {"id", COLUMN_CATEGORICAL};
    s.type = &categorical;
    s.n_type = 1;
    const uint32_t row[] = {0, 1, 2};
    struct prep p = prep_fitted(&f, &s, row, 3, &a);
    for (int indexed = 1; indexed >= 0; indexed--, p.index = NULL) {
        real *x = arena_need(&a, p.n_feature, sizeof *x);
        struct err e = {0};
        size_t k = prep_find(&p, CELLS[_i].column, strlen(CELLS[_i].column));
        ck_assert_uint_lt(k, p.n_column);
        bool ok = prep_encode_cell(&p, k, &CELLS[_i].cell, x, &e);
        ck_assert_int_eq(ok, !CELLS[_i].err);
        if (ok)
            prep_expect_row(x + p.column[k].at, CELLS[_i].want,
                            p.column[k].width < 3 ? p.column[k].width : 3);
        else
            ck_assert_str_eq(e.text, CELLS[_i].err);
    }
    arena_release(&a);
}

TEST(prep_finds_its_inputs_and_no_others)
{
    struct arena a = prep_arena(1);
    struct frame f = table_of_text(SMALL, &a);
    struct data_spec s = plain_spec("y");
    const uint32_t row[] = {0, 1, 2};
    struct prep p = prep_fitted(&f, &s, row, 3, &a);
    for (int indexed = 1; indexed >= 0; indexed--, p.index = NULL) {
        ck_assert_uint_eq(prep_find(&p, "color", 5), 2);
        ck_assert_uint_eq(prep_find(&p, "colors", 6), p.n_column);
        ck_assert_uint_eq(prep_find(&p, "col", 3), p.n_column);
        ck_assert_uint_eq(prep_find(&p, "y", 1), p.n_column); // the target
        ck_assert_uint_eq(prep_find(&p, "", 0), p.n_column);
    }
    arena_release(&a);
}

static struct cell cell_of(const struct column *c, size_t row)
{
    if (c->type == COLUMN_NUMERIC)
        return (struct cell){.kind = isnan(c->number[row]) ? CELL_MISSING : CELL_NUMBER,
                             .number = c->number[row]};
    if (c->code[row] == LEVEL_MISSING)
        return (struct cell){.kind = CELL_MISSING};
    const char *text = c->level[c->code[row]];
    return (struct cell){.kind = CELL_TEXT, .text = text, .len = strlen(text)};
}

TEST(prep_gives_cells_the_very_bits_that_the_table_gave)
{
    struct arena a = prep_arena(64);
    struct err e = {0};
    struct frame f = table_of_file(CALIFORNIA, &a);
    struct data_spec s = plain_spec("median_house_value");
    uint32_t *row = all_rows(f.n_row, &a);
    struct prep p = prep_fitted(&f, &s, row, f.n_row / 2, &a);
    ck_assert_uint_eq(p.n_column, 9);
    ck_assert_uint_ge(p.n_feature, 8 + 1 + 4);
    real *x = arena_need(&a, f.n_row * p.n_feature, sizeof *x);
    real *one = arena_need(&a, p.n_feature, sizeof *one);
    prep_encode(&p, &f, row, f.n_row, x, NULL);
    for (size_t i = 0; i < f.n_row; i++) {
        for (size_t k = 0; k < p.n_column; k++) {
            struct cell cell = cell_of(&f.column[p.column[k].source], i);
            prep_need(prep_encode_cell(&p, k, &cell, one, &e), &e);
        }
        ck_assert(memcmp(one, x + i * p.n_feature, p.n_feature * sizeof *x) == 0);
    }
    arena_release(&a);
}

TEST(prep_bound_to_another_table_reads_it_by_name)
{
    struct arena a = prep_arena(64);
    struct err e = {0};
    struct frame train = table_of_file(CALIFORNIA, &a), test = table_of_file(CALIFORNIA_TEST, &a);
    struct data_spec s = plain_spec("ocean_proximity");
    const struct column_override age = {"housing_median_age", COLUMN_CATEGORICAL};
    s.type = &age;
    s.n_type = 1;
    struct prep p = prep_fitted(&train, &s, all_rows(train.n_row, &a), train.n_row, &a);
    struct prep from_file = prep_stored(&p, &a), bound;
    struct column first = test.column[0]; // another order must not matter
    memmove(test.column, test.column + 1, (test.n_column - 1) * sizeof first);
    test.column[test.n_column - 1] = first;
    prep_need(prep_bind(&bound, &from_file, &test, NULL, &a, &e), &e);
    real *x = arena_need(&a, p.n_feature, sizeof *x), *one = arena_need(&a, p.n_feature, sizeof *x);
    for (uint32_t i = 0; i < test.n_row; i++) {
        real y;
        prep_encode(&bound, &test, &i, 1, x, NULL);
        prep_encode_target(&bound, &test, &i, 1, &y, NULL);
        struct cell target = cell_of(frame_find(&test, "ocean_proximity"), i);
        ck_assert_int_eq(strncmp(p.answer.class_name[(size_t)y], target.text, target.len), 0);
        for (size_t k = 0; k < p.n_column; k++) {
            struct cell cell = cell_of(frame_find(&test, p.column[k].name), i);
            prep_need(prep_encode_cell(&p, k, &cell, one, &e), &e);
        }
        ck_assert(memcmp(x, one, p.n_feature * sizeof *x) == 0);
    }
    arena_release(&a);
}

TEST(prep_cannot_be_bound_to_a_table_that_lacks_an_input)
{
    struct arena a = prep_arena(1);
    struct err e = {0}, e2 = {0};
    struct frame f = table_of_text(SMALL, &a), lacks = table_of_text("id,color\n1,red\n", &a);
    struct frame text = table_of_text("id,x,color\n1,one,red\n", &a);
    struct frame bare = table_of_text("color,x,id\npink,1,1\n", &a);
    struct data_spec s = plain_spec("y");
    const uint32_t row[] = {0, 1, 2};
    struct prep p = prep_fitted(&f, &s, row, 3, &a), bound;
    ck_assert(!prep_bind(&bound, &p, &lacks, NULL, &a, &e));
    ck_assert_str_eq(e.at, "/dataset");
    ck_assert_str_eq(e.text, "the dataset has no column \"x\"");
    ck_assert(!prep_bind(&bound, &p, &text, NULL, &a, &e2));
    ck_assert_str_eq(e2.text, "column \"x\" is not numeric: it contains \"one\"");
    prep_need(prep_bind(&bound, &p, &bare, NULL, &a, &(struct err){0}), &e);
    real y;
    prep_encode_target(&bound, &bare, row, 1, &y, NULL);
    ck_assert(isnan(y));
    arena_release(&a);
}

static const struct {
    const char *csv, *target;
    int task, want;
    const char *at, *err; // instead
    const char *classes;
} TASKS[] = {
    {"x,y\n1,10\n2,20\n3,30\n", "y", AT_auto, AT_regression, NULL, NULL, ""},
    {"x,y\n1,1\n2,0\n3,1\n", "y", AT_auto, AT_classification, NULL, NULL, "0 1 "},
    {"x,y\n1,1\n2,0\n3,1\n", "y", AT_regression, AT_regression, NULL, NULL, ""},
    {"x,y\n1,b\n2,a\n3,\n", "y", AT_auto, AT_classification, NULL, NULL, "a b "},
    {"x,y\n1,10\n2,9\n3,1.5\n", "y", AT_classification, AT_classification, NULL, NULL, "1.5 9 10 "},
    {"x,y\n1,b\n2,a\n", "z", AT_auto, 0, "/target", "the dataset has no column \"z\"", NULL},
    {"x,price\n1,b\n2,a\n", "prise", AT_auto, 0, "/target",
     "the dataset has no column \"prise\"; did you mean \"price\"?", NULL},
    {"x,y\n1,?\n2,NA\n", "y", AT_auto, 0, "/target", "every value of \"y\" is missing", NULL},
    {"x,y\n1,a\n2,a\n", "y", AT_auto, 0, "/target",
     "\"y\" has the same value in every row, so there is nothing to learn", NULL},
    {"x,y\n1,5\n2,5\n3,\n", "y", AT_regression, 0, "/target",
     "\"y\" has the same value in every row, so there is nothing to learn", NULL},
    {"x,y\n1,a\n2,b\n", "y", AT_regression, 0, "/task",
     "regression needs numbers, and \"y\" holds text", NULL},
    {"y\n1\n2\n", "y", AT_auto, 0, "/dataset",
     "there is no column besides the target to use as an input", NULL},
};

LOOP_TEST(prep_chooses_the_task_or_says_why_not, sizeof TASKS / sizeof *TASKS)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text(TASKS[_i].csv, &a);
    struct data_spec s = plain_spec(TASKS[_i].target);
    struct prep p;
    s.task = TASKS[_i].task;
    bool ok = prep_init(&p, &f, &s, NULL, &a, &e);
    if (TASKS[_i].err) {
        ck_assert(!ok);
        ck_assert_str_eq(e.at, TASKS[_i].at);
        ck_assert_str_eq(e.text, TASKS[_i].err);
    } else {
        char classes[64] = "";
        prep_need(ok, &e);
        ck_assert_int_eq(task_place(p.answer.task), TASKS[_i].want);
        for (size_t i = 0; i < p.answer.n_class; i++)
            strcat(strcat(classes, p.answer.class_name[i]), " ");
        ck_assert_str_eq(classes, TASKS[_i].classes);
    }
    arena_release(&a);
}

static const struct {
    const char *csv;
    const char *classes[4];
    const char *at, *err; // instead
    double y[3];          // of the rows
} ORDERS[] = {
    {"x,y\n1,low\n2,high\n3,mid\n", {"low", "mid", "high"}, NULL, NULL, {0, 2, 1}},
    {"x,y\n1,low\n2,high\n3,\n", {"high", "none", "low"}, NULL, NULL, {2, 0, NAN}},
    {"x,y\n1,1\n2,0\n3,1\n", {"1", "0"}, NULL, NULL, {0, 1, 0}},
    {"x,y\n1,low\n2,high\n3,mid\n",
     {"low", "high"},
     "/classes",
     "\"mid\" occurs in \"y\" and is not among them; add it",
     {0}},
    {"x,y\n1,low\n2,high\n3,mid\n",
     {"low", "mid", "high", "mid"},
     "/classes",
     "\"mid\" is there twice",
     {0}},
    {"x,y\n1,10\n2,20\n3,30\n",
     {"10", "20", "30"},
     "/classes",
     "a regression has no classes; leave it out",
     {0}},
};

LOOP_TEST(classes_come_in_the_order_that_the_job_says, sizeof ORDERS / sizeof *ORDERS)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text(ORDERS[_i].csv, &a);
    struct data_spec s = plain_spec("y");
    struct prep p;
    s.class_name = ORDERS[_i].classes;
    while (s.n_class_name < 4 && s.class_name[s.n_class_name])
        s.n_class_name++;
    bool ok = prep_init(&p, &f, &s, NULL, &a, &e);
    if (ORDERS[_i].err) {
        ck_assert(!ok);
        ck_assert_str_eq(e.at, ORDERS[_i].at);
        ck_assert_str_eq(e.text, ORDERS[_i].err);
    } else {
        real y[3];
        prep_need(ok, &e);
        ck_assert_uint_eq(p.answer.n_class, s.n_class_name);
        prep_encode_target(&p, &f, (uint32_t[]){0, 1, 2}, 3, y, NULL);
        for (int i = 0; i < 3; i++)
            ck_assert(isnan(ORDERS[_i].y[i]) ? isnan(y[i]) : (double)y[i] == ORDERS[_i].y[i]);
    }
    arena_release(&a);
}

static const struct {
    const char *exclude;
    struct column_override type;
    const char *at, *err;
} WISHES[] = {
    {"colour",
     {NULL, 0},
     "/features/exclude",
     "the dataset has no column \"colour\"; did you mean \"color\"?"},
    {NULL,
     {"ix", COLUMN_NUMERIC},
     "/features/types",
     "the dataset has no column \"ix\"; did you mean \"id\"?"},
    {NULL,
     {"color", COLUMN_NUMERIC},
     "/features/types",
     "column \"color\" is not numeric: it contains \"red\""},
};

LOOP_TEST(prep_refuses_wishes_it_cannot_fulfil, sizeof WISHES / sizeof *WISHES)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text(SMALL, &a);
    struct data_spec s = plain_spec("y");
    s.exclude = &WISHES[_i].exclude;
    s.n_exclude = WISHES[_i].exclude != NULL;
    s.type = &WISHES[_i].type;
    s.n_type = WISHES[_i].type.name != NULL;
    struct prep p;
    ck_assert(!prep_init(&p, &f, &s, NULL, &a, &e));
    ck_assert_str_eq(e.at, WISHES[_i].at);
    ck_assert_str_eq(e.text, WISHES[_i].err);
    arena_release(&a);
}

TEST(prep_keeps_the_254_most_frequent_levels)
{
    struct arena a = prep_arena(4);
    char *csv = arena_need(&a, 1 << 16, 1);
    size_t len = (size_t)sprintf(csv, "c,y\n");
    for (int i = 0; i < 300; i++) // level i appears twice when i is odd
        for (int again = 0; again <= i % 2; again++)
            len += (size_t)sprintf(csv + len, "v%d,%d\n", i, i);
    struct frame f = table_of(csv, len, &a);
    struct data_spec s = plain_spec("y");
    struct prep p = prep_fitted(&f, &s, all_rows(f.n_row, &a), f.n_row, &a);
    ck_assert_uint_eq(p.column[0].n_level, PREP_MAX_LEVELS);
    ck_assert_uint_eq(p.n_feature, PREP_MAX_LEVELS + 1);
    ck_assert_str_eq(p.column[0].level[0], "v1");
    ck_assert_str_eq(p.column[0].level[149], "v299");
    ck_assert_str_eq(p.column[0].level[150], "v0");
    ck_assert_str_eq(p.column[0].level[253], "v206");
    arena_release(&a);
}

TEST(prep_survives_constant_empty_and_enormous_columns)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text("same,none,big,y\n0.1,,1e-3,1\n0.1,,1e30,2\n0.1,,1,3\n", &a);
    struct data_spec s = plain_spec("y");
    const uint32_t row[] = {0, 2};
    struct prep p = prep_fitted(&f, &s, row, 2, &a);
    real x[4];
    prep_encode(&p, &f, (const uint32_t[]){1}, 1, x, NULL);
    ck_assert(x[0] == 0 && x[1] == 0 && x[2] == 1);
    ck_assert(x[3] == (real)1e15);
    f = table_of_text("x,y\n1e308,1\n-1e308,2\n1e308,3\n", &a);
    ck_assert(prep_init(&p, &f, &s, NULL, &a, &e));
    ck_assert(!prep_fit(&p, &f, &s, NULL, (const uint32_t[]){0, 1, 2}, 3, NULL, &a, &e));
    ck_assert_str_eq(e.text, "the numbers of column \"x\" are too large to be scaled");
    arena_release(&a);
}

// The hash of a table whose key is known to everybody: FNV-1a.
static uint64_t known_hash(const char *text)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

static size_t longest_run(const struct prep *p)
{
    size_t run = 0, longest = 0;
    for (size_t i = 0; i < 2 * p->n_index; i++) {
        run = p->index[i & (p->n_index - 1)] == UINT32_MAX ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

// Levels that a well-known hash puts into one place would be searched one after the other.
TEST(levels_made_to_collide_do_not_cluster)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    const char *level[PREP_MAX_LEVELS];
    char text[16];
    size_t n = 0;
    for (int i = 0; n < PREP_MAX_LEVELS; i++) {
        int len = sprintf(text, "%d", i);
        if ((known_hash(text) & 511) == 0)
            level[n++] = arena_text(&a, text, (size_t)len);
    }
    struct prep_column c = {.name = "c",
                            .type = COLUMN_CATEGORICAL,
                            .width = PREP_MAX_LEVELS + 1,
                            .level = level,
                            .n_level = PREP_MAX_LEVELS};
    struct prep p = {.column = &c, .n_column = 1, .n_feature = c.width};
    prep_need(prep_index(&p, NULL, &a, &e), &e);
    ck_assert_msg(p.n_index == 512 || p.n_index == 1024, "%zu", p.n_index);
    ck_assert_msg(longest_run(&p) < 150, "%zu in a row", longest_run(&p));
    for (size_t i = 0; i < PREP_MAX_LEVELS; i++) {
        real x[PREP_MAX_LEVELS + 1];
        const struct cell cell = {CELL_TEXT, 0, level[i], strlen(level[i])};
        prep_need(prep_encode_cell(&p, 0, &cell, x, &e), &e);
        ck_assert_msg(x[i] == 1, "level %zu", i);
    }
    arena_release(&a);
}

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

TEST(an_index_is_not_built_once_nobody_wants_it)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct prep_column c = {.name = "c", .width = 1, .std = 1};
    struct prep p = {.column = &c, .n_column = 1, .n_feature = 1};
    ck_assert(!prep_index(&p, &(struct halt){always, NULL}, &a, &e));
    ck_assert_int_eq(e.kind, ERR_CANCELLED);
    arena_release(&a);
}

// A model file with such a scale would be refused.
TEST(prep_takes_a_subnormal_mean_of_targets_for_none)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    const struct loss loss = {.scale = TARGET_MEAN};
    struct frame f = table_of_text("x,y\n1,1e-310\n2,3e-310\n3,1e-310\n", &a);
    struct data_spec s = plain_spec("y");
    struct prep p;
    prep_need(prep_init(&p, &f, &s, NULL, &a, &e), &e);
    prep_need(prep_fit(&p, &f, &s, &loss, all_rows(3, &a), 3, NULL, &a, &e), &e);
    ck_assert_msg(p.answer.std[0] == 1, "%g", p.answer.std[0]);
    arena_release(&a);
}
