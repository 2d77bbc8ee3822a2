// SPDX-License-Identifier: MIT
// A chart as lines of JSON, an object an epoch: see chart.h. Keys are printed once, since they are
// the same in every line.

#include "api/json/jsonw.h"
#include "api/json/textw.h"
#include "api/views/chart.h"
#include "engine/base/number.h"

#include <math.h>
#include <string.h>

// The names in quotes and with escapes; NULL when there is no memory for them.
static const char **quoted_names(const struct chart *c, size_t *total, struct arena *a,
                                 struct err *e)
{
    const char **key = arena_alloc(a, c->n_column, sizeof *key);
    *total = 0;
    for (size_t k = 0; key && k < c->n_column; k++) {
        struct jsonw w;
        size_t len;
        jsonw_init(&w, a);
        jsonw_string(&w, NULL, c->name[k]);
        key[k] = jsonw_text(&w, &len, e);
        if (!key[k])
            return NULL;
        *total += len;
    }
    if (!key)
        arena_fail(a, e, "the names of the columns");
    return key;
}

static void chart_ndjson_row(struct textw *w, const struct chart *c, const char **key, size_t i)
{
    char number[NUMBER_TEXT_SIZE];
    textw_add(w, "{\"epoch\":%lld,\"step\":%lld", (long long)c->epoch[i], (long long)c->step[i]);
    for (size_t k = 0; k < c->n_column; k++) {
        double v = c->value[i * c->n_column + k];
        textw_put(w, ",", 1);
        textw_put(w, key[k], strlen(key[k]));
        textw_put(w, ":", 1);
        if (isfinite(v))
            textw_put(w, number, number_print(number, v));
        else
            textw_put(w, "null", 4);
    }
    textw_put(w, "}\n", 2);
}

static const char *chart_write_ndjson(const void *model, size_t *len, struct arena *a,
                                      struct err *e)
{
    const struct chart *c = model;
    struct textw w;
    size_t names;
    const char **key = quoted_names(c, &names, a, e);
    if (!key)
        return NULL;
    textw_init(&w, a);
    textw_reserve(&w, c->n * (64 + names + c->n_column * NUMBER_TEXT_SIZE));
    for (size_t i = 0; i < c->n; i++)
        chart_ndjson_row(&w, c, key, i);
    return textw_end(&w, len, e);
}

const struct rendering chart_ndjson = {.name = "ndjson",
                                       .media = "application/x-ndjson",
                                       .doc = "A line of JSON an epoch, for programs that read on.",
                                       .write = chart_write_ndjson};
