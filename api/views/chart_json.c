// SPDX-License-Identifier: MIT
// A chart as JSON: see chart.h. Columns, since whoever plots wants one after the other.

#include "api/json/jsonw.h"
#include "api/views/chart.h"

enum { NUMBER = 24 }; // bytes of a number, its comma included, but for the rarest

static void write_ints(struct jsonw *w, const char *key, const int64_t *v, size_t n)
{
    jsonw_array(w, key);
    for (size_t i = 0; i < n; i++)
        jsonw_int(w, NULL, v[i]);
    jsonw_end(w);
}

static void chart_json_column(struct jsonw *w, const struct chart *c, size_t k)
{
    jsonw_array(w, c->name[k]);
    for (size_t i = 0; i < c->n; i++)
        jsonw_real(w, NULL, c->value[i * c->n_column + k]);
    jsonw_end(w);
}

// Epochs that were not stored, seen by what follows them.
static void write_gaps(struct jsonw *w, const struct chart *c)
{
    jsonw_array(w, "gaps");
    for (size_t i = 0; i < c->n; i++) {
        if (!chart_gap(c, i))
            continue;
        jsonw_object(w, NULL);
        jsonw_int(w, "from", (i ? c->epoch[i - 1] : c->after) + 1);
        jsonw_int(w, "to", c->epoch[i] - 1);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static const char *chart_write_json(const void *model, size_t *len, struct arena *a, struct err *e)
{
    const struct chart *c = model;
    struct jsonw w;
    jsonw_init(&w, a);
    jsonw_reserve(&w, c->n * (c->n_column + 2) * NUMBER);
    jsonw_object(&w, NULL);
    jsonw_object(&w, "columns");
    write_ints(&w, "epoch", c->epoch, c->n);
    write_ints(&w, "step", c->step, c->n);
    for (size_t k = 0; k < c->n_column; k++)
        chart_json_column(&w, c, k);
    jsonw_end(&w);
    write_gaps(&w, c);
    jsonw_end(&w);
    return jsonw_line(&w, len, e);
}

const struct rendering chart_json = {.name = "json",
                                     .media = "application/json",
                                     .doc = "Columns of numbers, and the epochs that are missing.",
                                     .write = chart_write_json};
