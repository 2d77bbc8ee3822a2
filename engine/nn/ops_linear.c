// SPDX-License-Identifier: MIT
// The linear layer: y = x Wᵀ + b with W of shape (outputs, inputs), as torch.nn.Linear stores it.
//
// Forward tiles are blocks of outputs, so a norm and an activation that follow work on the block
// while it is in cache. Backward is two independent pieces of work: the input's gradient, and the
// parameters', whose blocks each sum over the whole batch and so need no reduction afterwards.

#include "engine/nn/op.h"

#include "engine/base/vmath.h"
#include "engine/nn/blas.h"

enum { X, WEIGHT, BIAS };         // inputs
enum { TO_INPUT, TO_PARAMETERS }; // parts of backward
static const double FLOPS_PER_TILE =
    4e6; // about 50 µs of a core: far above the cost of handing a tile over

static double tiles_worth(const struct step *s)
{
    return 2.0 * s->in[X].rows * s->in[X].cols * s->out.cols / FLOPS_PER_TILE;
}

static void forward_tiles(const struct step *s, struct tiling *t)
{
    tiling_cut(t, 0, s->in[X].rows, s->out.cols, tiles_worth(s));
}

static void linear_backward_tiles(const struct step *s, struct tiling *t)
{
    if (s->in[X].d)
        tiling_cut(t, TO_INPUT, s->in[X].rows, s->in[X].cols, tiles_worth(s));
    uint32_t n = t->n;
    tiling_cut(t, TO_PARAMETERS, 0, s->out.cols, tiles_worth(s));
    for (; t->tile && n < t->n; n++)
        t->tile[n].r1 = s->in[X].rows;
}

static uint32_t linear_cols(const struct buf *in)
{
    bool fits = in[WEIGHT].cols == in[X].cols && in[BIAS].cols == in[WEIGHT].rows;
    return fits ? in[WEIGHT].rows : 0;
}

static struct mat at(const real *v, size_t cols, size_t r, size_t c)
{
    return (struct mat){(real *)v + r * cols + c, cols};
}

// y = b, then y += x Wᵀ
static void linear_forward(const struct step *s, struct tile t)
{
    size_t in = s->in[X].cols, out = s->out.cols;
    const real *bias = s->in[BIAS].v;
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t c = t.c0; c < t.c1; c++)
            s->out.v[r * out + c] = bias[c];
    gemm_nt(t.r1 - t.r0, t.c1 - t.c0, in, at(s->in[X].v, in, t.r0, 0),
            at(s->in[WEIGHT].v, in, t.c0, 0), at(s->out.v, out, t.r0, t.c0), true);
}

// db = Σ_rows dy
KERNEL static void bias_backward(const struct step *s, struct tile t)
{
    real *db = s->in[BIAS].d;
    if (!s->add[BIAS])
        for (size_t c = t.c0; c < t.c1; c++)
            db[c] = 0;
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *dy = s->out.d + r * s->out.cols;
        LANES for (size_t c = t.c0; c < t.c1; c++) db[c] += dy[c];
    }
}

// dx = dy W;   dW = dyᵀ x
static void linear_backward(const struct step *s, struct tile t)
{
    size_t in = s->in[X].cols, out = s->out.cols;
    if (t.part == TO_INPUT) {
        gemm_nn(t.r1 - t.r0, t.c1 - t.c0, out, at(s->out.d, out, t.r0, 0),
                at(s->in[WEIGHT].v, in, 0, t.c0), at(s->in[X].d, in, t.r0, t.c0), s->add[X]);
        return;
    }
    gemm_tn(t.c1 - t.c0, in, t.r1 - t.r0, at(s->out.d, out, t.r0, t.c0),
            at(s->in[X].v, in, t.r0, 0), at(s->in[WEIGHT].d, in, t.c0, 0), s->add[WEIGHT]);
    bias_backward(s, t);
}

const struct op op_linear = {
    .row = {.name = "linear", .doc = "Fully connected layer, y = x Wᵀ + b."},
    .span = SPAN_ALL,
    .arity = 3,
    .reads_in = true,
    .cols = linear_cols,
    .forward_tiles = forward_tiles,
    .backward_tiles = linear_backward_tiles,
    .forward = linear_forward,
    .backward = linear_backward,
    .probe = {{.cols = 4, .lo = -1, .hi = 1},
              {.rows = 5, .cols = 4, .lo = -1, .hi = 1},
              {.rows = 1, .cols = 5, .lo = -1, .hi = 1}},
};
