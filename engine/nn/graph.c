// SPDX-License-Identifier: MIT
// Defining computation graphs: see graph.h.

#include "engine/nn/graph.h"

#include <string.h>

bool graph_init(struct graph *g, uint32_t cap, struct arena *a, struct err *e)
{
    *g = (struct graph){.node = arena_alloc(a, cap, sizeof *g->node), .cap = cap, .arena = a};
    return g->node ||
           fail(e, ERR_TOO_LARGE, "the network has too many layers for the memory allowed");
}

static uint32_t append(struct graph *g, struct node node)
{
    BUG(g->n == g->cap);
    node.layer = GRAPH_NONE;
    g->node[g->n] = node;
    return g->n++;
}

uint32_t graph_input(struct graph *g, const char *name, uint32_t cols)
{
    return append(g, (struct node){.kind = NODE_INPUT, .name = name, .cols = cols});
}

uint32_t graph_leaf(struct graph *g, enum node_kind kind, const char *name, uint32_t rows,
                    uint32_t cols, size_t at)
{
    BUG(kind != NODE_PARAM && kind != NODE_BUFFER);
    return append(g,
                  (struct node){.kind = kind, .name = name, .rows = rows, .cols = cols, .at = at});
}

static void default_values(const struct op *op, double *value)
{
    const struct table own = {.what = "op"};
    struct pick p = pick_row(&own, &op->row);
    memcpy(value, p.value, sizeof p.value);
}

uint32_t graph_apply(struct graph *g, const struct op *op, const char *name, const double *value,
                     const uint32_t *in, struct err *e)
{
    struct node node = {.kind = NODE_OP, .op = op, .name = name, .rows = op->reduces ? 1 : 0};
    const char *misfit;
    struct step s = {.op = op}; // its shapes and hyperparameters
    for (int k = 0; k < op->arity; k++) {
        BUG(in[k] >= g->n);
        node.in[k] = in[k];
        s.in[k] = (struct buf){.rows = g->node[in[k]].rows, .cols = g->node[in[k]].cols};
    }
    if (value)
        memcpy(node.value, value, sizeof node.value);
    else
        default_values(op, node.value);
    memcpy(s.value, node.value, sizeof s.value);
    if (op->misfit && (misfit = op->misfit(node.value, s.in[0].cols))) {
        fail(e, ERR_INVALID, "%s: %s", name, misfit);
        return GRAPH_NONE;
    }
    node.cols = step_cols(&s);
    if (op->rows)
        node.rows = op->rows(s.in);
    if (node.cols)
        return append(g, node);
    fail(e, ERR_INVALID, "%s: %s cannot take an input of %u columns with %u x %u", name,
         op->row.name, s.in[0].cols, op->arity > 1 ? s.in[1].rows : 0,
         op->arity > 1 ? s.in[1].cols : 0);
    return GRAPH_NONE;
}
