// SPDX-License-Identifier: MIT
#pragma once

// What is asked and said of the inside of a model: see views.h. graph_doc.c and trace_json.c fill
// nodes, server/handlers/handle_inspect.c the rest.

#include "api/json/json.h"
#include "api/schema/schema.h"
#include "api/views/model_view.h"

// Rows, and their targets, for /trace and /gradcheck.
struct inspect_request {
    int version; // 0: the latest
    struct json_span instances, targets;
};
extern const struct schema inspect_request_schema;

struct graph_node_reply {
    int64_t index;
    const char *name, *kind;
    const char *op; // NULL: left out
    struct json_span shape;
    const int64_t *inputs; // NULL: left out
    size_t n_inputs;
    const struct measure_reply *hyperparameters; // NULL: left out
    size_t n_hyperparameters;
    struct matrix values;
    bool traced; // the gradients are there, or null
    struct matrix gradients;
};

struct graph_reply {
    const char *model;
    int64_t version;
    const struct graph_node_reply *nodes;
    size_t n_nodes;
};

struct trace_reply {
    const char *model;
    int64_t version, rows;
    float loss; // NaN: null
    const struct graph_node_reply *nodes;
    size_t n_nodes;
};

struct gradcheck_part_reply {
    const char *name;
    int64_t size, checked, kinks, worst_index;
    double autograd, difference, relative_error;
};

struct gradcheck_reply {
    const char *model;
    int64_t version;
    double loss;
    bool passed;
    double tolerance;
    const char *worst;
    double worst_error;
    const struct gradcheck_part_reply *parameters;
    size_t n_parameters;
};

extern const struct schema graph_view, trace_view, gradcheck_view;
