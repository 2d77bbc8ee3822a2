// SPDX-License-Identifier: MIT
// See reply_series.h.

#include "server/handlers/reply_series.h"

#include <math.h>

// A whole number is one unless the database is damaged.
static void write_value(struct jsonw *w, enum series_type type, double v)
{
    const double most = 0x1p53;
    if (type == SERIES_WHOLE && v >= -most && v <= most && v == trunc(v))
        jsonw_int(w, NULL, (int64_t)v);
    else
        jsonw_real(w, NULL, v);
}

void reply_series(struct jsonw *w, const char *key, const struct series_table *t, size_t k)
{
    size_t n = t->series.n;
    jsonw_array(w, key);
    for (size_t i = 0; i < t->n_row; i++)
        if (k < n)
            write_value(w, t->series.item[k].type, t->value[i * n + k]);
        else
            jsonw_null(w, NULL);
    jsonw_end(w);
}

void reply_points(struct jsonw *w, const char *key, const int64_t *v, size_t n)
{
    jsonw_array(w, key);
    for (size_t i = 0; i < n; i++)
        jsonw_int(w, NULL, v[i]);
    jsonw_end(w);
}
