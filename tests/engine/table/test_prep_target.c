// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "tests/engine/table/madeprep.h"
#include "tests/engine/table/tasks.h"

#include <math.h>

static struct data_spec spec_of(const char *const *target, size_t n, int task)
{
    struct data_spec s = plain_spec(NULL);
    s.target = target;
    s.n_target = n;
    s.task = task;
    return s;
}

static const struct {
    const char *csv;
    int task, want;
    const char *at, *err; // instead
} SEVERAL[] = {
    {"x,a,b\n1,10,1\n2,20,0\n", AT_auto, AT_regression, NULL, NULL},
    {"x,a,b\n1,1,1\n2,0,0\n", AT_auto, AT_multilabel, NULL, NULL},
    {"x,a,b\n1,1,no\n2,0,YES\n3,,False\n", AT_auto, AT_multilabel, NULL, NULL},
    {"x,a,b\n1,1,1\n2,0,0\n", AT_regression, AT_regression, NULL, NULL},
    {"x,a,b\n1,.25,.75\n2,0,1\n3,.5,\n", AT_distribution, AT_distribution, NULL, NULL},
    {"x,a,b\n1,.5,.5\n2,.5,.5\n", AT_distribution, AT_distribution, NULL, NULL},
    {"x,a,b\n1,.5,.5000005\n2,.2,.8\n", AT_distribution, AT_distribution, NULL, NULL},
    {"x,a,b\n1,.5,.50001\n2,.2,.8\n", AT_distribution, 0, "/target",
     "the shares in row 1 of the table sum to 1.00001, not to 1"},
    {"x,a,b\n1,.5,.5\n2,-.2,1.2\n", AT_distribution, 0, "/target",
     "row 2 of the table has a negative share in \"a\"; shares are 0 or more and sum to 1"},
    {"x,a,b\n1,.5,p\n2,.2,q\n", AT_distribution, 0, "/task",
     "a distribution needs numbers, and \"b\" holds text"},
    {"x,a,b\n1,1,2\n2,0,0\n", AT_multilabel, 0, "/target/1",
     "a label is 0 or 1 (or no or yes, false or true), and \"b\" holds \"2\""},
    {"x,a,b\n1,1,maybe\n2,0,no\n", AT_multilabel, 0, "/target/1",
     "a label is 0 or 1 (or no or yes, false or true), and \"b\" holds \"maybe\""},
    {"x,a,b\n1,1,maybe\n2,0,no\n", AT_auto, 0, "/target/1",
     "several targets must all be numbers, or all be labels (0 and 1, no and yes), and \"b\" holds "
     "text"},
    {"x,a,b\n1,1,p\n2,0,q\n", AT_regression, 0, "/task",
     "regression needs numbers, and \"b\" holds text"},
    {"x,a,b\n1,1,5\n2,0,5\n", AT_auto, 0, "/target/1",
     "\"b\" has the same value in every row, so there is nothing to learn"},
    {"x,a,b\n1,1,\n2,0,\n", AT_auto, 0, "/target/1", "every value of \"b\" is missing"},
    {"x,a,b\n1,1,0\n2,0,1\n", AT_classification, 0, "/task",
     "a classification has one target, got 2; columns of 0 and 1 are a \"multilabel\" task"},
    {"x,a,c\n1,1,0\n2,0,1\n", AT_auto, 0, "/target/1", "the dataset has no column \"b\""},
    {"a,b\n1,0\n0,1\n", AT_auto, 0, "/dataset",
     "there is no column besides the target to use as an input"},
};

LOOP_TEST(prep_knows_what_several_targets_are, sizeof SEVERAL / sizeof *SEVERAL)
{
    static const char *const target[] = {"a", "b"};
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text(SEVERAL[_i].csv, &a);
    struct data_spec s = spec_of(target, 2, SEVERAL[_i].task);
    struct prep p;
    bool ok = prep_init(&p, &f, &s, NULL, &a, &e);
    if (SEVERAL[_i].err) {
        ck_assert(!ok);
        ck_assert_str_eq(e.at, SEVERAL[_i].at);
        ck_assert_str_eq(e.text, SEVERAL[_i].err);
    } else {
        prep_need(ok, &e);
        ck_assert_int_eq(task_place(p.answer.task), SEVERAL[_i].want);
        ck_assert(p.answer.n_target == 2 && p.answer.n_class == 0 && p.n_column == 1);
    }
    arena_release(&a);
}

TEST(prep_scales_every_target_by_itself_and_drops_rows_that_lack_one)
{
    static const char *const target[] = {"b", "a"};
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text("x,a,b\n1,10,1\n2,30,2\n3,,3\n4,20,\n5,20,6\n", &a);
    struct data_spec s = spec_of(target, 2, AT_auto);
    struct prep p = prep_fitted(&f, &s, (const uint32_t[]){0, 1}, 2, &a), bound, from_file;
    real y[10];
    const uint32_t all[] = {0, 1, 2, 3, 4};
    struct split split;
    prep_encode_target(&p, &f, all, 5, y, NULL);
    ck_assert(y[0] == -1 && y[1] == -1 && y[2] == 1 && y[3] == 1);
    ck_assert(y[4] == 3 && isnan(y[5]) && isnan(y[6]) && y[7] == 0 && y[8] == 9);
    prep_need(prep_split(&p, &f, &s, &split, NULL, &a, &e), &e);
    ck_assert(split.n_train == 3 && split.n_dropped == 2);
    from_file = prep_stored(&p, &a);
    prep_need(prep_bind(&bound, &from_file, &f, NULL, &a, &e), &e);
    ck_assert(prep_usable(&bound, &f, 4) && !prep_usable(&bound, &f, 2));
    f = table_of_text("x,b\n1,1\n", &a); // one of the two is not there
    prep_need(prep_bind(&bound, &from_file, &f, NULL, &a, &e), &e);
    prep_encode_target(&bound, &f, all, 1, y, NULL);
    ck_assert(y[0] == -1 && isnan(y[1]) && !prep_usable(&bound, &f, 0));
    arena_release(&a);
}

TEST(prep_reads_labels_from_numbers_and_from_words)
{
    static const char *const target[] = {"a", "b"};
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text("x,a,b\n1,1,no\n2,0,Yes\n3,,false\n", &a);
    struct data_spec s = spec_of(target, 2, AT_auto);
    struct prep p = prep_fitted(&f, &s, (const uint32_t[]){0, 1}, 2, &a),
                from_file = prep_stored(&p, &a), b;
    const uint32_t all[] = {0, 1, 2};
    real y[6];
    prep_encode_target(&p, &f, all, 3, y, NULL);
    prep_expect_row(y, (const real[]){1, 0, 0, 1}, 4);
    ck_assert(isnan(y[4]) && y[5] == 0);
    f = table_of_text("x,b,a\n1,1,true\n2,.5,perhaps\n3,0,no\n", &a); // the other way about
    prep_need(prep_bind(&b, &from_file, &f, NULL, &a, &e), &e);
    prep_encode_target(&b, &f, all, 3, y, NULL);
    ck_assert(y[0] == 1 && y[1] == 1 && isnan(y[2]) && isnan(y[3]) && y[4] == 0 && y[5] == 0);
    arena_release(&a);
}

TEST(prep_does_not_score_against_shares_that_are_none)
{
    static const char *const target[] = {"a", "b"};
    struct arena a = prep_arena(1);
    struct err e = {0};
    struct frame f = table_of_text("x,a,b\n1,.5,.5\n2,.25,.75\n", &a);
    struct data_spec s = spec_of(target, 2, AT_distribution);
    struct prep p = prep_fitted(&f, &s, (const uint32_t[]){0, 1}, 2, &a),
                from_file = prep_stored(&p, &a), b;
    real y[4];
    prep_encode_target(&p, &f, (const uint32_t[]){0, 1}, 2, y, NULL);
    prep_expect_row(y, (const real[]){.5, .5, .25, .75}, 4);
    f = table_of_text("x,a,b\n1,.5,.5\n2,.25,.5\n", &a);
    ck_assert(!prep_bind(&b, &from_file, &f, NULL, &a, &e));
    ck_assert_str_eq(e.at, "/dataset");
    arena_release(&a);
}

// Targets of losses with a log link are scaled by their mean; 0 and less is for the loss to allow.
TEST(prep_scales_by_the_mean_for_a_loss_of_positive_values)
{
    struct arena a = prep_arena(1);
    struct err e = {0}, e2 = {0};
    const struct op op = {.row = {.name = "counts"}};
    struct loss loss = {.op = &op, .scale = TARGET_MEAN};
    struct frame f = table_of_text("x,y\n1,2\n2,6\n3,0\n4,8\n", &a);
    struct data_spec s = plain_spec("y");
    const uint32_t row[] = {0, 1};
    struct prep p;
    real y[4];
    prep_need(prep_init(&p, &f, &s, NULL, &a, &e) &&
                  prep_fit(&p, &f, &s, &loss, row, 2, NULL, &a, &e),
              &e);
    ck_assert(p.answer.mean[0] == 0 && p.answer.std[0] == 4);
    prep_encode_target(&p, &f, (const uint32_t[]){0, 1, 2, 3}, 4, y, NULL);
    prep_expect_row(y, (const real[]){.5, 1.5, 0, 2}, 4);
    loss.target_above_min = true;
    ck_assert(!prep_fit(&p, &f, &s, &loss, row, 2, NULL, &a, &e));
    ck_assert_str_eq(e.at, "/target");
    ck_assert_str_eq(e.text,
                     "loss \"counts\" needs targets above 0, and the smallest of \"y\" is 0");
    f = table_of_text("x,y\n1,2\n2,6\n3,-1.5\n", &a);
    loss.target_above_min = false;
    ck_assert(prep_init(&p, &f, &s, NULL, &a, &e2));
    ck_assert(!prep_fit(&p, &f, &s, &loss, row, 2, NULL, &a, &e2));
    ck_assert_str_eq(
        e2.text, "loss \"counts\" needs targets of at least 0, and the smallest of \"y\" is -1.5");
    arena_release(&a);
}
