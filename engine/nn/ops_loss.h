// SPDX-License-Identifier: MIT
#pragma once

// What the losses share (ops_loss*.c only). A loss turns the network's outputs and the targets into
// one number a row. The function that makes outputs into a prediction is part of its loss, where
// log and exp cancel exactly; the prediction graph appends it as the loss's link.

#include "engine/base/vmath.h"
#include "engine/nn/role.h"

enum { Z, Y }; // inputs: network outputs, targets; [batch, K] and [batch, 1] or [batch, K]

// Shape rules: one number a row, if the shapes fit.
static inline uint32_t loss_of_like(const struct buf *in)
{
    return in[Z].cols == in[Y].cols ? 1 : 0;
}

static inline uint32_t loss_of_class(const struct buf *in)
{
    return in[Y].cols == 1 ? 1 : 0;
}

// For losses with an output for each class.
static inline uint32_t outputs_of_classes(size_t n_class)
{
    return (uint32_t)n_class;
}

// A loss that is a mean over columns is two inline functions of one output z, its target y and the
// hyperparameters k: name_value(z, y, k) and its derivative in z, name_slope(z, y, k).
// CELL_LOSS_KERNELS makes the loops
//   L = Σ_c value(z_c, y_c) / K,   dz_c = dL slope(z_c, y_c) / K
// and CELL_LOSS the members of the row that follow from them.
#define CELL_LOSS_KERNELS(name)                                                                    \
    KERNEL static void name##_forward(const struct step *s, struct tile t)                         \
    {                                                                                              \
        size_t k = s->in[Z].cols;                                                                  \
        for (size_t r = t.r0; r < t.r1; r++) {                                                     \
            const real *z = s->in[Z].v + r * k, *y = s->in[Y].v + r * k;                           \
            real sum = 0;                                                                          \
            for (size_t c = 0; c < k; c++)                                                         \
                sum += name##_value(z[c], y[c], s->value);                                         \
            s->out.v[r] = sum / (real)k;                                                           \
        }                                                                                          \
    }                                                                                              \
    KERNEL static void name##_backward(const struct step *s, struct tile t)                        \
    {                                                                                              \
        size_t k = s->in[Z].cols;                                                                  \
        for (size_t r = t.r0; r < t.r1; r++) {                                                     \
            const real *z = s->in[Z].v + r * k, *y = s->in[Y].v + r * k;                           \
            real *dz = s->in[Z].d + r * k, dy = s->out.d[r] / (real)k;                             \
            for (size_t c = 0; c < k; c++)                                                         \
                dz[c] = (s->add[Z] ? dz[c] : 0) + dy * name##_slope(z[c], y[c], s->value);         \
        }                                                                                          \
    }

#define CELL_LOSS(name)                                                                            \
    .span = SPAN_ROW, .arity = 2, .reads_in = true, .no_grad = 1 << Y, .cols = loss_of_like,       \
    .forward = name##_forward, .backward = name##_backward

// The two of logits that stand for yes or no: L = log(1 + e^z) - z y, with q for the target after
// smoothing. σ(z) is taken from the side where nothing cancels.
INLINE real logit_value(real z, real q)
{
    return (z < 0 ? 0 : z) - z * q + log1p(exp(-fabs(z)));
}
INLINE real logit_slope(real z, real q)
{
    real e = exp(-fabs(z)), tail = e / (1 + e);
    return z < 0 ? tail - q : 1 - q - tail;
}

// The share of the target that label smoothing spreads over all classes, as
// torch.nn.CrossEntropyLoss(label_smoothing).
#define LABEL_SMOOTHING                                                                            \
    {                                                                                              \
        .name = "label_smoothing",                                                                 \
        .doc = "Share of every target that is spread evenly over all classes.", .min = 0,          \
        .max = .95                                                                                 \
    }

// e^x up to EXP_MOST and its tangent above, so that no loss or gradient of a single-precision
// number overflows; nothing that has been learnt lies there (e^60 is 1e26). Both functions are
// continuous.
#define EXP_MOST ((real)60)

INLINE real exp_value(real x)
{
    real least = x > EXP_MOST ? EXP_MOST : x;
    return exp(least) * (1 + (x - least));
}
INLINE real exp_slope(real x)
{
    return exp(x > EXP_MOST ? EXP_MOST : x);
}
