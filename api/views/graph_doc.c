// SPDX-License-Identifier: MIT
// Graphs as JSON and DOT: see graph_doc.h. Nodes are written in the order of the graph, in which a
// node takes earlier ones only, so whoever reads them from the start knows all that a node needs.

#include "api/views/graph_doc.h"

#include "api/json/textw.h"

#include <string.h>

static const char *const kind_word[] = {
    [NODE_INPUT] = "input", [NODE_PARAM] = "parameter", [NODE_BUFFER] = "buffer", [NODE_OP] = "op"};

void graph_node_fill(struct graph_node_reply *out, const struct node *n, uint32_t index,
                     struct arena *a)
{
    const char *shape = n->rows ? arena_printf(a, "[%u,%u]", n->rows, n->cols)
                                : arena_printf(a, "[\"batch\",%u]", n->cols);
    *out = (struct graph_node_reply){.index = index,
                                     .name = n->name,
                                     .kind = kind_word[n->kind],
                                     .op = n->kind == NODE_OP ? n->op->row.name : NULL,
                                     .shape = {shape, strlen(shape)}};
}

// What an op takes, from other nodes and of numbers; nothing of what is no op.
static void graph_fill_op(struct graph_node_reply *out, const struct node *n, struct arena *a)
{
    const struct table own = {.what = "op"};
    const struct hyper *hyper;
    size_t at, arity = n->kind == NODE_OP ? (size_t)n->op->arity : 0;
    int64_t *input = arena_need(a, arity + 1, sizeof *input);
    struct measure_reply *measure = arena_need(a, ROW_HYPERS, sizeof *measure);
    for (size_t k = 0; k < arity; k++)
        input[k] = n->in[k];
    for (size_t k = 0; n->kind == NODE_OP && (hyper = hyper_at(&own, &n->op->row, k, &at)); k++)
        measure[out->n_hyperparameters++] = (struct measure_reply){hyper->name, n->value[at]};
    out->inputs = input;
    out->n_inputs = arity;
    out->hyperparameters = measure;
}

static const struct graph_node_reply *graph_nodes(const struct graph *g, struct arena *a)
{
    struct graph_node_reply *out = arena_alloc(a, g->n, sizeof *out);
    for (uint32_t i = 0; out && i < g->n; i++) {
        graph_node_fill(&out[i], &g->node[i], i, a);
        graph_fill_op(&out[i], &g->node[i], a);
    }
    return out;
}

static const char *graph_write_json(const void *model, size_t *len, struct arena *a, struct err *e)
{
    const struct graph_doc *doc = model;
    const struct graph_reply out = {doc->model, doc->version, graph_nodes(doc->graph, a),
                                    doc->graph->n};
    struct jsonw w;
    if (!out.nodes) {
        fail(e, ERR_TOO_LARGE, "the graph needs more memory than one request may use");
        return NULL;
    }
    jsonw_init(&w, a);
    schema_write(&graph_view, &out, &w, NULL);
    return jsonw_line(&w, len, e);
}

// Names are the program's own, of letters, digits, dots and underscores, so they need no escapes.
static const char *graph_write_dot(const void *model, size_t *len, struct arena *a, struct err *e)
{
    const struct graph *g = ((const struct graph_doc *)model)->graph;
    static const char *const style[] = {[NODE_INPUT] = "shape=ellipse",
                                        [NODE_PARAM] = "shape=note",
                                        [NODE_BUFFER] = "shape=note,style=dashed",
                                        [NODE_OP] = "shape=box,style=rounded"};
    struct textw w;
    textw_init(&w, a);
    textw_add(&w, "digraph model {\n    node [fontname=\"sans-serif\", fontsize=10];\n");
    for (uint32_t i = 0; i < g->n; i++) {
        const struct node *n = &g->node[i];
        textw_add(&w, "    n%u [%s, label=\"%s\\n", i, style[n->kind], n->name);
        if (n->rows)
            textw_add(&w, "%u x %u\"];\n", n->rows, n->cols);
        else
            textw_add(&w, "batch x %u\"];\n", n->cols);
        for (int k = 0; n->kind == NODE_OP && k < n->op->arity; k++)
            textw_add(&w, "    n%u -> n%u;\n", n->in[k], i);
    }
    textw_add(&w, "}\n");
    return textw_end(&w, len, e);
}

const struct rendering graph_json = {.name = "json",
                                     .media = "application/json",
                                     .doc = "Nodes in the order in which they run.",
                                     .write = graph_write_json};
const struct rendering graph_dot = {.name = "dot",
                                    .media = "text/vnd.graphviz",
                                    .doc = "The graph in the language of Graphviz.",
                                    .write = graph_write_dot};

const struct rendering *const graph_renderings[] = {&graph_json, &graph_svg, &graph_dot, NULL};
