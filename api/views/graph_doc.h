// SPDX-License-Identifier: MIT
#pragma once

// A computation graph as a document: JSON for programs, Graphviz DOT, or an SVG picture for people.
// Pure functions; any thread.

#include "api/schema/rendering.h"
#include "api/views/inspect_view.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/nn/graph.h"

struct graph_doc {     // the model of a reply
    const char *model; // name of the model
    int64_t version;
    const struct graph *graph;
};

// Of a struct graph_doc. JSON: as graph_view says. SVG: ops from top to bottom, what they take
// besides at their left, residual links as curves at their right.
extern const struct rendering graph_json, graph_svg, graph_dot;
extern const struct rendering *const graph_renderings[];

// What is said of a node without its inputs and numbers. A shape begins with "batch" where rows are
// the batch's.
void graph_node_fill(struct graph_node_reply *out, const struct node *n, uint32_t index,
                     struct arena *a);
