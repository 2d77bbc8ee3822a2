// SPDX-License-Identifier: MIT
// Graphs as JSON and DOT: see graph_doc.h. Nodes are written in the order of the graph, in which a
// node takes earlier ones only, so whoever reads them from the start knows all that a node needs.

#include "api/views/graph_doc.h"

#include "api/json/textw.h"

static const char *const kind_word[] = {
    [NODE_INPUT] = "input", [NODE_PARAM] = "parameter", [NODE_BUFFER] = "buffer", [NODE_OP] = "op"};

void graph_node_json(struct jsonw *w, const struct node *n)
{
    jsonw_string(w, "kind", kind_word[n->kind]);
    if (n->kind == NODE_OP)
        jsonw_string(w, "op", n->op->row.name);
    jsonw_array(w, "shape");
    if (n->rows)
        jsonw_int(w, NULL, n->rows);
    else
        jsonw_string(w, NULL, "batch");
    jsonw_int(w, NULL, n->cols);
    jsonw_end(w);
}

static void doc_write_inputs(struct jsonw *w, const struct node *n)
{
    jsonw_array(w, "inputs");
    for (int k = 0; n->kind == NODE_OP && k < n->op->arity; k++)
        jsonw_int(w, NULL, n->in[k]);
    jsonw_end(w);
}

static void write_knobs(struct jsonw *w, const struct node *n)
{
    const struct table own = {.what = "op"};
    const struct knob *knob;
    size_t at;
    jsonw_object(w, "knobs");
    for (size_t k = 0; n->kind == NODE_OP && (knob = knob_at(&own, &n->op->row, k, &at)); k++)
        jsonw_real(w, knob->name, n->value[at]);
    jsonw_end(w);
}

static void write_nodes(struct jsonw *w, const struct graph *g)
{
    jsonw_array(w, "nodes");
    for (uint32_t i = 0; i < g->n; i++) {
        jsonw_object(w, NULL);
        jsonw_int(w, "index", i);
        jsonw_string(w, "name", g->node[i].name);
        graph_node_json(w, &g->node[i]);
        doc_write_inputs(w, &g->node[i]);
        write_knobs(w, &g->node[i]);
        jsonw_end(w);
    }
    jsonw_end(w);
}

static const char *graph_write_json(const void *model, size_t *len, struct arena *a, struct err *e)
{
    const struct graph_doc *doc = model;
    struct jsonw w;
    jsonw_init(&w, a);
    jsonw_object(&w, NULL);
    jsonw_string(&w, "model", doc->model);
    jsonw_int(&w, "version", doc->version);
    write_nodes(&w, doc->graph);
    jsonw_end(&w);
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
