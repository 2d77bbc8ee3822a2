// SPDX-License-Identifier: MIT
// Panels and axes of charts: every value on its axis, few and round ticks, labels that differ.

#include "api/views/chart_axis.h"

#include "tests/api/views/chartlab.h"
#include "tests/harness.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

TEST(columns_of_one_measure_share_a_panel_and_losses_come_first)
{
    static const char *const name[] = {"train_loss", "lr",   "grad_norm",     "val_loss", "val_f1",
                                       "train_f1",   "loss", "smoothed_loss", ""};
    static const char *const wanted[] = {"loss: 0 3 6 7", "f1: 4 5", "lr: 1", "grad_norm: 2"};
    struct chart_panel panel[LAB_COLUMNS];
    size_t n = chart_panels(lab_chart(1, name), panel);
    ck_assert_uint_eq(n, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < n; i++) {
        char text[80];
        int len = snprintf(text, sizeof text, "%.*s:", panel[i].name_len, panel[i].name);
        for (int k = 0; k < panel[i].n; k++)
            len += snprintf(text + len, sizeof text - (size_t)len, " %zu", panel[i].column[k]);
        ck_assert_str_eq(text, wanted[i]);
    }
}

TEST(a_panel_takes_so_many_columns_and_the_next_one_the_others)
{
    static const char *const name[] = {"a", "a", "a", "a", "a", ""};
    struct chart_panel panel[LAB_COLUMNS];
    ck_assert_uint_eq(chart_panels(lab_chart(1, name), panel), 2);
    ck_assert_int_eq(panel[0].n, CHART_ROLES);
    ck_assert_int_eq(panel[1].n, 1);
}

static const char *const one[] = {"loss", ""};
static const struct chart_panel first = {.name = "loss", .name_len = 4, .column = {0}, .n = 1};

static const struct {
    double v[6];
    size_t n;
    bool log;
    const char *labels; // of four ticks or so, or of decades
} axes[] = {
    {{0, 0.5, 1}, 3, false, "0 0.5 1.0"},
    {{0.1, 0.9}, 2, false, "0 0.2 0.4 0.6 0.8 1.0"},
    {{0.01, 0.8, 0.9, 0.95, 0.97}, 5, false, "0 0.5 1.0"}, // an accuracy
    {{2.3, 0.4, 0.05, 0.02, 0.01}, 5, true, "0.01 0.1 1"}, // a loss
    {{2.3, 1.9, 1.7}, 3, false, "1.6 1.8 2.0 2.2 2.4"},
    {{1000, 100, 10, 1, .1, .01}, 6, true, "0.01 0.1 1 10 100 1000"},
    {{-3, 100, 0, 1, 2}, 5, false, "-50 0 50 100"},
    {{7, 7, 7}, 3, false, "6.0 6.5 7.0 7.5 8.0"},
    {{0, 0}, 2, false, "-1.0 -0.5 0 0.5 1.0"},
    {{1e7, 2e7}, 2, false, "1.0e7 1.5e7 2.0e7"},
    {{1e-7, 3e-7}, 2, false, "1.0e-7 1.5e-7 2.0e-7 2.5e-7 3.0e-7"},
    {{INFINITY, 1, 2, NAN}, 4, false, "1.0 1.5 2.0"},
};

static struct chart *axis_chart(size_t i)
{
    struct chart *c = lab_chart(axes[i].n, one);
    for (size_t k = 0; k < axes[i].n; k++)
        lab_set(c, k, 0, axes[i].v[k]);
    return c;
}

LOOP_TEST(an_axis_has_round_ticks, sizeof axes / sizeof *axes)
{
    struct chart_axis x = chart_axis_fit(axis_chart((size_t)_i), &first, 4);
    double tick[CHART_TICKS];
    char text[200] = "", label[CHART_LABEL];
    int n = chart_axis_ticks(&x, 8, tick);
    for (int i = 0; i < n; i++)
        sprintf(text + strlen(text), "%s%s", i ? " " : "", chart_axis_label(&x, tick[i], label));
    ck_assert_str_eq(text, axes[_i].labels);
    ck_assert(x.log == axes[_i].log);
}

// Of the odd charts as well.
TEST(every_value_has_a_place_on_its_axis_and_ticks_are_few_and_differ)
{
    for (size_t i = 0; i < lab_odd_count(); i++) {
        const struct chart *c = lab_odd(i);
        struct chart_panel panel[LAB_COLUMNS];
        size_t n = chart_panels(c, panel);
        for (size_t p = 0; p < n; p++) {
            struct chart_axis x = chart_axis_fit(c, &panel[p], 5);
            double tick[CHART_TICKS];
            char label[CHART_LABEL], last[CHART_LABEL] = "";
            int ticks = chart_axis_ticks(&x, 8, tick);
            ck_assert(x.low < x.high && isfinite(x.high - x.low));
            ck_assert_int_ge(ticks, 2);
            ck_assert_int_le(ticks, 8);
            for (int k = 0; k < ticks; k++) {
                ck_assert_double_ge(chart_axis_place(&x, tick[k]), -1e-5);
                ck_assert_double_le(chart_axis_place(&x, tick[k]), 1 + 1e-5);
                ck_assert_str_ne(chart_axis_label(&x, tick[k], label), last);
                strcpy(last, label);
            }
            for (size_t row = 0; row < c->n; row++) {
                double v = c->value[row * c->n_column + panel[p].column[0]];
                if (!chart_drawn(v))
                    continue;
                ck_assert_double_ge(chart_axis_place(&x, v), -1e-9);
                ck_assert_double_le(chart_axis_place(&x, v), 1 + 1e-9);
                ck_assert(!x.empty);
            }
        }
    }
}

static const struct {
    int64_t first, last;
    const char *labels;
} epochs[] = {
    {1, 1, "0 1 2"},
    {1, 3, "1 2 3"},
    {1, 9, "2 4 6 8"},
    {0, 100, "0 20 40 60 80 100"},
    {37, 400, "100 200 300 400"},
    {1, 100000, "20000 40000 60000 80000 100000"},
};

LOOP_TEST(epochs_have_whole_ticks, sizeof epochs / sizeof *epochs)
{
    struct chart *c = lab_chart(2, one);
    lab_epoch(c, 0, epochs[_i].first);
    lab_epoch(c, 1, epochs[_i].last);
    struct chart_axis x = chart_axis_epochs(c, 5);
    double tick[CHART_TICKS];
    char text[200] = "", label[CHART_LABEL];
    int n = chart_axis_ticks(&x, 8, tick);
    for (int i = 0; i < n; i++)
        sprintf(text + strlen(text), "%s%s", i ? " " : "", chart_axis_label(&x, tick[i], label));
    ck_assert_str_eq(text, epochs[_i].labels);
}

TEST(the_last_value_of_a_column_is_one_that_is_drawn)
{
    struct chart *c = lab_chart(4, one);
    lab_set(c, 1, 0, 5);
    lab_set(c, 2, 0, NAN);
    lab_set(c, 3, 0, INFINITY);
    ck_assert_double_eq(chart_last(c, 0), 5);
    ck_assert_double_nan(chart_last(lab_odd(7), 0));
}

TEST(a_chart_is_told_in_words)
{
    char out[CHART_WORDS];
    struct chart *c = lab_chart(0, one);
    ck_assert_str_eq(chart_words(c, out), "No epoch yet.");
    c = lab_chart(1, one);
    c->best = 1;
    ck_assert_str_eq(chart_words(c, out), "Epoch 1, the best is 1.");
    c = lab_chart(3, one);
    c->best = 4;
    lab_epoch(c, 2, 9);
    ck_assert_str_eq(chart_words(c, out), "Epochs 1 to 9, the best is 4, 6 missing.");
    c->best = 10;
    ck_assert(!chart_has_best(c));
    c->after = -1;
    ck_assert_str_eq(chart_words(c, out), "Epochs 1 to 9, 7 missing.");
}

TEST(numbers_of_a_legend_are_short)
{
    static const struct {
        double v;
        const char *text;
    } row[] = {
        {0.123456, "0.1235"}, {1e-5, "1e-5"}, {-1.25e-7, "-1.25e-7"}, {1e20, "1e20"}, {100, "100"},
        {1e100, "1e100"},     {0, "0"}};
    char out[CHART_LABEL];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        ck_assert_str_eq(chart_number(row[i].v, out), row[i].text);
}
