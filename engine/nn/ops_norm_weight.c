// SPDX-License-Identifier: MIT
// Weight normalisation: length and direction of every unit's weights trained apart (Salimans &
// Kingma 2016, torch.nn.utils.weight_norm with dim 0).

#include "engine/base/vmath.h"
#include "engine/nn/role.h"

enum { V, G }; // inputs: directions [units, inputs], lengths [1, units]

// Below this a row has no direction: it gives weights of 0 and has no gradient.
static const double SHORTEST = 1e-30;

static uint32_t weight_rows(const struct buf *in)
{
    return in[V].rows;
}

static size_t weight_save(const struct buf *in)
{
    return in[V].rows;
}

// ‖v‖, in double: squares of small floats would vanish
static double weight_length(const real *v, size_t n)
{
    double sum = 0;
    for (size_t c = 0; c < n; c++)
        sum += (double)v[c] * (double)v[c];
    return sqrt(sum);
}

// 1/‖v‖, or 0
static real inverse(double length_)
{
    return length_ < SHORTEST ? 0 : (real)(1 / length_);
}

// w = g v/‖v‖
KERNEL static void weight_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *v = s->in[V].v + r * cols, g = s->in[G].v[r];
        real *w = s->out.v + r * cols, scale = s->save[r] = inverse(weight_length(v, cols));
        LANES for (size_t c = 0; c < cols; c++) w[c] = g * (v[c] * scale);
    }
}

// dg = dw · v/‖v‖,  dv = g/‖v‖ (dw - v/‖v‖ dg)
KERNEL static void weight_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *v = s->in[V].v + r * cols, *dw = s->out.d + r * cols;
        real *dv = s->in[V].d + r * cols, *dg = s->in[G].d + r;
        real g = s->in[G].v[r], scale = s->save[r];
        double along = 0;
        for (size_t c = 0; c < cols; c++)
            along += (double)dw[c] * (double)(v[c] * scale);
        *dg = (s->add[G] ? *dg : 0) + (real)along;
        LANES for (size_t c = 0; c < cols; c++) dv[c] =
            (s->add[V] ? dv[c] : 0) + g * scale * (dw[c] - v[c] * scale * (real)along);
    }
}

// g starts as ‖v‖, so that the layer starts as it was drawn.
static double weight_start(const double *k, const struct buf *weight, size_t i)
{
    (void)k;
    return weight_length(weight->v + i * weight->cols, weight->cols);
}

const struct op op_weight = {
    .row = {.name = "weight",
            .doc = "Weight normalization: the norm and the direction of a unit's weights are "
                   "trained separately.",
            .torch = "torch.nn.utils.weight_norm"},
    .span = SPAN_ROW,
    .arity = 2,
    .reads_in = true,
    .param = {{.name = "g", .per_row = true, .start = weight_start}},
    .rows = weight_rows,
    .save = weight_save,
    .forward = weight_forward,
    .backward = weight_backward,
    .probe = {{.rows = 5, .cols = 4, .lo = -2, .hi = 2}, {.rows = 1, .cols = 5, .lo = .5, .hi = 2}},
};
const struct norm norm_weight = {
    .op = &op_weight,
    .on_weight = true,
};
