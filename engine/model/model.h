// SPDX-License-Identifier: MIT
#pragma once

// A multilayer perceptron: its parameters and the graphs over them. Training and prediction are two
// graphs from one builder, so no op asks which of the two it is in: dropout and the loss are absent
// from the second, batch norm uses its running statistics there.
//
// Made by the worker (for training) or the cache (from a file); everything lives in the arena it
// was given. While it trains one thread owns it; afterwards it is immutable and any thread may
// predict.

#include "engine/base/halt.h"
#include "engine/base/run_state.h"
#include "engine/model/model_spec.h"
#include "engine/nn/graph.h"
#include "engine/nn/role.h"
#include "engine/table/answer.h"

struct model_param {
    const char *name;    // PyTorch's way, for people and files: "layers.0.norm.weight"
    const char *own;     // within its layer: "weight", "bias", "norm.weight"
    uint32_t layer;      // hidden ones from 0, then the output layer
    bool output;         // whether that is the output layer
    bool of_op;          // a norm or an activation brings it along
    uint32_t rows, cols; // a weight is [outputs, inputs]
    size_t at;           // offset in struct model's value
    bool trained;        // else a running statistic
    bool vector;         // rank 1 in files: all but the linear layers' weights
    bool positive;       // never below 0: a variance
};

struct model {
    struct model_spec spec;
    struct answer answer; // what its predictions are
    const struct loss *loss;
    double loss_value[PICK_VALUES]; // its hyperparameters
    uint32_t n_in, n_out;           // columns of x and of the network's output
    struct model_param *param;
    size_t n_param;
    real *value;               // trained parameters, then running statistics
    size_t n_trained, n_value; // counts of reals
    struct graph train;        // x, y -> mean loss (the last node)
    struct graph serve;        // x -> prediction; y -> loss of each row
    uint32_t train_x, train_y, serve_x, serve_y, serve_out, serve_loss;
    uint32_t train_w;               // [batch, 1] weights of the rows; GRAPH_NONE: all alike
    uint32_t train_y2, train_share; // mixed rows: the other target, the first one's share [batch,
                                    // 1]; GRAPH_NONE: never mixed
    bool by_column;                 // some norm needs more than one row in a batch
};

// What the network is for.
struct model_task {
    const struct answer *answer; // its arrays must outlive the model
    uint32_t n_in;
    const struct pick *loss; // row NULL: what the task asks for
    double label_smoothing;  // for losses that have it; 0: as the pick says
    bool weighted, mixed;    // rows come with weights, are mixed with each other
};

// Names and shapes of the parameters, and both graphs; no memory for the parameters yet.
// ERR_INVALID with a pointer ("/model/layers/1", "/loss") for what does not fit together,
// ERR_TOO_LARGE past the arena.
bool model_shape(struct model *m, const struct model_spec *spec, const struct model_task *task,
                 struct arena *a, struct err *e);

// The parameters themselves, all zero, as part of a run's state. ERR_TOO_LARGE past the arena.
bool model_room(struct model *m, struct run_state *s, struct err *e);

// Both, for a model that is not trained here.
bool model_build(struct model *m, const struct model_spec *spec, const struct model_task *task,
                 struct arena *a, struct err *e);

// Initial weights as the spec's init row says; norms at their neutral values. False only after a
// halt, with ERR_CANCELLED.
bool model_init_weights(struct model *m, uint64_t seed, const struct halt *halt, struct err *e);

// The norms' and activations' parameters alone, for the weights as they stand.
void model_init_ops(struct model *m, const struct halt *halt);

// The init row that holds for a hidden layer, or for the output layer, the one behind the last.
const struct pick *model_init_of(const struct model *m, size_t layer);

// A graph over m's parameters as they serve, from x and y to the mean loss (the last node), for
// looking inside: dropout is absent, norms use what they learnt, `out` is the prediction. Nodes are
// named as in the other graphs.
struct inspection {
    struct graph graph;
    uint32_t x, y, out, loss;
};
bool model_inspect(const struct model *m, struct inspection *v, struct arena *a, struct err *e);

// Name of the first parameter with a value that is not finite, or NULL.
const char *model_first_broken(const struct model *m, const real *value, const struct halt *halt);
