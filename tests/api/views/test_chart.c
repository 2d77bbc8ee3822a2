// SPDX-License-Identifier: MIT
// Charts: the list of their forms, and JSON.

#include "api/views/chart.h"

#include "tests/api/views/chartlab.h"
#include "tests/harness.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TEST(json_has_columns_and_gaps)
{
    static const char *const name[] = {"train_loss", "val_\"x\"", ""};
    struct chart *c = lab_chart(3, name);
    for (size_t i = 0; i < 3; i++)
        lab_epoch(c, i, 2 + 2 * (int64_t)i + (i == 2));
    lab_set(c, 0, 0, 0.1);
    lab_set(c, 1, 0, NAN);
    lab_set(c, 2, 1, 1 / 3.0);
    c->after = 1;
    ck_assert_str_eq(lab_write(c, &chart_json),
                     "{\"columns\":{\"epoch\":[2,4,7],\"step\":[2,4,7],\"train_loss\":[0.1,null,0],"
                     "\"val_\\\"x\\\"\":[0,0,0.33333333333333331]},"
                     "\"gaps\":[{\"from\":3,\"to\":3},{\"from\":5,\"to\":6}]}\n");
}

static size_t forms(void)
{
    size_t n = 0;
    while (chart_renderings[n])
        n++;
    return n;
}

// Every form of every odd chart is text; what it says is looked at where the form is tested.
TEST(every_form_is_written_of_every_chart)
{
    ck_assert_ptr_eq(chart_renderings[0], &chart_json);
    for (size_t f = 0; f < forms(); f++)
        for (size_t i = 0; i < lab_odd_count(); i++) {
            const char *text = lab_write(lab_odd(i), chart_renderings[f]);
            if (chart_renderings[f] != &chart_csv) // which has names as they are
                ck_assert_ptr_null(strstr(text, "\x1b"));
            ck_assert(!*text || text[strlen(text) - 1] == '\n');
        }
}

TEST(a_form_that_does_not_fit_is_an_error)
{
    static const char *const name[] = {"train_loss", "val_loss", ""};
    for (size_t f = 0; f < forms(); f++) {
        struct chart *c = lab_chart(5000, name);
        struct arena small;
        struct err e = {0};
        size_t len;
        for (size_t i = 0; i < c->n; i++)
            lab_set(c, i, i % 2, 1.0 / (double)(i + 1));
        arena_init(&small, 1024);
        ck_assert_ptr_null(chart_renderings[f]->write(c, &len, &small, &e));
        ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
        arena_release(&small);
    }
}

// What the longest curve of a job with all metrics takes fits into the memory of one request: 64
// MiB, of which the numbers themselves have 10.
TEST(every_form_of_the_longest_curve_fits_into_a_request)
{
    static const char *const name[] = {
        "train_loss",   "lr",     "grad_norm",    "seconds", "val_loss",
        "val_accuracy", "val_f1", "val_log_loss", "val_auc", ""};
    for (size_t f = 0; f < forms(); f++) {
        struct chart *c = lab_chart(100000, name);
        struct arena a;
        struct err e = {0};
        size_t len;
        for (size_t i = 0; i < c->n * c->n_column; i++)
            ((double *)c->value)[i] = 1 / (double)(3 + i);
        arena_init(&a, 54 << 20);
        ck_assert_msg(chart_renderings[f]->write(c, &len, &a, &e), "%s: %s",
                      chart_renderings[f]->name, e.text);
        arena_release(&a);
    }
}

// The same chart gives the same bytes.
TEST(every_form_is_written_alike_each_time)
{
    for (size_t f = 0; f < forms(); f++) {
        char *first = strdup(lab_write(lab_odd(6), chart_renderings[f]));
        ck_assert_str_eq(lab_write(lab_odd(6), chart_renderings[f]), first);
        free(first);
    }
}
