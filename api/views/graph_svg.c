// SPDX-License-Identifier: MIT
// A graph as a picture: see graph_doc.h. One row for the input and for each op, in the order they
// run; parameters and other leaves stand at the left of the op that takes them. What an op takes
// from the row above comes straight down, from further up in a curve at the right.

#include "api/json/textw.h"
#include "api/views/graph_doc.h"

#include <stdio.h>

enum {
    ROW = 64,
    BOX_W = 220,
    BOX_H = 40,
    LEAF_W = 190,
    LEAF_H = 15,
    LEFT = 20,
    MAIN = LEFT + LEAF_W + 40, // left edge of the boxes
    CURVE = 34,                // how far a curve goes out for each row that it passes
    CURVE_MAX = 200,
};

static bool has_row(const struct graph *g, uint32_t i)
{
    return g->node[i].kind == NODE_OP || i == 0;
}

// The row in which a node stands; leaves have none.
static uint32_t svg_row_of(const struct graph *g, uint32_t node)
{
    uint32_t row = 0;
    for (uint32_t i = 0; i < node; i++)
        row += has_row(g, i);
    return row;
}

static void label(struct textw *w, int x, int y, const char *class, const char *text)
{
    textw_add(w, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
    textw_xml(w, text);
    textw_add(w, "</text>\n");
}

static const char *shape(const struct node *n, char text[static 48])
{
    if (n->rows)
        snprintf(text, 48, "%u × %u", n->rows, n->cols);
    else
        snprintf(text, 48, "batch × %u", n->cols);
    return text;
}

static void draw_box(struct textw *w, const struct node *n, int y)
{
    char text[48];
    textw_add(w, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" class=\"%s\"/>\n",
              MAIN, y, BOX_W, BOX_H, n->kind == NODE_OP ? "op" : "input");
    label(w, MAIN + BOX_W / 2, y + 17, "name", n->name);
    label(w, MAIN + BOX_W / 2, y + 32, "shape", shape(n, text));
}

// The leaves of one op, stacked at its left with one arrow.
static void draw_leaves(struct textw *w, const struct graph *g, const struct node *n, int y)
{
    int at = 0;
    for (int k = 0; k < n->op->arity; k++) {
        const struct node *leaf = &g->node[n->in[k]];
        if (has_row(g, n->in[k]))
            continue;
        char dims[48], text[160];
        snprintf(text, sizeof text, "%.90s  %s", leaf->name, shape(leaf, dims));
        label(w, LEFT + LEAF_W, y + 12 + LEAF_H * at++, leaf->kind == NODE_PARAM ? "leaf" : "soft",
              text);
    }
    if (at)
        textw_add(w, "<path d=\"M%d %d H%d\" class=\"edge\" marker-end=\"url(#tip)\"/>\n",
                  LEFT + LEAF_W + 6, y + BOX_H / 2, MAIN - 2);
}

static void draw_edge(struct textw *w, uint32_t from, uint32_t to)
{
    int y0 = (int)from * ROW + ROW, y1 = (int)to * ROW + ROW;
    if (to == from + 1) {
        textw_add(w, "<path d=\"M%d %d V%d\" class=\"edge\" marker-end=\"url(#tip)\"/>\n",
                  MAIN + BOX_W / 2, y0 + BOX_H, y1 - 2);
        return;
    }
    int out = (int)(to - from) * CURVE;
    out = MAIN + BOX_W + (out > CURVE_MAX ? CURVE_MAX : out);
    textw_add(w,
              "<path d=\"M%d %d C%d %d %d %d %d %d\" class=\"link\" marker-end=\"url(#tip)\"/>\n",
              MAIN + BOX_W, y0 + BOX_H / 2, out, y0 + BOX_H / 2, out, y1 + BOX_H / 2,
              MAIN + BOX_W + 2, y1 + BOX_H / 2);
}

static void draw_head(struct textw *w, int width, int height, const char *title)
{
    textw_add(w,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
              "viewBox=\"0 0 %d %d\">\n<style>"
              "text{font:11px sans-serif;text-anchor:middle;fill:#222}"
              ".name{font-weight:bold}.shape,.soft{fill:#777}.leaf,.soft{text-anchor:end}"
              ".title{font-size:15px;text-anchor:start}",
              width, height, width, height);
    textw_add(w, ".op{fill:#eaf2fb;stroke:#4a7ab5}.input{fill:#f3f3f3;stroke:#888}"
                 ".edge,.link{fill:none;stroke:#555}.link{stroke:#b5564a}</style>\n"
                 "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
                 "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
                 "<path d=\"M0 0 L8 4 L0 8 z\" fill=\"#555\"/></marker></defs>\n"
                 "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
    label(w, LEFT, 30, "title", title);
}

static const char *graph_write_svg(const void *model, size_t *len, struct arena *a, struct err *e)
{
    const struct graph_doc *doc = model;
    const struct graph *g = doc->graph;
    struct textw w;
    textw_init(&w, a);
    draw_head(&w, MAIN + BOX_W + CURVE_MAX, (int)(svg_row_of(g, g->n) + 1) * ROW, doc->model);
    for (uint32_t i = 0; i < g->n; i++) {
        const struct node *n = &g->node[i];
        uint32_t row = svg_row_of(g, i);
        if (!has_row(g, i))
            continue;
        draw_box(&w, n, (int)row * ROW + ROW);
        for (int k = 0; n->kind == NODE_OP && k < n->op->arity; k++)
            if (has_row(g, n->in[k]))
                draw_edge(&w, svg_row_of(g, n->in[k]), row);
        if (n->kind == NODE_OP)
            draw_leaves(&w, g, n, (int)row * ROW + ROW);
    }
    textw_add(&w, "</svg>\n");
    return textw_end(&w, len, e);
}

const struct rendering graph_svg = {.name = "svg",
                                    .media = "image/svg+xml",
                                    .doc = "A picture of the graph.",
                                    .write = graph_write_svg};
