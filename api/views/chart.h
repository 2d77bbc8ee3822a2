// SPDX-License-Identifier: MIT
#pragma once

// Numbers over epochs as a reply: a handler fills the model below from whatever it has, and every
// form of it is written from that. Pure functions; any thread.
//
// Adding a form is writing its row in a chart_*.c and its line in chart.def.

#include "api/schema/rendering.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chart { // the model of a reply
    const char *title;
    size_t n, n_column;
    const int64_t *epoch, *step; // [n]; epochs ascend
    const char *const *name;     // [n_column]
    const double *value;         // [n, n_column]; NaN where there is none
    int64_t after;               // epochs up to this one were not asked for
    int64_t best;                // the best epoch so far, by what the job watches; 0: none
};

#define RENDERING(name) extern const struct rendering name;
#include "api/views/chart.def"

extern const struct rendering *const chart_renderings[];

// Whether epochs between the i-th row and the one before are missing.
static inline bool chart_gap(const struct chart *c, size_t i)
{
    return c->epoch[i] > (i ? c->epoch[i - 1] : c->after) + 1;
}
