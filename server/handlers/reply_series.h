// SPDX-License-Identifier: MIT
#pragma once

// Series in replies: one array a series, a value a point. Used by the handlers that show curves.

#include "api/json/jsonw.h"
#include "server/store/store.h"

// The k-th series of the table; all null for one it does not have (k >= t->series.n).
void reply_series(struct jsonw *w, const char *key, const struct series_table *t, size_t k);

// Numbers of the points, such as t->epoch.
void reply_points(struct jsonw *w, const char *key, const int64_t *v, size_t n);
