// SPDX-License-Identifier: MIT
#pragma once

// What to train, as plain structs: the part of a job definition that the engine understands.
// api/schema/job_schema.c fills them from JSON and prints them back, server/ passes them on,
// engine/ reads them. Constant once filled; strings and arrays belong to the arena of whoever
// filled them.

#include "engine/base/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LAYERS_MAX = 64 };

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

struct class_weight {
    const char *name;
    double weight;
};

// Which columns, in which form, and which rows for what.
struct data_spec {
    const char *const *target; // columns to predict
    size_t n_target;
    const char *weights;           // column with the weight of each row; NULL: all alike
    const char *const *class_name; // the classes in the order that the user wants; NULL: ours
    size_t n_class_name;
    bool balanced; // classes weigh n / (K n_c): as much as each other in all
    const struct class_weight *class_weight; // or what the user says; others weigh 1
    size_t n_class_weight;
    int task;                   // a place of task_words (engine/table/task.h)
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

// One hidden layer: linear, then norm, activation, dropout and alpha dropout, in this order; then
// the residual link.
struct layer_spec {
    int units;
    struct pick activation; // of activation_table
    struct pick norm;       // of norm_table; row NULL: none
    double dropout;         // chance that a unit is silenced in a training step
    double alpha_dropout;   // the same, keeping mean and variance (for selu)
    int residual;     // layers whose input is added to this one's output, counted back: 1 is this
                      // layer's own; 0: none
    struct pick init; // of init_table; row NULL: the model's
};

struct model_spec {
    const struct layer_spec *layer; // hidden layers; the output layer follows from the task
    size_t n_layer;
    struct pick init;     // of init_table
    double input_dropout; // chance that an input is silenced in a training step
    double input_noise;   // deviation of the noise added to every input in a training step
};

// Parameters whose name matches the pattern (`*` stands for anything) learn at another pace. The
// first group that matches counts.
struct param_group {
    const char *match;       // "*.bias", "layers.0.*"
    double lr, weight_decay; // factors for the optimizer's
};

struct train_spec {
    struct pick loss; // of loss_table; row NULL: what the task asks for
    struct pick optimizer;
    struct pick schedule;
    const struct param_group *group;
    size_t n_group;
    double clip_norm;       // longest gradient allowed; 0: any
    double clip_value;      // largest component of a gradient; 0: any
    double l1, l2;          // penalties on weight matrices: l1 sum|w| + l2/2 sum w^2
    double max_norm;        // longest row of a hidden weight matrix; 0: any
    double gradient_noise;  // deviation of the noise on gradients, falling with (1 + step)^-.55
    double label_smoothing; // share of every target spread over all classes
    double mixup, cutmix;   // Beta parameter, 0: off; chance that a batch is mixed, 0: off
    double ema;             // decay of the moving average of the weights; 0: off
    double swa;             // share of the epochs at the end whose weights are averaged; 0: off
    int steps;              // stop after so many steps, in place of `epochs`; 0: go by epochs
    bool shuffle;           // a new order of the rows each epoch
    int epochs;
    int batch_size;      // 0: by the number of rows
    int patience;        // epochs without improvement before stopping; 0: never stop early
    const char *monitor; // metric watched for the best epoch: "val_loss" or one of metric_table
                         // with "val_" in front
    bool observe;        // statistics of every layer at the end of each epoch
    int threads;         // of this job
    uint64_t seed;       // weights, shuffles, dropout
};
