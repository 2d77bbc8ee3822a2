// SPDX-License-Identifier: MIT
#pragma once

// Charts for the tests of their forms. One at a time; it and what is written of it live until the
// next lab_chart().

#include "api/views/chart.h"

enum { LAB_COLUMNS = 8 };

// A chart of n epochs from 1 on, a value each for every name ("" ends the names); all 0.
struct chart *lab_chart(size_t n, const char *const *name);
void lab_set(struct chart *c, size_t row, size_t column, double v);
void lab_epoch(struct chart *c, size_t row, int64_t epoch);

// The chart in a form; the test fails when that does.
const char *lab_write(const struct chart *c, const struct rendering *r);

// The charts that every form must cope with: none, one epoch, gaps, no values, constant and endless
// ones, names with anything in them. Their number, and the i-th.
size_t lab_odd_count(void);
const struct chart *lab_odd(size_t i);
