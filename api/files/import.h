// SPDX-License-Identifier: MIT
#pragma once

// A model that somebody else trained: POST /models. Three forms come in, one comes out, the same
// struct that a model file of ours is read into:
//
//     {"name": "xor", "layers": [{"weight": [[...]], "bias": [...], "activation": "tanh"}, {...}]}
//     a model file of this program (safetensors with our metadata)
//     any safetensors file of linear layers ("0.weight", "0.bias", "2.weight", ...), in which case
//     the query says what lies between them
//
// Weights are [outputs, inputs] as in PyTorch. The last layer is the output layer, its activation
// the loss's link (softmax, sigmoid) or none; after any other activation an identity layer follows.
// Inputs are taken as they come: numbers, neither scaled nor shifted. Called on the thread that
// owns the request; everything is in the arena.

#include "api/files/model_file.h"
#include "api/json/fault.h"
#include "api/schema/schema.h"

struct import_query {
    const char *name;       // for a file; NULL: what the file says
    const char *activation; // between a foreign file's layers; NULL: relu
};

extern const struct schema import_query;

// For documentation: the body's first form.
extern const struct schema import_schema;

// Reads and checks all of it: shapes that chain, values that are finite, known activations. Faults
// carry pointers ("/layers/1/weight/0"); those of a file are in e alone.
bool import_read(const char *body, size_t len, const struct import_query *q, struct model_file *f,
                 struct arena *a, struct faults *faults, struct err *e);
