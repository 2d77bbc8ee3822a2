// SPDX-License-Identifier: MIT
// The rows of schedule_table, from schedule.def.

#include "engine/optim/schedule_rows.h"

static const struct row *const schedule_row[] = {
#define SCHEDULE(name) &schedule_##name.row,
#include "engine/optim/schedule.def"
};
const struct table schedule_table = {
    .what = "schedule",
    .row = schedule_row,
    .n = sizeof schedule_row / sizeof *schedule_row,
    .common = {{.name = "warmup",
                .doc =
                    "Linear warm-up first: a share of all steps below 1, else a number of steps.",
                .def = {0},
                .min = 0,
                .max = 1e9}},
};
