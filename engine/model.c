// SPDX-License-Identifier: MIT
// Building networks from their spec: see model.h. The builder walks the layers twice, once per
// graph; parameters are created by the first walk and found again, in the same order, by the
// second.

#include "model.h"

#include "init.h"
#include "rng.h"
#include "tables.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// At most: linear with its two, norm and activation with theirs, dropout; and so at the ends.
enum { PARAMS_PER_LAYER = 2 + 2 * OP_PARAMS, NODES_PER_LAYER = 4 + PARAMS_PER_LAYER };

struct builder {
    struct model *m;
    struct graph *g;
    struct arena *a;
    bool training;
    size_t next_param; // second walk: the parameter to expect
    size_t n_trained, n_buffer;
    struct err *e;
};

static const char *join(struct builder *b, const char *layer, const char *what)
{
    return arena_printf(b->a, "%s.%s", layer, what);
}

// A leaf for one parameter; its offset counts from the start of its own kind until model_build()
// has seen them all.
static uint32_t leaf(struct builder *b, struct model_param want)
{
    struct model_param *p = &b->m->param[b->next_param++];
    if (b->training) {
        size_t *n = want.trained ? &b->n_trained : &b->n_buffer;
        want.at = *n;
        *p = want;
        *n += (size_t)p->rows * p->cols;
        b->m->n_param++;
    }
    return graph_leaf(b->g, p->trained ? NODE_PARAM : NODE_BUFFER, p->name, p->rows, p->cols,
                      p->at);
}

static uint32_t vector(struct builder *b, const char *name, uint32_t cols, bool trained)
{
    return leaf(b, (struct model_param){
                       .name = name, .rows = 1, .cols = cols, .vector = true, .trained = trained});
}

static uint32_t add_linear(struct builder *b, uint32_t x, const char *layer, uint32_t units)
{
    uint32_t weight = leaf(b, (struct model_param){.name = join(b, layer, "weight"),
                                                   .rows = units,
                                                   .cols = b->g->node[x].cols,
                                                   .trained = true});
    uint32_t bias = vector(b, join(b, layer, "bias"), units, true);
    return graph_apply(b->g, &op_linear, join(b, layer, "linear"), NULL,
                       (uint32_t[]){x, weight, bias}, b->e);
}

// One op with the parameters its row brings along, in the form that this graph wants.
static uint32_t add_op(struct builder *b, uint32_t x, const char *layer, const char *part,
                       const struct op *op, const double *value)
{
    if (!b->training && op->train_only)
        return x;
    uint32_t in[OP_INPUTS] = {x};
    for (int k = 0; k < OP_PARAMS && op->param[k].name; k++) {
        const char *name = join(b, join(b, layer, part), op->param[k].name);
        in[k + 1] = vector(b, name, b->g->node[x].cols, !op->param[k].buffer);
    }
    const struct op *used = b->training || !op->serve ? op : op->serve;
    return graph_apply(b->g, used, join(b, layer, used->row.name), value, in, b->e);
}

static uint32_t add_layer(struct builder *b, uint32_t x, size_t i)
{
    const struct layer_spec *l = &b->m->spec.layer[i];
    const char *layer = arena_printf(b->a, "layers.%zu", i);
    x = add_linear(b, x, layer, (uint32_t)l->units);
    if (l->norm.row && x != GRAPH_NONE)
        x = add_op(b, x, layer, "norm", pick_op(&l->norm), l->norm.value);
    if (l->activation.row && x != GRAPH_NONE)
        x = add_op(b, x, layer, "activation", pick_op(&l->activation), l->activation.value);
    double dropout[PICK_VALUES] = {l->dropout};
    if (l->dropout > 0 && x != GRAPH_NONE)
        x = add_op(b, x, layer, "dropout", &op_dropout, dropout);
    return x;
}

// Input, hidden layers, output layer; the index of the raw output.
static uint32_t add_body(struct builder *b, uint32_t *x)
{
    uint32_t h = *x = graph_input(b->g, "input", b->m->n_in);
    for (size_t i = 0; i < b->m->spec.n_layer && h != GRAPH_NONE; i++)
        h = add_layer(b, h, i);
    return h == GRAPH_NONE ? h : add_linear(b, h, "output", b->m->n_out);
}

static bool build_train(struct builder *b)
{
    struct model *m = b->m;
    uint32_t out = add_body(b, &m->train_x);
    if (out == GRAPH_NONE)
        return false;
    m->train_y = graph_input(b->g, "target", 1);
    uint32_t loss = graph_apply(b->g, m->loss, "loss", NULL, (uint32_t[]){out, m->train_y}, b->e);
    return loss != GRAPH_NONE &&
           graph_apply(b->g, &op_mean, "loss.mean", NULL, &loss, b->e) != GRAPH_NONE;
}

static bool build_serve(struct builder *b)
{
    struct model *m = b->m;
    uint32_t out = add_body(b, &m->serve_x);
    m->serve_y = graph_input(b->g, "target", 1);
    m->serve_loss = graph_apply(b->g, m->loss, "loss", NULL, (uint32_t[]){out, m->serve_y}, b->e);
    m->serve_out =
        m->loss->link ? graph_apply(b->g, m->loss->link, "prediction", NULL, &out, b->e) : out;
    return true;
}

static bool choose_loss(struct model *m, const struct model_task *t, struct err *e)
{
    int task = t->n_class == 0 ? LOSS_REGRESSION : t->n_class == 2 ? LOSS_BINARY : LOSS_MULTICLASS;
    const struct op *usual = t->n_class == 0   ? &op_mse
                             : t->n_class == 2 ? &op_binary_cross_entropy
                                               : &op_cross_entropy;
    m->loss = t->loss->row ? pick_op(t->loss) : usual;
    if (!(m->loss->tasks & task))
        return fail_at(e, ERR_INVALID, "/loss",
                       "loss \"%s\" does not fit a target with %zu classes; \"%s\" does",
                       m->loss->row.name, t->n_class, usual->row.name);
    m->n_out = m->loss->per_class ? (uint32_t)t->n_class : 1;
    return true;
}

static bool room(struct model *m, struct arena *a, struct err *e)
{
    uint32_t nodes = (uint32_t)(m->spec.n_layer + 2) * NODES_PER_LAYER;
    m->param = arena_alloc(a, (m->spec.n_layer + 1) * PARAMS_PER_LAYER, sizeof *m->param);
    return (m->param && graph_init(&m->train, nodes, a, e) && graph_init(&m->serve, nodes, a, e)) ||
           fail(e, ERR_TOO_LARGE, "the network has too many layers for the memory allowed");
}

bool model_shape(struct model *m, const struct model_spec *spec, const struct model_task *task,
                 struct arena *a, struct err *e)
{
    *m = (struct model){.spec = *spec,
                        .n_in = task->n_in,
                        .n_class = task->n_class,
                        .y_mean = task->y_mean,
                        .y_std = task->y_std};
    for (size_t i = 0; i < spec->n_layer; i++)
        m->by_column = m->by_column || (spec->layer[i].norm.row &&
                                        pick_op(&spec->layer[i].norm)->span == SPAN_COLUMN);
    if (!choose_loss(m, task, e) || !room(m, a, e))
        return false;
    struct builder train = {.m = m, .g = &m->train, .a = a, .training = true, .e = e};
    struct builder serve = {.m = m, .g = &m->serve, .a = a, .e = e};
    if (!build_train(&train) || !build_serve(&serve))
        return false;
    m->n_trained = train.n_trained;
    m->n_value = train.n_trained + train.n_buffer;
    for (size_t i = 0; i < m->n_param; i++)
        if (!m->param[i].trained)
            m->param[i].at += m->n_trained;
    return true;
}

bool model_room(struct model *m, struct arena *a, struct err *e)
{
    m->value = arena_zalloc(a, m->n_value, sizeof *m->value);
    return m->value ||
           fail_at(e, ERR_TOO_LARGE, "/model/layers",
                   "the network has %zu parameters, more than the memory allowed", m->n_value);
}

bool model_build(struct model *m, const struct model_spec *spec, const struct model_task *task,
                 struct arena *a, struct err *e)
{
    return model_shape(m, spec, task, a, e) && model_room(m, a, e);
}

static double gain_of(const struct model *m, size_t layer)
{
    const struct pick *act = layer < m->spec.n_layer ? &m->spec.layer[layer].activation : NULL;
    return act && act->row && pick_op(act)->gain ? pick_op(act)->gain(act->value) : 1;
}

static void fill(struct model *m, const struct model_param *p, real x)
{
    for (size_t i = 0; i < (size_t)p->rows * p->cols; i++)
        m->value[p->at + i] = x;
}

// A norm's parameters start where its row says.
static void init_op_params(struct model *m, const struct op *op, size_t at)
{
    for (int k = 0; k < OP_PARAMS && op->param[k].name; k++)
        fill(m, &m->param[at + (size_t)k], op->param[k].init);
}

static size_t n_op_params(const struct op *op)
{
    size_t n = 0;
    while (op && n < OP_PARAMS && op->param[n].name)
        n++;
    return n;
}

// Parameters come in the builder's order: weight, bias, norm's, activation's, layer by layer, then
// the output layer.
void model_init_weights(struct model *m, uint64_t seed)
{
    size_t at = 0;
    for (size_t i = 0; i <= m->spec.n_layer; i++) {
        const struct model_param *w = &m->param[at], *b = &m->param[at + 1];
        init_linear(&m->spec.init, gain_of(m, i), rng_key(seed, RNG_INIT, i, 0), m->value + w->at,
                    w->rows, w->cols, m->value + b->at);
        at += 2;
        if (i == m->spec.n_layer)
            break;
        const struct op *part[] = {pick_op(&m->spec.layer[i].norm),
                                   pick_op(&m->spec.layer[i].activation)};
        for (int k = 0; k < 2; at += n_op_params(part[k]), k++)
            if (part[k])
                init_op_params(m, part[k], at);
    }
    BUG(at != m->n_param);
}

const char *model_first_broken(const struct model *m, const real *value)
{
    for (size_t i = 0; i < m->n_param; i++)
        for (size_t k = 0; k < (size_t)m->param[i].rows * m->param[i].cols; k++)
            if (!isfinite(value[m->param[i].at + k]))
                return m->param[i].name;
    return NULL;
}
