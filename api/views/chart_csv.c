// SPDX-License-Identifier: MIT
// A chart as CSV (RFC 4180): see chart.h. A row an epoch, with the shortest digits that read back
// as the same double; what is missing is an empty cell.

#include "api/json/csvw.h"
#include "api/json/textw.h"
#include "api/views/chart.h"
#include "engine/base/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool chart_csv_take(void *ctx, const char *text, size_t len, struct err *e)
{
    (void)e;
    textw_put(ctx, text, len);
    return true;
}

static void chart_csv_head(struct csvw *w, const struct chart *c)
{
    csvw_put(w, "epoch,step", 10);
    for (size_t k = 0; k < c->n_column; k++) {
        csvw_put(w, ",", 1);
        csvw_string(w, c->name[k], strlen(c->name[k]));
    }
    csvw_put(w, "\r\n", 2);
}

static void chart_csv_row(struct csvw *w, const struct chart *c, size_t i)
{
    char text[2 * NUMBER_TEXT_SIZE];
    csvw_put(w, text,
             (size_t)snprintf(text, sizeof text, "%lld,%lld", (long long)c->epoch[i],
                              (long long)c->step[i]));
    for (size_t k = 0; k < c->n_column; k++) {
        double v = c->value[i * c->n_column + k];
        csvw_put(w, ",", 1);
        if (!isnan(v))
            csvw_put(w, text, number_print(text, v));
    }
    csvw_put(w, "\r\n", 2);
}

static const char *chart_write_csv(const void *model, size_t *len, struct arena *a, struct err *e)
{
    const struct chart *c = model;
    struct textw text;
    textw_init(&text, a);
    textw_reserve(&text, c->n * (c->n_column * NUMBER_TEXT_SIZE + 2 * NUMBER_TEXT_SIZE));
    struct csvw w = {.sink = chart_csv_take, .ctx = &text, .err = e};
    chart_csv_head(&w, c);
    for (size_t i = 0; i < c->n; i++)
        chart_csv_row(&w, c, i);
    csvw_flush(&w);
    return textw_end(&text, len, e);
}

const struct rendering chart_csv = {.name = "csv",
                                    .media = "text/csv; charset=utf-8",
                                    .doc = "A row an epoch, for spreadsheets and data frames.",
                                    .write = chart_write_csv};
