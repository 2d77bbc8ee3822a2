// SPDX-License-Identifier: MIT
// Batch normalisation: over the batch in training, with the running statistics afterwards (two ops,
// so that no kernel asks which of the two it is in).
//
// Working on whole columns keeps the sums' order fixed, and lets the op share tiles with the linear
// layer in front and the activation behind.

#include "engine/nn/ops_norm.h"

#include "engine/base/vmath.h"

#include <string.h>

// What the two rows share: inputs, parameters, hyperparameters, samples.
#define BATCH_ROW(title, text)                                                                     \
    .row = {.name = title, .doc = text, .torch = "torch.nn.BatchNorm1d", .hyper = {BATCH_HYPERS}}, \
    BATCH_MEMBERS, .save = batch_save,                                                             \
    .probe = {{.cols = 5, .lo = -2, .hi = 2},                                                      \
              {.rows = 1, .cols = 5, .lo = .5, .hi = 2},                                           \
              {.rows = 1, .cols = 5, .lo = -1, .hi = 1},                                           \
              {.rows = 1, .cols = 5, .lo = -1, .hi = 1},                                           \
              {.rows = 1, .cols = 5, .lo = .5, .hi = 2}}

static size_t batch_save(const struct buf *in)
{
    return 4 * (size_t)in[X].cols; // mean, 1/std, and backward's Σ dy x̂, Σ dy
}

KERNEL void batch_sums(const real *x, size_t cols, struct tile t, real *out)
{
    memset(out + t.c0, 0, (t.c1 - t.c0) * sizeof *out);
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++) out[c] += x[r * cols + c];
}

KERNEL void batch_squares(const real *x, size_t cols, struct tile t, const real *mean, real *out)
{
    memset(out + t.c0, 0, (t.c1 - t.c0) * sizeof *out);
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++)
        {
            real d = x[r * cols + c] - mean[c];
            out[c] += d * d;
        }
}

void batch_track(const struct step *s, struct tile t, const real *mean, const real *square_sum)
{
    real m = (real)s->value[MOMENTUM], n = (real)(t.r1 - t.r0);
    real *running_mean = s->in[RUNNING_MEAN].v, *running_var = s->in[RUNNING_VAR].v;
    for (size_t c = t.c0; c < t.c1; c++) {
        running_mean[c] += m * (mean[c] - running_mean[c]);
        running_var[c] += m * (square_sum[c] / (n > 1 ? n - 1 : 1) - running_var[c]);
    }
}

// y = γ (x - μ) s + β, s = 1/√(σ² + ε) in the step's memory
KERNEL static void affine_forward(const struct step *s, struct tile t, const real *mean)
{
    size_t cols = s->out.cols;
    const real *x = s->in[X].v, *weight = s->in[WEIGHT].v, *bias = s->in[BIAS].v;
    const real *scale = s->save + cols;
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++) s->out.v[r * cols + c] =
            weight[c] * ((x[r * cols + c] - mean[c]) * scale[c]) + bias[c];
}

// μ and σ² (biased) of this batch
KERNEL static void batch_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    real n = (real)(t.r1 - t.r0), *mean = s->save, *scale = s->save + cols;
    const real *x = s->in[X].v;
    batch_sums(x, cols, t, mean);
    for (size_t c = t.c0; c < t.c1; c++)
        mean[c] /= n;
    batch_squares(x, cols, t, mean, scale);
    batch_track(s, t, mean, scale);
    for (size_t c = t.c0; c < t.c1; c++)
        scale[c] = 1 / sqrt(scale[c] / n + (real)s->value[EPS]);
    affine_forward(s, t, mean);
}

// Σ dy x̂ and Σ dy of the tile's columns, into the step's memory and from there to dγ and dβ;
// x̂ = (x - μ)/√(σ² + ε)
KERNEL static void affine_backward(const struct step *s, struct tile t, const real *mean)
{
    size_t cols = s->out.cols;
    const real *x = s->in[X].v, *dy = s->out.d, *scale = s->save + cols;
    real *sum_hat = s->save + 2 * cols, *sum = s->save + 3 * cols;
    real *dweight = s->in[WEIGHT].d, *dbias = s->in[BIAS].d;
    batch_sums(dy, cols, t, sum);
    memset(sum_hat + t.c0, 0, (t.c1 - t.c0) * sizeof *sum_hat);
    for (size_t r = t.r0; r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++) sum_hat[c] +=
            dy[r * cols + c] * ((x[r * cols + c] - mean[c]) * scale[c]);
    for (size_t c = t.c0; c < t.c1; c++) {
        dweight[c] = s->add[WEIGHT] ? dweight[c] + sum_hat[c] : sum_hat[c];
        dbias[c] = s->add[BIAS] ? dbias[c] + sum[c] : sum[c];
    }
}

// dγ = Σ dy x̂,  dβ = Σ dy,  dx = γ/√(σ² + ε) (dy - dβ/n - x̂ dγ/n)
KERNEL static void batch_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    real n = (real)(t.r1 - t.r0);
    const real *mean = s->save, *scale = s->save + cols;
    const real *sum_hat = s->save + 2 * cols, *sum = s->save + 3 * cols;
    const real *x = s->in[X].v, *dy = s->out.d, *weight = s->in[WEIGHT].v;
    real *dx = s->in[X].d;
    affine_backward(s, t, mean);
    for (size_t r = t.r0; dx && r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++)
        {
            real hat = (x[r * cols + c] - mean[c]) * scale[c];
            real d =
                weight[c] * scale[c] * (dy[r * cols + c] - sum[c] / n - hat * (sum_hat[c] / n));
            dx[r * cols + c] = s->add[X] ? dx[r * cols + c] + d : d;
        }
}

double batch_new_share(const double *value)
{
    return value[MOMENTUM];
}

const struct op op_batch = {
    BATCH_ROW("batch", "Batch normalization, with running statistics for prediction."),
    .serve = &op_batch_fixed,
    .forward = batch_forward,
    .backward = batch_backward,
};
const struct norm norm_batch = {
    .op = &op_batch,
    .new_share = batch_new_share,
};

// μ and σ² as they were learnt
KERNEL static void batch_fixed_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    const real *mean = s->in[RUNNING_MEAN].v, *var = s->in[RUNNING_VAR].v;
    real eps = (real)s->value[EPS], *scale = s->save + cols;
    for (size_t c = t.c0; c < t.c1; c++)
        scale[c] = 1 / sqrt(var[c] + eps);
    affine_forward(s, t, mean);
}

// The statistics are constants here: dx = γ/√(σ² + ε) dy
KERNEL static void batch_fixed_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    const real *dy = s->out.d, *weight = s->in[WEIGHT].v, *scale = s->save + cols;
    real *dx = s->in[X].d;
    affine_backward(s, t, s->in[RUNNING_MEAN].v);
    for (size_t r = t.r0; dx && r < t.r1; r++)
        LANES for (size_t c = t.c0; c < t.c1; c++)
        {
            real d = weight[c] * scale[c] * dy[r * cols + c];
            dx[r * cols + c] = s->add[X] ? dx[r * cols + c] + d : d;
        }
}

const struct op op_batch_fixed = {
    BATCH_ROW("batch_fixed", "Batch normalization with the running statistics."),
    .forward = batch_fixed_forward,
    .backward = batch_fixed_backward,
};
