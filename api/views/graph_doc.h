// SPDX-License-Identifier: MIT
#pragma once

// A computation graph as a document: JSON for programs, Graphviz DOT, or an SVG picture for people.
// Pure functions; any thread.

#include "api/json/jsonw.h"
#include "api/schema/rendering.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/nn/graph.h"

struct graph_doc {     // the model of a reply
    const char *model; // name of the model
    int64_t version;
    const struct graph *graph;
};

// Of a struct graph_doc. JSON: "nodes": [{"index", "name", "kind", "op", "shape", "inputs",
// "knobs"}, ...]; a shape begins with "batch" where rows are the batch's. SVG: ops from top to
// bottom, what they take besides at their left, residual links as curves at their right.
extern const struct rendering graph_json, graph_svg, graph_dot;
extern const struct rendering *const graph_renderings[];

// The members "kind", "op" (of an op) and "shape" of a node.
void graph_node_json(struct jsonw *w, const struct node *n);
