// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/base/nearest.h"

#include <string.h>

static const char *const KNOWN[] = {"optimizer", "epochs", "batch_size", "lr",
                                    "split",     "seed",   NULL,         "median_income"};
enum { N_KNOWN = sizeof KNOWN / sizeof *KNOWN };

static const struct {
    const char *name, *meant;
} CASES[] = {
    {"optimiser", "optimizer"}, // changed
    {"epoch", "epochs"},        // missing
    {"sseed", "seed"},          // added
    {"bacth_size", "batch_size"},
    {"rl", "lr"}, // swapped neighbours are one slip
    {"LR", "lr"}, // case is free
    {"seed", "seed"},
    {"median_incom", "median_income"},
    {"mdeian_incmoe", "median_income"},
    {"xylophone", NULL},
    {"x", NULL},
    {"", NULL},
    {"seedseed", NULL},
};

LOOP_TEST(nearest_suggests_what_was_meant_and_nothing_far_fetched, sizeof CASES / sizeof *CASES)
{
    const char *got = nearest_in(CASES[_i].name, KNOWN, N_KNOWN);
    ck_assert_pstr_eq(got, CASES[_i].meant);
}

TEST(nearest_prefers_the_closest_and_among_equals_the_first)
{
    const char *const close[] = {"column_12", "column_1", "column_3"};
    ck_assert_str_eq(nearest_in("column_2", close, 3), "column_12");
    ck_assert_str_eq(nearest_in("column_31", close, 3), "column_1");
    ck_assert_ptr_null(nearest_in("column_2", close, 0));
}

TEST(nearest_leaves_names_alone_that_are_too_long)
{
    char name[NEAREST_MAX + 2];
    memset(name, 'a', sizeof name);
    name[NEAREST_MAX + 1] = '\0';
    const char *const known[] = {name, name + 1};
    ck_assert_ptr_null(nearest_in(name, known, 2));
    ck_assert_ptr_eq(nearest_in(name + 1, known, 2), name + 1);
}
