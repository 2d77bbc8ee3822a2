// SPDX-License-Identifier: MIT
#pragma once

// Places of the tasks in task_words, as constants for tables of cases.

#include "engine/table/task.h"

enum {
    AT_auto = TASK_AUTO,
#define TASK(name, ...) AT_##name,
#include "engine/table/task.def"
};
