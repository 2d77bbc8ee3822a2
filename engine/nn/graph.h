// SPDX-License-Identifier: MIT
#pragma once

// A computation graph being defined: computes nothing. A node may only name nodes that exist
// already, so the array's order is topological and there is neither a sort nor a check for cycles.
// Shapes are inferred as nodes are added: a network that does not fit together is an error here,
// never at step one. Built by model.c (and tests) on one thread, in an arena; read-only once a plan
// refers to it.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/nn/op.h"

enum node_kind {
    NODE_INPUT,  // filled by the caller before each pass
    NODE_PARAM,  // trained
    NODE_BUFFER, // kept with the parameters, updated by ops (running statistics)
    NODE_OP,
};

struct node {
    enum node_kind kind;
    const struct op *op; // NODE_OP only
    const char *name;    // "layers.0.weight", "layers.0.relu": for messages and files
    uint32_t rows, cols; // rows 0: the batch
    uint32_t in[OP_INPUTS];
    double value[PICK_VALUES];
    size_t at;      // NODE_PARAM, NODE_BUFFER: offset of the first value in its array
    uint32_t layer; // to which the builder counts it; GRAPH_NONE: to none
};

struct graph {
    struct node *node;
    uint32_t n, cap;
    struct arena *arena;
};

enum { GRAPH_NONE = UINT32_MAX };

// Room for at most `cap` nodes.
bool graph_init(struct graph *g, uint32_t cap, struct arena *a, struct err *e);

// Leaves return their index. `at` is the offset of a parameter (or buffer) in the array a plan is
// given.
uint32_t graph_input(struct graph *g, const char *name, uint32_t cols);
uint32_t graph_leaf(struct graph *g, enum node_kind kind, const char *name, uint32_t rows,
                    uint32_t cols, size_t at);

// Append op(in[0], ..., in[arity - 1]) with the given hyperparameter values (NULL: the row's
// defaults). GRAPH_NONE and ERR_INVALID, naming the node and both shapes, when they do not fit.
uint32_t graph_apply(struct graph *g, const struct op *op, const char *name, const double *value,
                     const uint32_t *in, struct err *e);
