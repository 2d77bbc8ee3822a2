// SPDX-License-Identifier: MIT
// The forms of a chart, from chart.def: see chart.h.

#include "api/views/chart.h"

const struct rendering *const chart_renderings[] = {
#define RENDERING(name) &name,
#include "api/views/chart.def"
    NULL,
};
