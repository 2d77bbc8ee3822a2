// SPDX-License-Identifier: MIT
// Rows and hyperparameters in general, and walks over every table of choices: the job schema trusts
// what is checked here.

#include "tests/harness.h"
#include "engine/model/init.h"
#include "engine/model/metric.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"

#include <math.h>
#include <string.h>

static const struct table *const tables[] = {&activation_table, &norm_table,      &loss_table,
                                             &init_table,       &optimizer_table, &schedule_table,
                                             &metric_table};
enum { TABLES = sizeof tables / sizeof *tables };

static const struct row plain = {
    .name = "plain", .doc = "Has one hyperparameter.", .hyper = {{"a", .def = {3}}}};
static const struct row wide = {
    .name = "wide",
    .doc = "Has a pair in front.",
    .hyper = {{"pair", .count = 2, .def = {.1, .2}}, {"b", .count = 1, .def = {4}}}};
static const struct row *const rows[] = {&plain, &wide};
static const struct table both = {
    .what = "sample", .row = rows, .n = 2, .common = {{"shared", .def = {9}}}};

TEST(a_row_is_found_by_its_whole_name_only)
{
    ck_assert_ptr_eq(table_find(&both, "wide"), &wide);
    ck_assert_ptr_null(table_find(&both, "wid"));
    ck_assert_ptr_null(table_find(&both, "Wide"));
    ck_assert_ptr_null(table_find(&both, ""));
}

TEST(hypers_lie_one_after_the_other_with_the_tables_own_last)
{
    size_t at = 99;
    ck_assert_str_eq(hyper_at(&both, &wide, 0, &at)->name, "pair");
    ck_assert_uint_eq(at, 0);
    ck_assert_str_eq(hyper_at(&both, &wide, 1, &at)->name, "b");
    ck_assert_uint_eq(at, 2);
    ck_assert_str_eq(hyper_at(&both, &wide, 2, &at)->name, "shared");
    ck_assert_uint_eq(at, 3);
    ck_assert_ptr_null(hyper_at(&both, &wide, 3, &at));
}

TEST(a_pick_holds_the_defaults_under_their_names)
{
    struct pick p = pick_row(&both, &wide);
    ck_assert_ptr_eq(p.row, &wide);
    ck_assert(p.value[0] == .1 && p.value[1] == .2 && p.value[2] == 4 && p.value[3] == 9);
    p.value[2] = 5;
    ck_assert(pick_value(&both, &p, "pair") == .1 && pick_value(&both, &p, "b") == 5 &&
              pick_value(&both, &p, "shared") == 9);
}

TEST(nothing_picked_is_a_pick_without_a_row)
{
    ck_assert_ptr_null(pick_row(&both, NULL).row);
}

static void check_hyper(const struct table *t, const struct row *row, const struct hyper *k)
{
    int count = k->count ? k->count : 1;
    ck_assert_msg(k->doc && k->doc[strlen(k->doc) - 1] == '.',
                  "%s \"%s\": hyperparameter \"%s\" has no "
                  "sentence",
                  t->what, row->name, k->name);
    ck_assert_msg(count <= HYPER_VALUES && k->min <= k->max, "%s \"%s\": \"%s\"", t->what,
                  row->name, k->name);
    for (int i = 0; i < count; i++)
        ck_assert_msg((k->list && i > 0 && isnan(k->def[i])) ||
                          (k->def[i] >= k->min && k->def[i] <= k->max),
                      "%s \"%s\": the default of \"%s\", %g, is outside %g to %g", t->what,
                      row->name, k->name, k->def[i], k->min, k->max);
}

LOOP_TEST(every_choice_has_a_name_a_sentence_and_hypers_within_their_ranges, TABLES)
{
    const struct table *t = tables[_i];
    ck_assert_uint_gt(t->n, 0);
    for (size_t i = 0; i < t->n; i++) {
        const struct row *row = t->row[i];
        ck_assert_ptr_eq(table_find(t, row->name), row);
        ck_assert_msg(row->doc && row->doc[strlen(row->doc) - 1] == '.', "%s \"%s\"", t->what,
                      row->name);
        const struct hyper *k, *other;
        size_t at;
        for (size_t n = 0; (k = hyper_at(t, row, n, &at)); n++) {
            ck_assert_uint_le(at + (size_t)(k->count > 1 ? k->count : 1), PICK_VALUES);
            check_hyper(t, row, k);
            for (size_t m = 0; m < n && (other = hyper_at(t, row, m, &at)); m++)
                ck_assert_str_ne(k->name, other->name);
        }
    }
}
