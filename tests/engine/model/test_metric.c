// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/model/metric.h"
#include "engine/table/task.h"

#include <math.h>
#include <string.h>

enum { ROWS_MAX = 8, CLASSES_MAX = 3 };

// Computed by hand.
struct known {
    const char *metric;
    size_t n, k;
    double answer[ROWS_MAX * CLASSES_MAX], target[ROWS_MAX * CLASSES_MAX];
    double value;
};
static const struct known known[] = {
    {"rmse", 4, 1, {1, 2, 3, 4}, {1, 2, 3, 8}, 2},
    {"rmse", 2, 1, {0, 0}, {3, -3}, 3},
    {"mae", 4, 1, {1, 2, 3, 4}, {1, 3, 1, 8}, 1.75},
    {"r2", 4, 1, {1, 2, 3, 4}, {1, 2, 3, 4}, 1},
    {"r2", 4, 1, {2.5, 2.5, 2.5, 2.5}, {1, 2, 3, 4}, 0},
    {"r2", 4, 1, {1, 2, 3, 5}, {1, 2, 3, 4}, .8},
    {"r2", 2, 1, {4, 1}, {1, 4}, -3},
    {"r2", 3, 1, {1, 2, 3}, {5, 5, 5}, 0}, // nothing to explain
    {"accuracy", 3, 3, {.2, .5, .3, .6, .3, .1, .1, .1, .8}, {1, 1, 2}, 2.0 / 3},
    {"accuracy", 2, 2, {.5, .5, .5, .5}, {0, 1}, .5}, // a tie goes to the first class
    {"log_loss", 2, 2, {.75, .25, .5, .5}, {0, 1}, .49041462650586309},
    {"log_loss", 1, 3, {.125, .125, .75}, {1}, 2.0794415416798357},
    {"log_loss", 1, 2, {1, 0}, {1}, 16.118095650958319}, // certain and wrong: bounded
    {"auc", 4, 2, {.9, .1, .8, .2, .3, .7, .2, .8}, {0, 0, 1, 1}, 1},
    {"auc", 4, 2, {.9, .1, .8, .2, .3, .7, .2, .8}, {1, 1, 0, 0}, 0},
    {"auc", 4, 2, {.9, .1, .6, .4, .65, .35, .2, .8}, {0, 0, 1, 1}, .75},
    {"auc", 4, 2, {.5, .5, .5, .5, .5, .5, .5, .5}, {0, 1, 0, 1}, .5}, // all tied
    // positives .5 .5 .9, negatives .5 .5 .1: (1 + .5 + .5) + (1 + .5 + .5) + 3 of 9
    {"auc", 6, 2, {.5, .5, .1, .9, .5, .5, .5, .5, .9, .1, .5, .5}, {1, 1, 1, 0, 0, 0}, 7.0 / 9},
    {"auc", 2, 2, {.4, .6, .3, .7}, {1, 1}, .5}, // one class only
    {"rank_mae", 3, 3, {.8, .1, .1, .1, .8, .1, .1, .1, .8}, {0, 2, 2}, 1. / 3},
    {"rank_mae", 2, 3, {.8, .1, .1, .1, .1, .8}, {2, 0}, 2},
    {"quadratic_kappa", 3, 3, {.8, .1, .1, .1, .8, .1, .1, .1, .8}, {0, 2, 2}, .8},
    {"quadratic_kappa", 2, 3, {.8, .1, .1, .1, .1, .8}, {2, 0}, -1},
    {"quadratic_kappa", 2, 2, {.8, .2, .8, .2}, {0, 0}, 0}, // nothing to agree on
};
enum { KNOWN = sizeof known / sizeof *known };

// With as many targets as answers, over which the metric is the mean.
static const struct known several[] = {
    {"rmse", 2, 2, {0, 1, 0, 1}, {3, 2, -3, 0}, 2},
    {"mae", 2, 2, {0, 1, 0, 1}, {3, 2, -3, 0}, 2},
    {"r2", 2, 2, {1, 5, 2, 5}, {1, 4, 2, 6}, .5},
    {"mae", 1, 3, {.5, .25, .25}, {.25, .25, .5}, .5 / 3}, // shares
    // labels
    {"accuracy", 2, 3, {.9, .1, .5, .4, .6, .2}, {1, 0, 1, 1, 1, 1}, 4. / 6},
    {"log_loss", 1, 2, {.75, .25}, {1, 0}, .28768207245178090},
    {"log_loss", 1, 2, {.75, 1}, {0, 0}, 8.752195006039106}, // (log 4 + log 1e7) / 2
    {"f1", 3, 1, {.9, .8, .2}, {1, 0, 1}, .5},
    {"f1", 2, 3, {.9, .1, .9, .9, .2, .1}, {1, 0, 1, 1, 0, 1}, (1 + 0 + 2. / 3) / 3},
    {"kl_divergence", 1, 2, {.5, .5}, {.5, .5}, 0},
    {"kl_divergence", 2, 2, {.5, .5, .25, .75}, {1, 0, .5, .5}, .41849410839},
    {"kl_divergence", 1, 2, {0, 1}, {1, 0}, 16.118095650958319}, // bounded
};
enum { SEVERAL = sizeof several / sizeof *several };

static double value_of(const struct metric *m, size_t n, size_t k, size_t n_target,
                       const double *answer, const double *target)
{
    double a[ROWS_MAX * CLASSES_MAX], t[ROWS_MAX * CLASSES_MAX], scratch[2 * ROWS_MAX];
    for (size_t i = 0; i < n * k; i++)
        a[i] = (real)answer[i];
    for (size_t i = 0; i < n * n_target; i++)
        t[i] = (real)target[i];
    struct scored s = {a, t, n, k, n_target, scratch, NULL};
    return m->value(&s);
}

static void expect(const struct known *k, size_t n_target)
{
    const struct row *row = table_find(&metric_table, k->metric);
    ck_assert_msg(row, "there is no metric \"%s\"", k->metric);
    double got = value_of((const struct metric *)(const void *)row, k->n, k->k, n_target, k->answer,
                          k->target);
    ck_assert_msg(fabs(got - k->value) < 2e-7 * fmax(1, fabs(k->value)), "%s: %.9g, expected %.9g",
                  row->name, got, k->value);
}

LOOP_TEST(a_metric_gives_its_known_values, KNOWN)
{
    expect(&known[_i], 1);
}

LOOP_TEST(a_metric_of_several_targets_gives_its_known_values, SEVERAL)
{
    expect(&several[_i], several[_i].k);
}

LOOP_TEST(every_metric_has_known_values_and_a_task, metric_table.n)
{
    const struct metric *m = (const struct metric *)(const void *)metric_table.row[_i];
    int found = 0;
    for (int i = 0; i < KNOWN + SEVERAL; i++) {
        const struct known *k = i < KNOWN ? &known[i] : &several[i - KNOWN];
        found += strcmp(k->metric, m->row.name) == 0;
    }
    ck_assert_msg(found, "metric \"%s\" has no known values here", m->row.name);
    ck_assert_int_ne(m->forms, 0);
}

// A better answer must be told from a worse one in the direction the row declares.
LOOP_TEST(every_metric_knows_which_way_is_better, metric_table.n)
{
    const struct metric *m = (const struct metric *)(const void *)metric_table.row[_i];
    static const double value[] = {1, 2, 3, 4}, near[] = {1, 2, 3, 5}, far[] = {9, 0, 9, 0};
    static const double right[] = {.9, .1, .8, .2, .3, .7, .2, .8}, cls[] = {0, 0, 1, 1},
                        wrong[] = {.1, .9, .7, .3, .8, .2, .6, .4};
    static const double shares[] = {.9, .1, .2, .8}, agree[] = {.8, .2, .3, .7},
                        differ[] = {.1, .9, .7, .3};
    bool numbers = m->forms & FORM_VALUES;
    bool columns = m->forms & (FORM_LABELS | FORM_SHARES) && !(m->forms & FORM_TWO_CLASSES);
    double good = numbers   ? value_of(m, 4, 1, 1, near, value)
                  : columns ? value_of(m, 2, 2, 2, agree, shares)
                            : value_of(m, 4, 2, 1, right, cls);
    double bad = numbers   ? value_of(m, 4, 1, 1, far, value)
                 : columns ? value_of(m, 2, 2, 2, differ, shares)
                           : value_of(m, 4, 2, 1, wrong, cls);
    ck_assert_msg(m->larger_better ? good > bad : good < bad, "%s: %g against %g", m->row.name,
                  good, bad);
}

static const struct {
    const struct task *task;
    size_t n_class;
    int form;
    const char *first;
} kind[] = {{&task_regression, 0, FORM_VALUES, "rmse"},
            {&task_classification, 2, FORM_TWO_CLASSES, "accuracy"},
            {&task_classification, 3, FORM_CLASSES, "accuracy"},
            {&task_multilabel, 0, FORM_LABELS, "accuracy"},
            {&task_distribution, 0, FORM_SHARES, "kl_divergence"},
            {&task_ordinal, 4, FORM_CLASSES, "accuracy"}};

LOOP_TEST(a_task_gets_its_metrics_in_the_tables_order, sizeof kind / sizeof *kind)
{
    const struct metric *m;
    const struct answer a = {.task = kind[_i].task, .n_class = kind[_i].n_class};
    ck_assert_int_eq(answer_form(&a), kind[_i].form);
    ck_assert_str_eq(metric_for(&a, 0)->row.name, kind[_i].first);
    size_t n = 0;
    for (; (m = metric_for(&a, n)); n++)
        ck_assert(m->forms & kind[_i].form && (!m->ordered || kind[_i].task->ordered));
    ck_assert_uint_le(n, METRICS_MAX);
}
