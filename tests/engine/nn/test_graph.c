// SPDX-License-Identifier: MIT
#include "engine/nn/graph.h"
#include "tests/harness.h"

#include <string.h>

static struct arena arena;
static struct graph graph;
static struct err err;

static void begin(void)
{
    arena_release(&arena);
    arena_init(&arena, 1 << 20);
    err = (struct err){0};
    ck_assert(graph_init(&graph, 16, &arena, &err));
}

TEST(shapes_follow_from_the_inputs)
{
    begin();
    uint32_t x = graph_input(&graph, "x", 4), y = graph_input(&graph, "y", 1);
    uint32_t w = graph_leaf(&graph, NODE_PARAM, "w", 7, 4, 0);
    uint32_t b = graph_leaf(&graph, NODE_PARAM, "b", 1, 7, 28);
    uint32_t h = graph_apply(&graph, &op_linear, "h", NULL, (uint32_t[]){x, w, b}, &err);
    uint32_t r = graph_apply(&graph, &op_relu, "r", NULL, &h, &err);
    uint32_t l = graph_apply(&graph, &op_cross_entropy, "l", NULL, (uint32_t[]){r, y}, &err);
    uint32_t m = graph_apply(&graph, &op_mean, "m", NULL, &l, &err);
    static const struct {
        uint32_t rows, cols;
    } want[] = {{0, 4}, {0, 1}, {7, 4}, {1, 7}, {0, 7}, {0, 7}, {0, 1}, {1, 1}};
    ck_assert_uint_eq(m, 7);
    ck_assert_uint_eq(graph.n, 8);
    for (uint32_t i = 0; i < graph.n; i++)
        ck_assert_msg(graph.node[i].rows == want[i].rows && graph.node[i].cols == want[i].cols,
                      "\"%s\" is %u x %u", graph.node[i].name, graph.node[i].rows,
                      graph.node[i].cols);
    ck_assert(graph.node[b].at == 28 && graph.node[r].in[0] == h && graph.node[r].op == &op_relu);
}

static const struct {
    const struct op *op;
    uint32_t x, rows, cols, bias; // columns of x; second input; columns of the third
    const char *says;
} misfit[] = {
    {&op_linear, 4, 7, 5, 7, "layer: linear cannot take an input of 4 columns with 7 x 5"},
    {&op_linear, 4, 7, 4, 6, "layer: linear cannot take an input of 4 columns with 7 x 4"},
    {&op_cross_entropy, 4, 0, 2, 1,
     "layer: cross_entropy cannot take an input of 4 columns with 0 x 2"},
    {&op_binary_cross_entropy, 2, 0, 1, 1,
     "layer: binary_cross_entropy cannot take an input of 2 columns with 0 x 1"},
    {&op_mse, 2, 0, 1, 1, "layer: mse cannot take an input of 2 columns with 0 x 1"},
    {&op_weighted_mean, 1, 0, 2, 1,
     "layer: weighted_mean cannot take an input of 1 columns with 0 x 2"},
    {&op_weighted_mean, 2, 0, 1, 1,
     "layer: weighted_mean cannot take an input of 2 columns with 0 x 1"},
};

LOOP_TEST(what_does_not_fit_is_refused_with_node_and_shapes, sizeof misfit / sizeof *misfit)
{
    begin();
    uint32_t x = graph_input(&graph, "x", misfit[_i].x);
    uint32_t y = misfit[_i].rows
                     ? graph_leaf(&graph, NODE_PARAM, "w", misfit[_i].rows, misfit[_i].cols, 0)
                     : graph_input(&graph, "y", misfit[_i].cols);
    uint32_t b = graph_leaf(&graph, NODE_PARAM, "b", 1, misfit[_i].bias, 0), n = graph.n;
    ck_assert_uint_eq(
        graph_apply(&graph, misfit[_i].op, "layer", NULL, (uint32_t[]){x, y, b}, &err), GRAPH_NONE);
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_str_eq(err.text, misfit[_i].says);
    ck_assert_uint_eq(graph.n, n);
}

TEST(hypers_are_the_rows_defaults_unless_given)
{
    begin();
    uint32_t x = graph_input(&graph, "x", 3);
    double given[PICK_VALUES] = {.25};
    uint32_t a = graph_apply(&graph, &op_leaky_relu, "a", NULL, &x, &err);
    uint32_t b = graph_apply(&graph, &op_leaky_relu, "b", given, &x, &err);
    ck_assert(graph.node[a].value[0] == op_leaky_relu.row.hyper[0].def[0]);
    ck_assert(graph.node[b].value[0] == .25);
}

TEST(a_graph_that_does_not_fit_the_arena_is_too_large)
{
    struct arena small;
    struct graph g;
    struct err e = {0};
    arena_init(&small, 1000);
    ck_assert(!graph_init(&g, 1000, &small, &e));
    ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
    arena_release(&small);
}
