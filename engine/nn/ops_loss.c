// SPDX-License-Identifier: MIT
// Losses of classes: one logit for two of them, softmax over several, several at once, shares of a
// whole.

#include "engine/nn/ops_loss.h"

// L = max(z, 0) - z q + log(1 + e^-|z|)     dz = σ(z) - q     q = (1 - ε) y + ε/2
INLINE real smooth_bit(real y, const double *k)
{
    return (real)(1 - k[0]) * y + (real)(k[0] / 2);
}
INLINE real binary_cross_entropy_value(real z, real y, const double *k)
{
    return logit_value(z, smooth_bit(y, k));
}
INLINE real binary_cross_entropy_slope(real z, real y, const double *k)
{
    return logit_slope(z, smooth_bit(y, k));
}
CELL_LOSS_KERNELS(binary_cross_entropy)

static double chance_of_two(size_t n UNUSED)
{
    return log(2);
}

const struct op op_binary_cross_entropy = {
    CELL_LOSS(binary_cross_entropy),
    .row = {.name = "binary_cross_entropy",
            .doc = "Binary cross-entropy on one logit.",
            .alias = {"bernoulli"},
            .torch = "torch.nn.BCEWithLogitsLoss",
            .hyper = {LABEL_SMOOTHING}},
    .probe = {{.cols = 1, .lo = -3, .hi = 3}, {.cols = 1, .lo = 0, .hi = 1, .whole = true}},
};
const struct loss loss_binary_cross_entropy = {
    .op = &op_binary_cross_entropy,
    .link = &op_sigmoid,
    .forms = FORM_TWO_CLASSES,
    .smooths = true,
    .chance = chance_of_two,
};

// The same without smoothing, for each of several labels.
INLINE real multilabel_bce_value(real z, real y, const double *k UNUSED)
{
    return logit_value(z, y);
}
INLINE real multilabel_bce_slope(real z, real y, const double *k UNUSED)
{
    return logit_slope(z, y);
}
CELL_LOSS_KERNELS(multilabel_bce)

const struct op op_multilabel_bce = {
    CELL_LOSS(multilabel_bce),
    .row = {.name = "multilabel_bce",
            .doc = "Binary cross-entropy of each label, one logit per label; the mean over labels.",
            .alias = {"multilabel_soft_margin"},
            .torch = "torch.nn.BCEWithLogitsLoss"},
    .probe = {{.cols = 3, .lo = -3, .hi = 3}, {.cols = 3, .lo = 0, .hi = 1, .whole = true}},
};
const struct loss loss_multilabel_bce = {
    .op = &op_multilabel_bce,
    .link = &op_sigmoid,
    .forms = FORM_LABELS,
};

// The losses over a softmax know their derivative when they have the value: forward keeps dL/dz.
static size_t like_z(const struct buf *in)
{
    return (size_t)in[Z].rows * in[Z].cols;
}

KERNEL static void kept_backward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *kept = s->save + r * k, dy = s->out.d[r];
        real *dz = s->in[Z].d + r * k;
        for (size_t c = 0; c < k; c++)
            dz[c] = (s->add[Z] ? dz[c] : 0) + dy * kept[c];
    }
}

#define SOFTMAX_LOSS(name, shapes)                                                                 \
    .span = SPAN_ROW, .arity = 2, .no_grad = 1 << Y, .cols = (shapes), .save = like_z,             \
    .forward = name##_forward, .backward = kept_backward

struct softmax {
    real max, sum; // p_c = e^(z_c - max) / sum
};

// e^(z - max) into p
INLINE struct softmax softmax_terms(const real *z, size_t k, real *p)
{
    struct softmax s = {.max = z[0]};
    for (size_t c = 1; c < k; c++)
        s.max = z[c] > s.max ? z[c] : s.max;
    LANES for (size_t c = 0; c < k; c++) p[c] = exp(z[c] - s.max);
    for (size_t c = 0; c < k; c++)
        s.sum += p[c];
    return s;
}

// q = (1 - ε) onehot(y) + ε/K
// L = log Σ_j e^(z_j - max) + Σ_c q_c (max - z_c)     dz = p - q
KERNEL static void cross_entropy_forward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    real most = (real)(1 - s->value[0]), even = (real)(s->value[0] / (double)k);
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *z = s->in[Z].v + r * k;
        real *p = s->save + r * k, spread = 0;
        size_t y = (size_t)s->in[Y].v[r];
        struct softmax m = softmax_terms(z, k, p);
        for (size_t c = 0; even > 0 && c < k; c++)
            spread += m.max - z[c];
        LANES for (size_t c = 0; c < k; c++) p[c] = p[c] / m.sum - even;
        p[y] -= most;
        s->out.v[r] = log(m.sum) + most * (m.max - z[y]) + even * spread;
    }
}

static double chance_of_classes(size_t n)
{
    return n ? log((double)n) : NAN;
}

const struct op op_cross_entropy = {
    SOFTMAX_LOSS(cross_entropy, loss_of_class),
    .row = {.name = "cross_entropy",
            .doc = "Softmax cross-entropy, one output per class.",
            .alias = {"multinomial", "categorical_crossentropy"},
            .torch = "torch.nn.CrossEntropyLoss",
            .hyper = {LABEL_SMOOTHING}},
    .probe = {{.cols = 5, .lo = -2, .hi = 2}, {.cols = 1, .lo = 0, .hi = 4, .whole = true}},
};
const struct loss loss_cross_entropy = {
    .op = &op_cross_entropy,
    .link = &op_softmax,
    .forms = FORM_TWO_CLASSES | FORM_CLASSES,
    .class_outputs = outputs_of_classes,
    .smooths = true,
    .chance = chance_of_classes,
};

// With a = p_y and b = 1 - a, summed from the other classes:
// L = -b^γ log a     dL/dz_c = b^γ (γ a log a / b - 1) (1[c = y] - p_c)
// log a / b goes to -1 with b, and 1 - p_y is b again: nothing cancels, whatever γ.
struct focal {
    real loss, slope, other; // slope: what (1[c = y] - p_c) is multiplied by; other: b
};

INLINE struct focal focal_row(struct softmax m, real own, real rest, real behind, double gamma)
{
    real a = own / m.sum, b = rest / m.sum;
    real log_a = b < (real).5 ? log1p(-b) : -log(m.sum) - behind;
    real ratio = b > 0 ? log_a / b : -1, power = pow(b, (real)gamma);
    return (struct focal){-power * log_a, power * ((real)gamma * a * ratio - 1), b};
}

KERNEL static void focal_forward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *z = s->in[Z].v + r * k;
        real *p = s->save + r * k, rest = 0;
        size_t y = (size_t)s->in[Y].v[r];
        struct softmax m = softmax_terms(z, k, p);
        for (size_t c = 0; c < k; c++)
            rest += c == y ? 0 : p[c];
        struct focal f = focal_row(m, p[y], rest, m.max - z[y], s->value[0]);
        LANES for (size_t c = 0; c < k; c++) p[c] *= -f.slope / m.sum;
        p[y] = f.slope * f.other;
        s->out.v[r] = f.loss;
    }
}

const struct op op_focal = {
    SOFTMAX_LOSS(focal, loss_of_class),
    .row = {.name = "focal",
            .doc =
                "Softmax cross-entropy with less weight on rows that are already classified well.",
            .hyper = {{.name = "gamma",
                       .doc = "How fast well-classified rows lose weight; 0 is cross-entropy.",
                       .def = {2},
                       .min = 0,
                       .max = 10}}},
    .probe = {{.cols = 4, .lo = -2, .hi = 2}, {.cols = 1, .lo = 0, .hi = 3, .whole = true}},
};
const struct loss loss_focal = {
    .op = &op_focal,
    .link = &op_softmax,
    .forms = FORM_TWO_CLASSES | FORM_CLASSES,
    .class_outputs = outputs_of_classes,
};

// L = Σ_c q_c (log q_c - log p_c), 0 log 0 = 0     dz = p Σ_j q_j - q
KERNEL static void kl_div_forward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *z = s->in[Z].v + r * k, *q = s->in[Y].v + r * k;
        real *p = s->save + r * k, loss = 0, whole = 0;
        struct softmax m = softmax_terms(z, k, p);
        real scale = m.max + log(m.sum);
        for (size_t c = 0; c < k; c++) {
            whole += q[c];
            loss += q[c] > 0 ? q[c] * (log(q[c]) - (z[c] - scale)) : 0;
        }
        LANES for (size_t c = 0; c < k; c++) p[c] = p[c] / m.sum * whole - q[c];
        s->out.v[r] = loss;
    }
}

const struct op op_kl_div = {
    SOFTMAX_LOSS(kl_div, loss_of_like),
    .row = {.name = "kl_div",
            .doc = "Kullback-Leibler divergence between the target proportions and the softmax.",
            .alias = {"kullback_leibler"},
            .torch = "torch.nn.KLDivLoss"},
    .probe = {{.cols = 4, .lo = -2, .hi = 2}, {.cols = 4, .lo = .05, .hi = 1}},
};
const struct loss loss_kl_div = {
    .op = &op_kl_div,
    .link = &op_softmax,
    .forms = FORM_SHARES,
};
