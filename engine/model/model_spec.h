// SPDX-License-Identifier: MIT
#pragma once

// A network as a job defines it: its hidden layers and what they share. model.h makes a model of
// it. Constant once filled; arrays belong to the arena of whoever filled it.

#include "engine/base/row.h"

#include <stddef.h>

enum { LAYERS_MAX = 64 };

// One hidden layer: linear, then norm, activation, dropout and alpha dropout, in this order; then
// the residual connection.
struct layer_spec {
    int units;
    struct pick activation; // of activation_table
    struct pick norm;       // of norm_table; row NULL: none
    double dropout;         // probability that a unit is dropped in a training step
    double alpha_dropout;   // the same, keeping mean and variance (for selu)
    // How many layers back the input is that is added to this layer's output: 1 is this layer's
    // own, 0: none.
    int residual;
    struct pick init; // of init_table; row NULL: the model's
};

struct model_spec {
    const struct layer_spec *layer; // hidden layers; the output layer follows from the task
    size_t n_layer;
    struct pick init;     // of init_table
    double input_dropout; // probability that an input is dropped in a training step
    double input_noise;   // standard deviation of the noise added to every input in training
};
