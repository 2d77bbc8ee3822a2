// SPDX-License-Identifier: MIT
#pragma once

// Which columns of a table a job learns from, in which form, and which rows are for what: the part
// of a job definition that engine/table understands. Constant once filled; strings and arrays
// belong to the arena of whoever filled it.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum column_type { COLUMN_NUMERIC, COLUMN_CATEGORICAL };

// (x - mean) / standard deviation, or as it is.
enum numeric_prep { NUMERIC_STANDARD, NUMERIC_NONE };

// The mean and a second feature that is 1 where the value is missing, or the mean alone.
enum missing_prep { MISSING_MEAN_INDICATOR, MISSING_MEAN };

// One feature for each level, and one for all other values.
enum categorical_prep { CATEGORICAL_ONE_HOT };

struct column_override {
    const char *name;
    enum column_type type;
};

struct class_weight {
    const char *name;
    double weight;
};

struct data_spec {
    const char *const *target; // columns to predict
    size_t n_target;
    const char *weights;           // column with the weight of each row; NULL: all rows weigh 1
    const char *const *class_name; // all classes in the order of the user; NULL: those that occur
    size_t n_class_name;
    bool balanced; // class c weighs n / (K n_c), so that all classes have the same sum
    const struct class_weight *class_weight; // or as given; classes that are not named weigh 1
    size_t n_class_weight;
    int task;                   // index in task_words (engine/table/task.h)
    const char *const *exclude; // columns not to learn from
    size_t n_exclude;
    const struct column_override *type; // columns whose inferred type is wrong
    size_t n_type;
    enum numeric_prep numeric;
    enum missing_prep missing;
    enum categorical_prep categorical;
    double validation, test; // shares of the rows, their sum below 1
    bool stratify;           // keep the shares of the classes in every part (classification only)
    uint64_t split_seed;
};
