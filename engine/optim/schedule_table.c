// SPDX-License-Identifier: MIT
// The rows of schedule_table.

#include "engine/optim/schedule_rows.h"

static const struct row *const schedule_row[] = {
    &schedule_cosine.row,       &schedule_constant.row,     &schedule_step.row,
    &schedule_multi_step.row,   &schedule_exponential.row,  &schedule_polynomial.row,
    &schedule_inverse_time.row, &schedule_inverse_sqrt.row, &schedule_cosine_restarts.row,
    &schedule_one_cycle.row,    &schedule_cyclic.row,       &schedule_plateau.row,
    &schedule_flat_cos.row,     &schedule_coslog.row,
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
