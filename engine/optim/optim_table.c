// SPDX-License-Identifier: MIT
// The rows of optimizer_table, from optim.def.

#include "engine/optim/optim.h"

static const struct row *const optimizer_row[] = {
#define OPTIM(name) &optim_##name.row,
#include "engine/optim/optim.def"
};

const struct table optimizer_table = {
    .what = "optimizer",
    .row = optimizer_row,
    .n = sizeof optimizer_row / sizeof *optimizer_row,
    .common = {{.name = "sam",
                .doc = "Sharpness-aware minimization (SAM): radius rho; twice the cost; 0: off.",
                .min = 0,
                .max = 10},
               {.name = "lookahead",
                .doc = "Lookahead: steps between two updates of the slow weights; 0: off.",
                .type = HYPER_INT,
                .min = 0,
                .max = 10000},
               {.name = "lookahead_alpha",
                .doc = "Lookahead: step size of the slow weights.",
                .def = {.6},
                .min = 0,
                .max = 1}}};
