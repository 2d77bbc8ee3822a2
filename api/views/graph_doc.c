// SPDX-License-Identifier: MIT
// Graphs as JSON and DOT: see graph_doc.h.

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

void graph_json(struct jsonw *w, const struct graph *g)
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

// Names are the program's own, of letters, digits, dots and underscores, so they need no escapes.
const char *graph_dot(const struct graph *g, size_t *len, struct arena *a, struct err *e)
{
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
