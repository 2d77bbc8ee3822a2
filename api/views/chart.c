// SPDX-License-Identifier: MIT
// The forms of a chart, from chart.def: see chart.h.

#include "api/views/chart.h"

const struct rendering *const chart_renderings[] = {
#define RENDERING(name) &name,
#include "api/views/chart.def"
    NULL,
};

bool chart_gap(const struct chart *c, size_t i)
{
    return c->epoch[i] > (i ? c->epoch[i - 1] : c->after) + 1;
}
