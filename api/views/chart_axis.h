// SPDX-License-Identifier: MIT
#pragma once

// What the pictures of a chart share: which columns stand in one panel, the panels' axes, what is
// said beside them. Pure functions; any thread.

#include "api/views/chart.h"

// What a column's values were taken on, by its name's prefix: the same in every panel.
enum chart_role { CHART_PLAIN, CHART_TRAIN, CHART_VAL, CHART_SMOOTHED, CHART_ROLES };

struct chart_panel {
    const char *name;           // what its columns measure: "loss" of "train_loss"; not terminated
    int name_len;               // bytes
    size_t column[CHART_ROLES]; // in the order of the chart
    int n;
};

// Group the columns by what they measure. Losses come first, then what was measured on validation
// rows, then the rest. `out` has room for a panel per column; returns how many there are.
size_t chart_panels(const struct chart *c, struct chart_panel *out);
enum chart_role chart_role(const char *name);

// Whether a value has a place in a picture. Beyond 1e300 differences would overflow, and nobody
// sees the difference to infinity.
bool chart_drawn(double v);

// The last value of a column that has a place; NaN when there is none.
double chart_last(const struct chart *c, size_t column);

// Whether the best epoch is among those of the chart.
bool chart_has_best(const struct chart *c);

// "Epochs 1 to 63, the best is 53, 2 missing."
enum { CHART_WORDS = 160 };
const char *chart_words(const struct chart *c, char out[CHART_WORDS]);

struct chart_axis {
    double low, high; // its ends, low < high; both above 0 where it is logarithmic
    double step;      // from one tick to the next; 0: logarithmic
    bool log;
    bool empty; // there is nothing to draw
};

enum { CHART_TICKS = 12, CHART_LABEL = 24 };

// An axis of about `ticks` ticks (2 to 8) that all values of the panel fit on. It is logarithmic
// where most values would lie flat at the bottom of a linear one.
struct chart_axis chart_axis_fit(const struct chart *c, const struct chart_panel *p, int ticks);

// An axis of whole numbers from the first epoch to the last.
struct chart_axis chart_axis_epochs(const struct chart *c, int ticks);

// Where on the axis a value is: 0 at the low end, 1 at the high one.
double chart_axis_place(const struct chart_axis *x, double v);

// The round values on the axis, ascending; at most `most` of them. Returns how many.
int chart_axis_ticks(const struct chart_axis *x, int most, double tick[CHART_TICKS]);

// A tick as text, with the digits that tell it from its neighbours.
const char *chart_axis_label(const struct chart_axis *x, double tick, char out[CHART_LABEL]);

// A value with four significant digits, for legends.
const char *chart_number(double v, char out[CHART_LABEL]);
