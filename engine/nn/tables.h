// SPDX-License-Identifier: MIT
#pragma once

// The tables of choices a job definition can name. Constant data.

#include "engine/base/row.h"

extern const struct table activation_table, norm_table, loss_table; // rows of ops: pick_op()
extern const struct table init_table, optimizer_table, schedule_table, metric_table;
