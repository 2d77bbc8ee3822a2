// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/table/prep.h"
#include "tests/engine/table/madeframe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool divide(const struct frame *f, const struct data_spec *s, struct prep *p,
                   struct split *out, struct arena *a, struct err *e)
{
    return prep_init(p, f, s, NULL, a, e) && prep_split(p, f, s, out, NULL, a, e);
}

// A table with the given number of rows per class, class 0 without a target.
static struct frame classes(const int *n, size_t n_class, struct arena *a)
{
    char csv[1 << 14];
    int len = sprintf(csv, "x,y\n");
    for (size_t c = 0; c < n_class; c++)
        for (int i = 0; i < n[c]; i++)
            len += c ? sprintf(csv + len, "%d,k%zu\n", i, c) : sprintf(csv + len, "%d,?\n", i);
    return table_of(csv, (size_t)len, a);
}

static void count(const struct frame *f, const uint32_t *row, size_t n, int *seen, int *by_class)
{
    const struct column *y = frame_find(f, "y");
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(seen[row[i]]++, 0);
        by_class[atoi(y->level[y->code[row[i]]] + 1)]++;
    }
}

static const struct {
    int n[5]; // rows per class, the first without target
    double validation, test;
    int val[5], tests[5]; // rows wanted per class; -1: one more or less, as chance has it
    size_t n_val, n_test;
} SHARES[] = {
    {{7, 100, 50, 50, 0}, .2, .1, {0, 20, 10, 10, 0}, {0, 10, 5, 5, 0}, 40, 20},
    {{0, 90, 9, 1, 0}, .1, .1, {0, 9, 1, 0, 0}, {0, 9, 1, 0, 0}, 10, 10},
    {{0, 30, 30, 30, 30}, 0, .25, {0}, {0, -1, -1, -1, -1}, 0, 30},
    {{3, 2, 2, 0, 0}, .01, .01, {0, -1, -1, 0, 0}, {0, -1, -1, 0, 0}, 1, 1},
    {{0, 9, 1, 1, 1}, 0, .5, {0}, {0, 6, 0, 0, 0}, 0, 6},
    {{0, 10, 10, 0, 0}, 0, 0, {0}, {0}, 0, 0},
};

LOOP_TEST(split_keeps_the_shares_of_the_classes, sizeof SHARES / sizeof *SHARES)
{
    struct arena a;
    struct err e = {0};
    arena_init(&a, 8 << 20);
    struct frame f = classes(SHARES[_i].n, 5, &a);
    struct data_spec s = plain_spec("y");
    s.validation = SHARES[_i].validation;
    s.test = SHARES[_i].test;
    for (s.split_seed = 0; s.split_seed < 20; s.split_seed++) {
        struct prep p;
        struct split out;
        int seen[300] = {0}, val[5] = {0}, test[5] = {0}, train[5] = {0};
        ck_assert_msg(divide(&f, &s, &p, &out, &a, &e), "%s", e.text);
        count(&f, out.val, out.n_val, seen, val);
        count(&f, out.test, out.n_test, seen, test);
        count(&f, out.train, out.n_train, seen, train);
        ck_assert_uint_eq(out.n_val, SHARES[_i].n_val);
        ck_assert_uint_eq(out.n_test, SHARES[_i].n_test);
        ck_assert_uint_eq(out.n_dropped, SHARES[_i].n[0]);
        for (int c = 1; c < 5; c++) {
            ck_assert_int_eq(val[c] + test[c] + train[c], SHARES[_i].n[c]);
            ck_assert_int_eq(train[c] > 0, SHARES[_i].n[c] > 0);
            if (SHARES[_i].val[c] >= 0)
                ck_assert_int_eq(val[c], SHARES[_i].val[c]);
            if (SHARES[_i].tests[c] >= 0)
                ck_assert_int_eq(test[c], SHARES[_i].tests[c]);
        }
    }
    arena_release(&a);
}

TEST(split_is_a_function_of_its_seed)
{
    struct arena a;
    struct err e = {0};
    arena_init(&a, 8 << 20);
    struct frame f = table_of_file("tests/data/iris_train.csv", &a);
    struct data_spec s = plain_spec("species");
    s.validation = s.test = .15;
    struct prep p;
    struct split one, same, other;
    ck_assert(divide(&f, &s, &p, &one, &a, &e) && divide(&f, &s, &p, &same, &a, &e));
    s.split_seed++;
    ck_assert(divide(&f, &s, &p, &other, &a, &e));
    size_t bytes = one.n_train * sizeof *one.train;
    ck_assert_uint_eq(one.n_train + one.n_val + one.n_test, 120);
    ck_assert(memcmp(one.train, same.train, bytes) == 0);
    ck_assert(memcmp(one.val, same.val, one.n_val * sizeof *one.val) == 0);
    ck_assert(memcmp(one.test, same.test, one.n_test * sizeof *one.test) == 0);
    ck_assert(memcmp(one.train, other.train, bytes) != 0);
    arena_release(&a);
}

TEST(split_of_a_regression_takes_every_row_once)
{
    struct arena a;
    struct err e = {0};
    arena_init(&a, 64 << 20);
    struct frame f = table_of_file("tests/data/california_housing_test.csv", &a);
    struct data_spec s = plain_spec("median_house_value");
    s.validation = s.test = .15;
    struct prep p;
    struct split out;
    ck_assert(divide(&f, &s, &p, &out, &a, &e));
    char *seen = arena_zalloc(&a, f.n_row, 1);
    const uint32_t *part[] = {out.train, out.val, out.test};
    const size_t n[] = {out.n_train, out.n_val, out.n_test};
    double middle[3] = {0};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < n[k]; i++) {
            ck_assert_int_eq(seen[part[k][i]]++, 0);
            middle[k] += (double)part[k][i] / (double)n[k];
        }
    ck_assert_uint_eq(n[0] + n[1] + n[2], f.n_row);
    ck_assert_uint_eq(n[1], 619);
    for (int k = 0; k < 3; k++) // no part sits at one end of the file
        ck_assert(middle[k] > .45 * (double)f.n_row && middle[k] < .55 * (double)f.n_row);
    arena_release(&a);
}

TEST(split_stays_possible_with_classes_of_one_row)
{
    struct arena a;
    struct err e = {0};
    arena_init(&a, 1 << 20);
    struct frame f = table_of_text("x,y\n1,a\n2,b\n3,c\n4,d\n", &a);
    struct data_spec s = plain_spec("y");
    s.validation = s.test = .25;
    struct prep p;
    struct split out;
    ck_assert_msg(divide(&f, &s, &p, &out, &a, &e), "%s", e.text);
    ck_assert(out.n_train == 2 && out.n_val == 1 && out.n_test == 1);
    arena_release(&a);
}

TEST(split_refuses_to_leave_a_part_empty)
{
    struct arena a;
    struct err e = {0};
    arena_init(&a, 1 << 20);
    struct frame f = table_of_text("x,y\n1,a\n2,b\n3,?\n", &a);
    struct data_spec s = plain_spec("y");
    s.validation = s.test = .1;
    struct prep p;
    struct split out;
    ck_assert(!divide(&f, &s, &p, &out, &a, &e));
    ck_assert_str_eq(e.at, "/split");
    arena_release(&a);
}
