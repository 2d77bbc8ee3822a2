// SPDX-License-Identifier: MIT
// Where values meet: residual links, losses of mixed rows, means over a batch. The means are what
// makes one number of a batch; they sum in double and in the rows' order, so the loss has the same
// bits for any number of threads.

#include "engine/base/vmath.h"
#include "engine/nn/op.h"

static uint32_t join_same_shape(const struct buf *in)
{
    return in[0].cols == in[1].cols ? in[0].cols : 0;
}

// y = a + b. May run in place of a: then da is dy already.
KERNEL static void add_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t i = r * cols + t.c0; i < r * cols + t.c1; i++) s->out.v[i] =
            s->in[0].v[i] + s->in[1].v[i];
}

KERNEL static void add_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    for (int k = 0; k < 2; k++)
        for (size_t r = t.r0; s->in[k].d && r < t.r1; r++)
            LANES for (size_t i = r * cols + t.c0; i < r * cols + t.c1; i++) s->in[k].d[i] =
                (s->add[k] ? s->in[k].d[i] : 0) + s->out.d[i];
}

const struct op op_add = {
    .row = {.name = "add",
            .doc = "Sum of two values; closes a residual connection.",
            .torch = "torch.add"},
    .arity = 2,
    .cols = join_same_shape,
    .forward = add_forward,
    .backward = add_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2}, {.cols = 5, .lo = -2, .hi = 2}},
};

static uint32_t three_columns(const struct buf *in)
{
    return in[0].cols == 1 && in[1].cols == 1 && in[2].cols == 1 ? 1 : 0;
}

// y = λ a + (1 - λ) b: the loss of a row that is a mix of two
KERNEL static void blend_forward(const struct step *s, struct tile t)
{
    const real *a = s->in[0].v, *b = s->in[1].v, *share = s->in[2].v;
    for (size_t r = t.r0; r < t.r1; r++)
        s->out.v[r] = share[r] * a[r] + (1 - share[r]) * b[r];
}

KERNEL static void blend_backward(const struct step *s, struct tile t)
{
    real *a = s->in[0].d, *b = s->in[1].d;
    const real *share = s->in[2].v;
    for (size_t r = t.r0; r < t.r1; r++) {
        a[r] = (s->add[0] ? a[r] : 0) + share[r] * s->out.d[r];
        b[r] = (s->add[1] ? b[r] : 0) + (1 - share[r]) * s->out.d[r];
    }
}

const struct op op_blend = {
    .row = {.name = "blend",
            .doc = "Weighted sum of two losses of a row.",
            .torch = "torch.lerp",
            .no_fixture = "part of mixup, whose draws are our own; its derivative is tested"},
    .span = SPAN_ROW,
    .arity = 3,
    .no_grad = 1 << 2,
    .cols = three_columns,
    .forward = blend_forward,
    .backward = blend_backward,
    .probe = {{.cols = 1, .lo = -2, .hi = 2},
              {.cols = 1, .lo = -2, .hi = 2},
              {.cols = 1, .lo = 0, .hi = 1}},
};

// y = Σ_r x_r / rows, in double so that the order of a long batch does not matter to what is
// reported
static void mean_forward(const struct step *s, struct tile t)
{
    double sum = 0;
    for (size_t r = t.r0; r < t.r1; r++)
        sum += (double)s->in[0].v[r];
    s->out.v[0] = (real)(sum / (t.r1 - t.r0));
}

static void mean_backward(const struct step *s, struct tile t)
{
    real d = s->out.d[0] / (real)(t.r1 - t.r0);
    for (size_t r = t.r0; r < t.r1; r++)
        s->in[0].d[r] = s->add[0] ? s->in[0].d[r] + d : d;
}

const struct op op_mean = {
    .reduces = true,
    .row = {.name = "mean", .doc = "Mean over the rows of a batch."},
    .span = SPAN_ALL,
    .arity = 1,
    .forward = mean_forward,
    .backward = mean_backward,
    .probe = {{.cols = 1, .lo = -2, .hi = 2}},
};

static uint32_t two_columns(const struct buf *in)
{
    return in[0].cols == 1 && in[1].cols == 1 ? 1 : 0;
}

// y = Σ_r w_r x_r / Σ_r w_r, as torch.nn.CrossEntropyLoss(weight) does; 0 when no row weighs
// anything
static double weight_sum(const struct step *s, struct tile t)
{
    double sum = 0;
    for (size_t r = t.r0; r < t.r1; r++)
        sum += (double)s->in[1].v[r];
    return sum > 0 ? sum : 1;
}

static void weighted_mean_forward(const struct step *s, struct tile t)
{
    double sum = 0;
    for (size_t r = t.r0; r < t.r1; r++)
        sum += (double)s->in[1].v[r] * (double)s->in[0].v[r];
    s->out.v[0] = (real)(sum / weight_sum(s, t));
}

static void weighted_mean_backward(const struct step *s, struct tile t)
{
    real d = s->out.d[0] / (real)weight_sum(s, t);
    for (size_t r = t.r0; r < t.r1; r++)
        s->in[0].d[r] = (s->add[0] ? s->in[0].d[r] : 0) + d * s->in[1].v[r];
}

const struct op op_weighted_mean = {
    .reduces = true,
    .row = {.name = "weighted_mean", .doc = "Mean over the rows of a batch, each with its weight."},
    .span = SPAN_ALL,
    .arity = 2,
    .no_grad = 1 << 1,
    .cols = two_columns,
    .forward = weighted_mean_forward,
    .backward = weighted_mean_backward,
    .probe = {{.cols = 1, .lo = -2, .hi = 2}, {.cols = 1, .lo = .5, .hi = 2}},
};
