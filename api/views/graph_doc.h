// SPDX-License-Identifier: MIT
#pragma once

// A computation graph as a document: JSON for programs, Graphviz DOT, or an SVG picture for people.
// Pure functions; the text is in the arena, NULL and ERR_TOO_LARGE when that is full. Any thread.

#include "api/json/jsonw.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/nn/graph.h"

// "nodes": [{"index", "name", "kind", "op", "shape", "inputs", "knobs"}, ...]; a shape begins with
// "batch" where rows are the batch's.
void graph_json(struct jsonw *w, const struct graph *g);

const char *graph_dot(const struct graph *g, size_t *len, struct arena *a, struct err *e);

// Ops from top to bottom, what they take besides at their left, residual links as curves at their
// right.
const char *graph_svg(const struct graph *g, const char *title, size_t *len, struct arena *a,
                      struct err *e);

// The members "kind", "op" (of an op) and "shape" of a node.
void graph_node_json(struct jsonw *w, const struct node *n);
