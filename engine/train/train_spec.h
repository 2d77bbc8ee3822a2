// SPDX-License-Identifier: MIT
#pragma once

// How a job trains. Constant once filled; strings and arrays belong to the arena of whoever filled
// it.

#include "engine/base/row.h"
#include "engine/optim/regularize.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct train_spec {
    struct pick loss; // of loss_table; row NULL: the usual one of the task
    struct pick optimizer;
    struct pick schedule;
    const struct param_group *group; // see engine/optim/optimizer.h
    size_t n_group;
    struct regularization regularization;
    double clip_norm;       // largest norm of the gradient; 0: no limit
    double label_smoothing; // share of every target that is spread over all classes
    double mixup;           // parameter of the Beta distribution; 0: off
    double cutmix;          // probability that a batch is mixed; 0: off
    double ema;             // decay of the moving average of the weights; 0: off
    double swa;             // share of the last epochs whose weights are averaged; 0: off
    int steps;              // stop after so many steps, in place of `epochs`; 0: go by epochs
    bool shuffle;           // a new order of the rows each epoch
    int epochs;
    int batch_size; // 0: by the number of rows
    int patience;   // epochs without improvement before stopping; 0: never stop early
    // The metric whose best epoch is kept: "val_loss", or one of metric_table with "val_" in front.
    const char *monitor;
    bool observe;  // statistics of every layer at the end of each epoch
    int threads;   // of this job
    uint64_t seed; // of weights, order of rows and dropout
};
