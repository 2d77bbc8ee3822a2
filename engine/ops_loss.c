// SPDX-License-Identifier: MIT
// Losses: from the network's outputs and the targets to one number a row, and the mean over the
// batch. Softmax and sigmoid are part of their loss, where log and exp cancel exactly; the
// prediction graph appends them as the loss's link.

#include "op.h"
#include "vmath.h"

enum { Z, Y }; // inputs: network outputs [batch, K], targets [batch, 1] (or [batch, K] for mse)

static uint32_t one_column(const struct buf *in)
{
    return in[Y].cols == 1 ? 1 : 0;
}

static uint32_t one_column_for_one(const struct buf *in)
{
    return in[Z].cols == 1 && in[Y].cols == 1 ? 1 : 0;
}

static uint32_t one_column_for_like(const struct buf *in)
{
    return in[Z].cols == in[Y].cols ? 1 : 0;
}

static size_t like_z(const struct buf *in)
{
    return (size_t)in[Z].rows * in[Z].cols;
}

// L = log Σ_j e^(z_j - max) + max - z_y;  the probabilities are kept for backward
KERNEL static void cross_entropy_forward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *z = s->in[Z].v + r * k;
        real *p = s->save + r * k, max = z[0], sum = 0;
        for (size_t c = 1; c < k; c++)
            max = z[c] > max ? z[c] : max;
        LANES for (size_t c = 0; c < k; c++) p[c] = exp(z[c] - max);
        for (size_t c = 0; c < k; c++)
            sum += p[c];
        LANES for (size_t c = 0; c < k; c++) p[c] /= sum;
        s->out.v[r] = log(sum) + (max - z[(size_t)s->in[Y].v[r]]);
    }
}

// dz = dL (p - onehot(y))
KERNEL static void cross_entropy_backward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *p = s->save + r * k, dy = s->out.d[r];
        real *dz = s->in[Z].d + r * k;
        for (size_t c = 0; c < k; c++)
            dz[c] = (s->add[Z] ? dz[c] : 0) + dy * p[c];
        dz[(size_t)s->in[Y].v[r]] -= dy;
    }
}

const struct op op_cross_entropy = {
    .row = {.name = "cross_entropy", .doc = "Softmax cross-entropy, one output a class."},
    .role = OP_LOSS,
    .span = SPAN_ROW,
    .arity = 2,
    .no_grad = 1 << Y,
    .link = &op_softmax,
    .tasks = LOSS_BINARY | LOSS_MULTICLASS,
    .per_class = true,
    .cols = one_column,
    .save = like_z,
    .forward = cross_entropy_forward,
    .backward = cross_entropy_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}, {.cols = 1, .lo = 0, .hi = 4, .whole = true}},
};

// L = max(z, 0) - z y + log(1 + e^-|z|)
KERNEL static void binary_cross_entropy_forward(const struct step *s, struct tile t)
{
    for (size_t r = t.r0; r < t.r1; r++) {
        real z = s->in[Z].v[r];
        s->out.v[r] = (z < 0 ? 0 : z) - z * s->in[Y].v[r] + log1p(exp(-fabs(z)));
    }
}

// dz = dL (σ(z) - y)
KERNEL static void binary_cross_entropy_backward(const struct step *s, struct tile t)
{
    for (size_t r = t.r0; r < t.r1; r++) {
        real d = s->out.d[r] * (1 / (1 + exp(-s->in[Z].v[r])) - s->in[Y].v[r]);
        s->in[Z].d[r] = s->add[Z] ? s->in[Z].d[r] + d : d;
    }
}

const struct op op_binary_cross_entropy = {
    .row = {.name = "binary_cross_entropy", .doc = "Cross-entropy of one logit for two classes."},
    .role = OP_LOSS,
    .span = SPAN_ROW,
    .arity = 2,
    .reads_in = true,
    .no_grad = 1 << Y,
    .link = &op_sigmoid,
    .tasks = LOSS_BINARY,
    .cols = one_column_for_one,
    .forward = binary_cross_entropy_forward,
    .backward = binary_cross_entropy_backward,
    .probe = {{.cols = 1, .lo = -3, .hi = 3}, {.cols = 1, .lo = 0, .hi = 1, .whole = true}},
};

// L = mean_c (z_c - y_c)²
KERNEL static void mse_forward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++) {
        real sum = 0;
        for (size_t c = r * k; c < (r + 1) * k; c++) {
            real d = s->in[Z].v[c] - s->in[Y].v[c];
            sum += d * d;
        }
        s->out.v[r] = sum / (real)k;
    }
}

// dz_c = dL 2 (z_c - y_c) / K
KERNEL static void mse_backward(const struct step *s, struct tile t)
{
    size_t k = s->in[Z].cols;
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t c = r * k; c < (r + 1) * k; c++) {
            real d = s->out.d[r] * 2 * (s->in[Z].v[c] - s->in[Y].v[c]) / (real)k;
            s->in[Z].d[c] = s->add[Z] ? s->in[Z].d[c] + d : d;
        }
}

const struct op op_mse = {
    .row = {.name = "mse", .doc = "Mean squared error."},
    .role = OP_LOSS,
    .span = SPAN_ROW,
    .arity = 2,
    .reads_in = true,
    .no_grad = 1 << Y,
    .tasks = LOSS_REGRESSION,
    .cols = one_column_for_like,
    .forward = mse_forward,
    .backward = mse_backward,
    .probe = {{.cols = 3, .lo = -2, .hi = 2}, {.cols = 3, .lo = -2, .hi = 2}},
};
