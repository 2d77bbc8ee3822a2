// SPDX-License-Identifier: MIT
// Building networks from their spec: see model.h. The builder walks the layers twice, once per
// graph; parameters are created by the first walk and found again, in the same order, by the
// second.

#include "engine/model/model.h"

#include "engine/nn/role.h"
#include "engine/table/task.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// At most: linear with its two, norm and activation with theirs, two dropouts, a residual link; and
// so at the ends.
enum { PARAMS_PER_LAYER = 2 + 2 * OP_PARAMS, NODES_PER_LAYER = 6 + PARAMS_PER_LAYER };

enum purpose { TRAIN, SERVE, VIEW };

struct builder {
    struct model *m;
    struct graph *g;
    struct arena *a;
    enum purpose purpose;
    bool first;        // creates the parameters; later walks find them
    size_t next_param; // later walks: the parameter to expect
    size_t n_trained, n_buffer;
    uint32_t start[LAYERS_MAX]; // inputs of the layers so far: where residual links begin
    size_t layer;               // that is built now
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
    if (b->first) {
        size_t *n = want.trained ? &b->n_trained : &b->n_buffer;
        want.at = *n;
        want.layer = (uint32_t)b->layer;
        want.output = b->layer == b->m->spec.n_layer;
        *p = want;
        *n += (size_t)p->rows * p->cols;
        b->m->n_param++;
    }
    bool settled = !p->trained && b->purpose == VIEW; // counts from the start of all values
    return graph_leaf(b->g, p->trained ? NODE_PARAM : NODE_BUFFER, p->name, p->rows, p->cols,
                      settled ? p->at - b->m->n_trained : p->at);
}

// One op with the parameters its row brings along, in the form that this graph wants. Its
// hyperparameters are checked against what it is given: the fault is at `at` of the layer.
static uint32_t add_op(struct builder *b, uint32_t x, const char *layer, const char *part,
                       const struct op *op, const double *value)
{
    if (x == GRAPH_NONE || (b->purpose != TRAIN && op->train_only))
        return x;
    uint32_t in[OP_INPUTS] = {x};
    for (int k = 0; k < OP_PARAMS && op->param[k].name; k++) {
        const struct node *n = &b->g->node[x];
        const char *own = join(b, part, op->param[k].name);
        in[k + 1] = leaf(b, (struct model_param){.name = join(b, layer, own),
                                                 .own = own,
                                                 .of_op = true,
                                                 .rows = 1,
                                                 .cols = op->param[k].per_row ? n->rows : n->cols,
                                                 .vector = true,
                                                 .positive = op->param[k].positive,
                                                 .trained = !op->param[k].buffer});
    }
    const struct op *used = b->purpose == TRAIN || !op->serve ? op : op->serve;
    const struct norm *norm = norm_of(op);
    const char *name = norm && norm->on_weight ? "weight.normed" : used->row.name; // not the
                                                                                   // parameter's
    return graph_apply(b->g, used, join(b, layer, name), value, in, b->e);
}

// A linear layer; a norm of the weights stands between them and the product.
static uint32_t add_linear(struct builder *b, uint32_t x, const char *layer, uint32_t units,
                           const struct pick *norm)
{
    if (x == GRAPH_NONE)
        return x;
    uint32_t weight = leaf(b, (struct model_param){.name = join(b, layer, "weight"),
                                                   .own = "weight",
                                                   .rows = units,
                                                   .cols = b->g->node[x].cols,
                                                   .trained = true});
    uint32_t bias = leaf(b, (struct model_param){.name = join(b, layer, "bias"),
                                                 .own = "bias",
                                                 .rows = 1,
                                                 .cols = units,
                                                 .vector = true,
                                                 .trained = true});
    if (norm)
        weight = add_op(b, weight, layer, "norm", pick_op(norm), norm->value);
    if (weight == GRAPH_NONE)
        return GRAPH_NONE;
    return graph_apply(b->g, &op_linear, join(b, layer, "linear"), NULL,
                       (uint32_t[]){x, weight, bias}, b->e);
}

static uint32_t add_pick(struct builder *b, uint32_t x, const char *layer, const char *part,
                         const struct pick *p)
{
    return p->row ? add_op(b, x, layer, part, pick_op(p), p->value) : x;
}

static uint32_t add_noise(struct builder *b, uint32_t x, const char *layer, const struct op *op,
                          double amount)
{
    double value[PICK_VALUES] = {amount};
    return amount > 0 ? add_op(b, x, layer, op->row.name, op, value) : x;
}

// x plus the input of the layer `back` layers up, this one's own for 1.
static uint32_t add_residual(struct builder *b, uint32_t x, const char *layer, size_t i, int back)
{
    if (x == GRAPH_NONE || back == 0)
        return x;
    char at[64];
    snprintf(at, sizeof at, "/model/layers/%zu/residual", i);
    if ((size_t)back > i + 1) {
        fail_at(b->e, ERR_INVALID, at, "there are only %zu layers up to this one", i + 1);
        return GRAPH_NONE;
    }
    uint32_t from = b->start[i + 1 - (size_t)back];
    uint32_t have = b->g->node[x].cols, add = b->g->node[from].cols;
    if (have != add) {
        fail_at(b->e, ERR_INVALID, at,
                "a residual connection needs equal widths: this layer has %u outputs, the "
                "connection starts from %u; change units",
                have, add);
        return GRAPH_NONE;
    }
    return graph_apply(b->g, &op_add, join(b, layer, "residual"), NULL, (uint32_t[]){x, from},
                       b->e);
}

// What an activation or norm says about the layer's width is the fault of that field.
static void place_fault(struct builder *b, size_t i, const char *field)
{
    char at[64];
    snprintf(at, sizeof at, "/model/layers/%zu/%s", i, field);
    err_place(b->e, at);
}

// Nodes from `first` on belong to the layer that has just been built.
static void count_nodes(struct builder *b, uint32_t first)
{
    for (uint32_t k = first; k < b->g->n; k++)
        b->g->node[k].layer = (uint32_t)b->layer;
}

static uint32_t add_layer(struct builder *b, uint32_t x, size_t i)
{
    const struct layer_spec *l = &b->m->spec.layer[i];
    const char *layer = arena_printf(b->a, "layers.%zu", i);
    uint32_t first = b->g->n;
    b->layer = i;
    bool on_weight = l->norm.row && pick_norm(&l->norm)->on_weight;
    b->start[i] = x;
    x = add_linear(b, x, layer, (uint32_t)l->units, on_weight ? &l->norm : NULL);
    if (!on_weight)
        x = add_pick(b, x, layer, "norm", &l->norm);
    if (x == GRAPH_NONE)
        place_fault(b, i, "norm");
    else if ((x = add_pick(b, x, layer, "activation", &l->activation)) == GRAPH_NONE)
        place_fault(b, i, "activation");
    x = add_noise(b, x, layer, &op_dropout, l->dropout);
    x = add_noise(b, x, layer, &op_alpha_dropout, l->alpha_dropout);
    x = add_residual(b, x, layer, i, l->residual);
    count_nodes(b, first);
    return x;
}

// Input, hidden layers, output layer; the index of the raw output.
static uint32_t add_body(struct builder *b, uint32_t *x)
{
    uint32_t h = *x = graph_input(b->g, "input", b->m->n_in);
    h = add_noise(b, h, "input", &op_noise, b->m->spec.input_noise);
    h = add_noise(b, h, "input", &op_dropout, b->m->spec.input_dropout);
    for (size_t i = 0; i < b->m->spec.n_layer && h != GRAPH_NONE; i++)
        h = add_layer(b, h, i);
    uint32_t first = b->g->n;
    b->layer = b->m->spec.n_layer;
    h = add_linear(b, h, "output", b->m->n_out, NULL);
    count_nodes(b, first);
    return h;
}

static uint32_t add_loss(struct builder *b, uint32_t out, const char *name, uint32_t *y)
{
    *y = graph_input(b->g, *y == GRAPH_NONE ? "target" : "target.other",
                     (uint32_t)b->m->answer.n_target);
    return graph_apply(b->g, b->m->loss->op, name, b->m->loss_value, (uint32_t[]){out, *y}, b->e);
}

// The mean of the rows' losses, with their weights if they have any.
static bool add_mean(struct builder *b, uint32_t loss)
{
    struct model *m = b->m;
    if (m->train_w == GRAPH_NONE || b->purpose != TRAIN)
        return graph_apply(b->g, &op_mean, "loss.mean", NULL, &loss, b->e) != GRAPH_NONE;
    m->train_w = graph_input(b->g, "weight", 1);
    return graph_apply(b->g, &op_weighted_mean, "loss.mean", NULL, (uint32_t[]){loss, m->train_w},
                       b->e) != GRAPH_NONE;
}

// Rows that are mixed have two targets, each with its share of the loss.
static uint32_t add_mixed(struct builder *b, uint32_t out, uint32_t loss)
{
    struct model *m = b->m;
    m->train_y2 = m->train_y;
    uint32_t other = add_loss(b, out, "loss.other", &m->train_y2);
    m->train_share = graph_input(b->g, "share", 1);
    return graph_apply(b->g, &op_blend, "loss.mixed", NULL,
                       (uint32_t[]){loss, other, m->train_share}, b->e);
}

static bool build_train(struct builder *b, bool mixed)
{
    struct model *m = b->m;
    uint32_t out = add_body(b, &m->train_x);
    if (out == GRAPH_NONE)
        return false;
    m->train_y = m->train_y2 = m->train_share = GRAPH_NONE;
    uint32_t loss = add_loss(b, out, "loss", &m->train_y);
    if (loss != GRAPH_NONE && mixed)
        loss = add_mixed(b, out, loss);
    return loss != GRAPH_NONE && add_mean(b, loss);
}

static uint32_t add_link(struct builder *b, uint32_t out)
{
    const struct op *link = b->m->loss->link;
    return link ? graph_apply(b->g, link, "prediction", NULL, &out, b->e) : out;
}

static bool build_serve(struct builder *b)
{
    struct model *m = b->m;
    uint32_t out = add_body(b, &m->serve_x);
    m->serve_y = GRAPH_NONE;
    m->serve_loss = add_loss(b, out, "loss", &m->serve_y);
    m->serve_out = add_link(b, out);
    return true;
}

bool model_inspect(const struct model *m, struct inspection *v, struct arena *a, struct err *e)
{
    struct model own = *m;
    struct builder b = {.m = &own, .g = &v->graph, .a = a, .purpose = VIEW, .e = e};
    v->y = GRAPH_NONE;
    if (!graph_init(&v->graph, m->serve.cap, a, e))
        return false;
    uint32_t out = add_body(&b, &v->x);
    v->out = add_link(&b, out);
    v->loss = add_loss(&b, out, "loss", &v->y);
    return add_mean(&b, v->loss);
}

static bool smooth_labels(struct model *m, double share, struct err *e)
{
    if (share > 0 && m->loss->smooths)
        m->loss_value[0] = share;
    return share == 0 || m->loss->smooths ||
           fail_at(e, ERR_INVALID, "/regularization/label_smoothing",
                   "loss \"%s\" has no labels to smooth; leave it out", m->loss->op->row.name);
}

static bool model_misfit(const struct loss *loss, const struct answer *a, struct err *e)
{
    char classes[64];
    snprintf(classes, sizeof classes, "a target with %zu classes", a->n_class);
    return fail_at(e, ERR_INVALID, "/loss", "loss \"%s\" does not fit %s; \"%s\" does",
                   loss->op->row.name, a->n_class ? classes : a->task->what,
                   answer_usual_loss(a)->op->row.name);
}

static bool choose_loss(struct model *m, const struct model_task *t, struct err *e)
{
    const struct answer *a = t->answer;
    m->loss = t->loss->row ? pick_loss(t->loss) : answer_usual_loss(a);
    if (!(m->loss->forms & answer_form(a)))
        return model_misfit(m->loss, a, e);
    struct pick p = t->loss->row ? *t->loss : pick_row(&loss_table, &m->loss->op->row);
    memcpy(m->loss_value, p.value, sizeof p.value);
    m->n_out = loss_width(m->loss, a->n_class, a->n_target);
    return smooth_labels(m, t->label_smoothing, e);
}

static bool graph_room(struct model *m, struct arena *a, struct err *e)
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
                        .answer = *task->answer,
                        .n_in = task->n_in,
                        .train_w = task->weighted ? 0 : GRAPH_NONE};
    if (spec->n_layer > LAYERS_MAX)
        return fail_at(e, ERR_INVALID, "/model/layers", "must be at most %d, got %zu", LAYERS_MAX,
                       spec->n_layer);
    for (size_t i = 0; i < spec->n_layer; i++)
        m->by_column = m->by_column || (spec->layer[i].norm.row &&
                                        pick_op(&spec->layer[i].norm)->span == SPAN_COLUMN);
    if (!choose_loss(m, task, e) || !graph_room(m, a, e))
        return false;
    struct builder train = {
        .m = m, .g = &m->train, .a = a, .purpose = TRAIN, .first = true, .e = e};
    struct builder serve = {.m = m, .g = &m->serve, .a = a, .purpose = SERVE, .e = e};
    if (!build_train(&train, task->mixed) || !build_serve(&serve))
        return false;
    m->n_trained = train.n_trained;
    m->n_value = train.n_trained + train.n_buffer;
    for (size_t i = 0; i < m->n_param; i++)
        if (!m->param[i].trained)
            m->param[i].at += m->n_trained;
    return true;
}

bool model_room(struct model *m, struct run_state *s, struct err *e)
{
    STATE_KEEP(s, "model.values", m->value, m->n_value);
    return run_state_granted(s) ||
           fail_at(e, ERR_TOO_LARGE, "/model/layers",
                   "the network has %zu parameters, more than the memory allowed", m->n_value);
}

bool model_build(struct model *m, const struct model_spec *spec, const struct model_task *task,
                 struct arena *a, struct err *e)
{
    struct run_state own;
    run_state_init(&own, a);
    return model_shape(m, spec, task, a, e) && model_room(m, &own, e);
}

const char *model_first_broken(const struct model *m, const real *value, const struct halt *halt)
{
    for (size_t i = 0; i < m->n_param; i++)
        for (size_t k = 0, n = (size_t)m->param[i].rows * m->param[i].cols;
             k < n && !halt_due(halt, k); k++)
            if (!isfinite(value[m->param[i].at + k]))
                return m->param[i].name;
    return NULL;
}
