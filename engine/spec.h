// SPDX-License-Identifier: MIT
#pragma once

// What to train, as plain structs: the part of a job definition that the engine understands.
// api/job_schema.c fills them from JSON and prints them back, server/ passes them on, engine/ reads
// them. Constant once filled; strings and arrays belong to the arena of whoever filled them.

#include "row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum task { TASK_AUTO, TASK_REGRESSION, TASK_CLASSIFICATION };
enum column_type { COLUMN_NUMERIC, COLUMN_CATEGORICAL };
enum numeric_prep { NUMERIC_STANDARD, NUMERIC_NONE }; // (x - mean) / std, or as it is
enum missing_prep {
    MISSING_MEAN_INDICATOR,
    MISSING_MEAN
};                                             // mean + a 0/1 column, or the mean alone
enum categorical_prep { CATEGORICAL_ONE_HOT }; // one column a level, one for the rest

struct column_override {
    const char *name;
    enum column_type type;
};

// Which columns, in which form, and which rows for what.
struct data_spec {
    const char *target;
    enum task task;
    const char *const *exclude; // columns not to learn from
    size_t n_exclude;
    const struct column_override *type; // columns whose inferred type is wrong
    size_t n_type;
    enum numeric_prep numeric;
    enum missing_prep missing;
    enum categorical_prep categorical;
    double validation, test; // shares of the rows, their sum below 1
    bool stratify;           // keep the classes' shares in every part (classification only)
    uint64_t split_seed;
};

// One hidden layer: linear, then norm, activation and dropout, in this order.
struct layer_spec {
    int units;
    struct pick activation; // of activation_table
    struct pick norm;       // of norm_table; row NULL: none
    double dropout;         // chance that a unit is silenced in a training step
};

struct model_spec {
    const struct layer_spec *layer; // hidden layers; the output layer follows from the task
    size_t n_layer;
    struct pick init; // of init_table
};

struct train_spec {
    struct pick loss; // of loss_table; row NULL: what the task asks for
    struct pick optimizer;
    struct pick schedule;
    double clip_norm; // longest gradient allowed; 0: any
    int epochs;
    int batch_size;      // 0: by the number of rows
    int patience;        // epochs without improvement before stopping; 0: never stop early
    const char *monitor; // metric watched for the best epoch: "val_loss" or one of metric_table
                         // with "val_" in front
    int threads;         // of this job
    uint64_t seed;       // weights, shuffles, dropout
};
