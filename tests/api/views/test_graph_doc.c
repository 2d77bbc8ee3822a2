// SPDX-License-Identifier: MIT
// Graphs as documents: every node and edge is in all three, and the picture is well-formed XML.

#include "api/views/graph_doc.h"
#include "tests/api/views/xmllab.h"
#include "tests/harness.h"
#include "engine/model/model.h"
#include "api/json/textw.h"
#include "engine/model/init.h"
#include "engine/nn/role.h"
#include "engine/table/task.h"

#include <cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct err err;
static struct model model;

// Two layers with a residual link and a norm of the weights.
static const struct graph *make(void)
{
    static struct layer_spec layer[2];
    arena_release(&arena);
    arena_init(&arena, 8 << 20);
    for (int i = 0; i < 2; i++)
        layer[i] = (struct layer_spec){.units = 3,
                                       .activation = pick_row(&activation_table, &op_tanh.row),
                                       .norm = pick_row(&norm_table, &op_batch.row),
                                       .residual = i};
    struct model_spec spec = {
        .layer = layer, .n_layer = 2, .init = pick_row(&init_table, init_table.row[0])};
    const struct pick loss = {0};
    const struct answer answer = {.task = &task_regression, .n_target = 1};
    const struct model_task task = {.answer = &answer, .n_in = 2, .loss = &loss};
    ck_assert_msg(model_build(&model, &spec, &task, &arena, &err), "%s", err.text);
    return &model.train;
}

static const char *show(const struct rendering *r, const struct graph *g, const char *name)
{
    size_t len;
    const char *text = r->write(&(struct graph_doc){name, 1, g}, &len, &arena, &err);
    ck_assert_msg(text, "%s", err.text);
    ck_assert_uint_eq(len, strlen(text));
    return text;
}

static size_t edges(const struct graph *g)
{
    size_t n = 0;
    for (uint32_t i = 0; i < g->n; i++)
        n += g->node[i].kind == NODE_OP ? (size_t)g->node[i].op->arity : 0;
    return n;
}

TEST(json_has_every_node_with_its_inputs_before_it)
{
    const struct graph *g = make();
    cJSON *json = cJSON_Parse(show(&graph_json, g, "m"));
    const cJSON *nodes = cJSON_GetObjectItem(json, "nodes"), *n, *in;
    ck_assert_int_eq(cJSON_GetArraySize(nodes), (int)g->n);
    size_t seen = 0;
    cJSON_ArrayForEach(n, nodes) cJSON_ArrayForEach(in, cJSON_GetObjectItem(n, "inputs"))
    {
        ck_assert_int_lt(in->valueint, cJSON_GetObjectItem(n, "index")->valueint);
        seen++;
    }
    ck_assert_uint_eq(seen, edges(g));
    cJSON_Delete(json);
}

TEST(dot_has_every_node_and_every_edge)
{
    const struct graph *g = make();
    const char *dot = show(&graph_dot, g, "m");
    ck_assert_uint_eq(xml_count(dot, "label="), g->n);
    ck_assert_uint_eq(xml_count(dot, " -> "), edges(g));
}

TEST(the_picture_is_xml_and_has_every_name_and_a_curve_for_the_link)
{
    const struct graph *g = make();
    const char *svg = show(&graph_svg, g, "a <model> & \"more\"");
    expect_xml(svg);
    for (uint32_t i = 0; i < g->n; i++)
        ck_assert_ptr_nonnull(strstr(svg, g->node[i].name));
    ck_assert_ptr_nonnull(strstr(svg, "a &lt;model&gt; &amp; &quot;more&quot;"));
    ck_assert_uint_eq(xml_count(svg, "class=\"link\""), 1);
    // It leaves and arrives horizontally, on the right of its boxes.
    const char *link = strstr(svg, " C");
    int x[4], y[4];
    while (link[-1] != 'M')
        link--;
    ck_assert_int_eq(sscanf(link, "%d %d C%d %d %d %d %d %d", &x[0], &y[0], &x[1], &y[1], &x[2],
                            &y[2], &x[3], &y[3]),
                     8);
    ck_assert(y[0] == y[1] && y[2] == y[3] && y[0] < y[3]);
    ck_assert(x[1] == x[2] && x[1] > x[0] && x[1] > x[3]);
}

TEST(a_document_that_does_not_fit_is_an_error)
{
    const struct graph *g = make();
    struct arena small;
    size_t len;
    arena_init(&small, 4096);
    ck_assert_ptr_null(graph_svg.write(&(struct graph_doc){"m", 1, g}, &len, &small, &err));
    ck_assert_int_eq(err.kind, ERR_TOO_LARGE);
    err = (struct err){0};
    arena_release(&small);
}
