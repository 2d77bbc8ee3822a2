// SPDX-License-Identifier: MIT
// The first weights of a network: see model.h.

#include "engine/model/model.h"

#include "engine/base/rng.h"
#include "engine/model/init.h"

static double gain_of(const struct model *m, size_t layer)
{
    const struct pick *act = layer < m->spec.n_layer ? &m->spec.layer[layer].activation : NULL;
    const struct activation *own = act ? pick_activation(act) : NULL;
    return own && own->gain ? own->gain(act->value) : 1;
}

const struct pick *model_init_of(const struct model *m, size_t layer)
{
    bool own = layer < m->spec.n_layer && m->spec.layer[layer].init.row;
    return own ? &m->spec.layer[layer].init : &m->spec.init;
}

// A norm's or activation's parameters start where its row says.
static void init_op_params(struct model *m, const struct pick *p, const struct buf *weight,
                           size_t at, const struct halt *halt)
{
    const struct op *op = pick_op(p);
    for (int k = 0; k < OP_PARAMS && op->param[k].name; k++) {
        const struct model_param *to = &m->param[at + (size_t)k];
        for (size_t i = 0; i < (size_t)to->rows * to->cols && !halt_due_row(halt, i); i++)
            m->value[to->at + i] = op->param[k].start
                                       ? (real)op->param[k].start(p->value, weight, i)
                                       : op->param[k].init;
    }
}

static size_t n_op_params(const struct op *op)
{
    size_t n = 0;
    while (op && n < OP_PARAMS && op->param[n].name)
        n++;
    return n;
}

// Parameters come in the builder's order: weight, bias, norm's, activation's, layer by layer, then
// the output layer. The place of a layer's weight.
static size_t layer_at(const struct model *m, size_t layer)
{
    size_t at = 0;
    for (size_t i = 0; i < layer; i++)
        at += 2 + n_op_params(pick_op(&m->spec.layer[i].norm)) +
              n_op_params(pick_op(&m->spec.layer[i].activation));
    return at;
}

void model_init_ops(struct model *m, const struct halt *halt)
{
    for (size_t i = 0; i < m->spec.n_layer; i++) {
        size_t at = layer_at(m, i);
        const struct model_param *w = &m->param[at];
        const struct buf weight = {.v = m->value + w->at, .rows = w->rows, .cols = w->cols};
        const struct pick *part[] = {&m->spec.layer[i].norm, &m->spec.layer[i].activation};
        at += 2;
        for (int k = 0; k < 2; at += n_op_params(pick_op(part[k])), k++)
            if (part[k]->row)
                init_op_params(m, part[k], &weight, at, halt);
    }
}

bool model_init_weights(struct model *m, uint64_t seed, const struct halt *halt, struct err *e)
{
    for (size_t i = 0; i <= m->spec.n_layer; i++) {
        size_t at = layer_at(m, i);
        BUG(i == m->spec.n_layer && at + 2 != m->n_param);
        const struct model_param *w = &m->param[at], *b = &m->param[at + 1];
        const struct init_layer layer = {.gain = gain_of(m, i),
                                         .key = rng_key(seed, RNG_INIT, i, 0),
                                         .weight = m->value + w->at,
                                         .outputs = w->rows,
                                         .inputs = w->cols,
                                         .bias = m->value + b->at,
                                         .halt = halt};
        init_linear(model_init_of(m, i), &layer);
    }
    model_init_ops(m, halt);
    return halt_go_on(halt, e);
}
