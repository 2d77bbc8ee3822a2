// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "tests/engine/table/madeprep.h"

TEST(prep_weighs_rows_in_units_of_the_training_rows_mean)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text("x,w,y\n1,1,5\n2,3,6\n3,0,7\n4,8,9\n", &a);
    struct data_spec s = plain_spec("y");
    s.weights = "w";
    struct prep p = prep_fitted(&f, &s, (const uint32_t[]){0, 1}, 2, &a);
    struct split split;
    real w[3];
    ck_assert_uint_eq(p.n_column, 1);
    prep_encode_weights(&p, &f, (const uint32_t[]){0, 1, 3}, 3, w, NULL);
    prep_expect_row(w, (const real[]){.5, 1.5, 4}, 3);
    prep_need(prep_split(&p, &f, &s, &split, NULL, &a, &e), &e);
    ck_assert(split.n_train == 3 && split.n_dropped == 1);
    arena_release(&a);
}

TEST(prep_weighs_classes)
{
    static const struct class_weight told[] = {{"q", 3}, {"none of them", 9}};
    struct arena a = prep_arena(1);
    struct frame f = table_of_text("x,w,y\n1,1,p\n2,1,p\n3,1,p\n4,2,q\n5,1,r\n", &a);
    struct data_spec s = plain_spec("y");
    const uint32_t row[] = {0, 1, 2, 3}, all[] = {0, 3, 4};
    real w[3];
    ck_assert(!prep_weighted(&s));
    s.balanced = true;
    ck_assert(prep_weighted(&s));
    struct prep p = prep_fitted(&f, &s, row, 4, &a); // 4/9, 4/3 and, unseen, 1: their mean is 2/3
    prep_encode_weights(&p, &f, all, 3, w, NULL);
    ck_assert_double_eq_tol((double)w[0], 2. / 3, 1e-6);
    ck_assert_double_eq_tol((double)w[1], 2, 1e-6);
    ck_assert_double_eq_tol((double)w[2], 1.5, 1e-6);
    s.balanced = false;
    s.class_weight = told;
    s.n_class_weight = 2;
    s.weights = "w";
    p = prep_fitted(&f, &s, row, 4, &a); // 1 1 1 6
    prep_encode_weights(&p, &f, all, 3, w, NULL);
    ck_assert_double_eq_tol((double)w[0], 1 / 2.25, 1e-6);
    ck_assert_double_eq_tol((double)w[1], 6 / 2.25, 1e-6);
    arena_release(&a);
}

static const struct {
    const char *csv, *weights;
    bool balanced;
    const char *at, *err;
} HEAVY[] = {
    {"x,w,y\n1,1,5\n2,-3,6\n3,1,7\n", "w", false, "/weights",
     "row 2 of the table weighs -3; a weight is 0 or more"},
    {"x,w,y\n1,1,5\n2,,6\n3,1,7\n", "w", false, "/weights",
     "row 2 of the table has no weight in \"w\"; 0 leaves a row out"},
    {"x,w,y\n1,0,5\n2,0,6\n3,0,7\n", "w", false, "/weights", "every weight in \"w\" is 0"},
    {"x,w,y\n1,a,5\n2,b,6\n3,1,7\n", "w", false, "/weights",
     "weights must be numbers, and \"w\" holds text"},
    {"x,w,y\n1,1,5\n2,1,6\n3,1,7\n", "y", false, "/weights",
     "\"y\" is predicted, so it cannot be the weight"},
    {"x,weight,y\n1,1,5\n2,1,6\n3,1,7\n", "wieght", false, "/weights",
     "the dataset has no column \"wieght\"; did you mean \"weight\"?"},
    {"x,w,y\n1,1,5\n2,1,6\n3,1,7\n", NULL, true, "/class_weight",
     "only a classification has classes to weigh; leave it out"},
    {"x,w,y\n1,1e308,5\n2,1e308,6\n3,1,7\n", "w", false, "/weights",
     "the weights are too large to be added up"},
    {"x,w,y\n1,5e-324,5\n2,0,6\n3,0,7\n", "w", false, "/weights",
     "the weights are too small to be added up"},
};

LOOP_TEST(prep_refuses_weights_that_are_none, sizeof HEAVY / sizeof *HEAVY)
{
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text(HEAVY[_i].csv, &a);
    struct data_spec s = plain_spec("y");
    const uint32_t row[] = {0, 1, 2};
    struct prep p;
    s.weights = HEAVY[_i].weights;
    s.balanced = HEAVY[_i].balanced;
    ck_assert(
        !(prep_init(&p, &f, &s, NULL, &a, &e) && prep_fit(&p, &f, &s, NULL, row, 3, NULL, &a, &e)));
    ck_assert_str_eq(e.at, HEAVY[_i].at);
    ck_assert_str_eq(e.text, HEAVY[_i].err);
    arena_release(&a);
}
