// SPDX-License-Identifier: MIT
// Losses that ask for a margin and are content beyond it. NaN stays NaN: every comparison is
// written so that it falls on the side that keeps it.

#include "engine/nn/ops_loss.h"

// m = 1 - z s with s = ±1 for y = 1, 0:  what is missing of the margin
INLINE real missing(real z, real y)
{
    real m = 1 - z * (2 * y - 1);
    return m < 0 ? 0 : m;
}

// L = max(m, 0)      dz = -s where m > 0
INLINE real hinge_value(real z, real y, const double *k UNUSED)
{
    return missing(z, y);
}
INLINE real hinge_slope(real z, real y, const double *k UNUSED)
{
    return missing(z, y) > 0 ? 1 - 2 * y : 0;
}
CELL_LOSS_KERNELS(hinge)

// L = max(m, 0)²     dz = -2 s max(m, 0)
INLINE real squared_hinge_value(real z, real y, const double *k UNUSED)
{
    return missing(z, y) * missing(z, y);
}
INLINE real squared_hinge_slope(real z, real y, const double *k UNUSED)
{
    return 2 * missing(z, y) * (1 - 2 * y);
}
CELL_LOSS_KERNELS(squared_hinge)

#define BINARY_MARGIN                                                                              \
    .probe = {{.cols = 1, .lo = -3, .hi = 3}, {.cols = 1, .lo = 0, .hi = 1, .whole = true}}

const struct op op_hinge = {
    CELL_LOSS(hinge),
    BINARY_MARGIN,
    .row = {.name = "hinge",
            .doc = "Hinge loss of support vector machines for two classes; the probabilities are a "
                   "sigmoid of the margin and not calibrated."},
};
const struct loss loss_hinge = {
    .op = &op_hinge,
    .link = &op_sigmoid,
    .forms = FORM_TWO_CLASSES,
};

const struct op op_squared_hinge = {
    CELL_LOSS(squared_hinge),
    BINARY_MARGIN,
    .row = {.name = "squared_hinge",
            .doc = "Squared hinge loss for two classes; the probabilities are a sigmoid of the "
                   "margin and not calibrated."},
};
const struct loss loss_squared_hinge = {
    .op = &op_squared_hinge,
    .link = &op_sigmoid,
    .forms = FORM_TWO_CLASSES,
};

// m_c = margin - z_y + z_c for every c but y
// L = Σ max(m_c, 0)^p / K     dz_c = p max(m_c, 0)^(p - 1) / K,  dz_y = -Σ dz_c
enum { POWER, MARGIN };

INLINE real lacking(const struct step *s, const real *z, size_t y, size_t c)
{
    real m = (real)s->value[MARGIN] - z[y] + z[c];
    return m < 0 || c == y ? 0 : m;
}

KERNEL static void multi_margin_forward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    bool squared = s->value[POWER] > 1;
    for (size_t r = t.r0; r < t.r1; r++) {
        real sum = 0;
        for (size_t c = 0; c < k; c++) {
            real m = lacking(s, s->in[Z].v + r * k, (size_t)s->in[Y].v[r], c);
            sum += squared ? m * m : m;
        }
        s->out.v[r] = sum / (real)k;
    }
}

KERNEL static void multi_margin_backward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    bool squared = s->value[POWER] > 1;
    for (size_t r = t.r0; r < t.r1; r++) {
        real *dz = s->in[Z].d + r * k, dy = s->out.d[r] / (real)k, sum = 0;
        size_t y = (size_t)s->in[Y].v[r];
        for (size_t c = 0; c < k; c++) {
            real m = lacking(s, s->in[Z].v + r * k, y, c), d = dy * (squared ? 2 * m : m > 0);
            dz[c] = (s->add[Z] ? dz[c] : 0) + d;
            sum += d;
        }
        dz[y] -= sum;
    }
}

const struct op op_multi_margin = {
    .row = {.name = "multi_margin",
            .doc = "Multiclass hinge loss, one output per class; the probabilities are a softmax "
                   "of the margins and not calibrated.",
            .alias = {"multiclass_hinge"},
            .torch = "torch.nn.MultiMarginLoss",
            .hyper = {{.name = "p",
                       .doc = "Exponent of the margin violation, 1 or 2.",
                       .type = HYPER_INT,
                       .def = {1},
                       .min = 1,
                       .max = 2},
                      {.name = "margin",
                       .doc = "How far the score of the right class should be above every other.",
                       .def = {1},
                       .min = 0,
                       .max = 1000}}},
    .span = SPAN_ROW,
    .arity = 2,
    .reads_in = true,
    .no_grad = 1 << Y,
    .cols = loss_of_class,
    .forward = multi_margin_forward,
    .backward = multi_margin_backward,
    .probe = {{.cols = 4, .lo = -2, .hi = 2}, {.cols = 1, .lo = 0, .hi = 3, .whole = true}},
};
const struct loss loss_multi_margin = {
    .op = &op_multi_margin,
    .link = &op_softmax,
    .forms = FORM_TWO_CLASSES | FORM_CLASSES,
    .class_outputs = outputs_of_classes,
};
