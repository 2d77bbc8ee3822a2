// SPDX-License-Identifier: MIT
// Batch renormalisation (Ioffe 2017, "Batch Renormalization", algorithm 1): batch norm whose values
// in training are those of the running statistics, as far as these can be trusted, so that what is
// learnt is what serves; small batches and batches that differ from each other gain by it.
//
// r and d lead from the batch's statistics to the running ones and count as constants for
// gradients; they are bounded, for the running ones lag behind. Where there are no running
// statistics (a variance of 0) they are 1 and 0, which is batch norm.

#include "engine/nn/ops_norm.h"

#include "engine/base/vmath.h"

enum { R_MAX = EPS + 1, D_MAX }; // hyperparameters
enum { MEAN, SCALE, HAT_SUM, SUM, R, D, SAVED };

static size_t renorm_save(const struct buf *in)
{
    return SAVED * (size_t)in[X].cols;
}

static real clamp(real x, real lo, real hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

// r = σ_B / σ within [1/r_max, r_max], d = (μ_B - μ) / σ within ±d_max; sq is Σ (x - μ_B)².
static void correct(const struct step *s, struct tile t, const real *mean, real *scale, real *r,
                    real *d)
{
    const real *running_mean = s->in[RUNNING_MEAN].v, *running_var = s->in[RUNNING_VAR].v;
    real n = (real)(t.r1 - t.r0), eps = (real)s->value[EPS];
    real r_max = (real)s->value[R_MAX], d_max = (real)s->value[D_MAX];
    for (size_t c = t.c0; c < t.c1; c++) {
        real std = sqrt(scale[c] / n + eps), running = sqrt(running_var[c] + eps);
        bool known = running_var[c] > 0;
        r[c] = known ? clamp(std / running, 1 / r_max, r_max) : 1;
        d[c] = known ? clamp((mean[c] - running_mean[c]) / running, -d_max, d_max) : 0;
    }
}

// x̂ = (x - μ_B)/σ_B,  y = γ (x̂ r + d) + β
KERNEL static void batch_renorm_forward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    real n = (real)(t.r1 - t.r0), *mean = s->save + MEAN * cols, *scale = s->save + SCALE * cols;
    real *r = s->save + R * cols, *d = s->save + D * cols;
    const real *x = s->in[X].v, *weight = s->in[WEIGHT].v, *bias = s->in[BIAS].v;
    batch_sums(x, cols, t, mean);
    for (size_t c = t.c0; c < t.c1; c++)
        mean[c] /= n;
    batch_squares(x, cols, t, mean, scale);
    correct(s, t, mean, scale, r, d);
    batch_track(s, t, mean, scale);
    for (size_t c = t.c0; c < t.c1; c++)
        scale[c] = 1 / sqrt(scale[c] / n + (real)s->value[EPS]);
    for (size_t i = t.r0; i < t.r1; i++)
        LANES for (size_t c = t.c0; c < t.c1; c++) s->out.v[i * cols + c] =
            weight[c] * ((x[i * cols + c] - mean[c]) * scale[c] * r[c] + d[c]) + bias[c];
}

// dγ = Σ dy (x̂ r + d),  dβ = Σ dy,  dx = γ r/σ_B (dy - Σ dy/n - x̂ Σ dy x̂/n)
KERNEL static void batch_renorm_backward(const struct step *s, struct tile t)
{
    size_t cols = s->out.cols;
    real n = (real)(t.r1 - t.r0);
    const real *mean = s->save + MEAN * cols, *scale = s->save + SCALE * cols;
    const real *r = s->save + R * cols, *d = s->save + D * cols;
    const real *x = s->in[X].v, *dy = s->out.d, *weight = s->in[WEIGHT].v;
    real *hat_sum = s->save + HAT_SUM * cols, *sum = s->save + SUM * cols;
    real *dx = s->in[X].d, *dweight = s->in[WEIGHT].d, *dbias = s->in[BIAS].d;
    batch_sums(dy, cols, t, sum);
    for (size_t c = t.c0; c < t.c1; c++)
        hat_sum[c] = 0;
    for (size_t i = t.r0; i < t.r1; i++)
        LANES for (size_t c = t.c0; c < t.c1; c++) hat_sum[c] +=
            dy[i * cols + c] * ((x[i * cols + c] - mean[c]) * scale[c]);
    for (size_t c = t.c0; c < t.c1; c++) {
        real own = r[c] * hat_sum[c] + d[c] * sum[c];
        dweight[c] = s->add[WEIGHT] ? dweight[c] + own : own;
        dbias[c] = s->add[BIAS] ? dbias[c] + sum[c] : sum[c];
    }
    for (size_t i = t.r0; dx && i < t.r1; i++)
        LANES for (size_t c = t.c0; c < t.c1; c++)
        {
            real hat = (x[i * cols + c] - mean[c]) * scale[c];
            real own = weight[c] * r[c] * scale[c] *
                       (dy[i * cols + c] - sum[c] / n - hat * (hat_sum[c] / n));
            dx[i * cols + c] = s->add[X] ? dx[i * cols + c] + own : own;
        }
}

// The samples' running statistics are so far off that r and d are at their bounds: constants for
// differences, too.
const struct op op_batch_renorm = {
    .row = {.name = "batch_renorm",
            .doc = "Batch renormalization: batch norm that trains on the running statistics, for "
                   "small batches.",
            .no_fixture = "PyTorch has no batch renormalization",
            .hyper = {BATCH_HYPERS,
                      {.name = "r_max",
                       .doc = "Largest correction of a batch's standard deviation; 1: none.",
                       .def = {3},
                       .min = 1,
                       .max = 100},
                      {.name = "d_max",
                       .doc =
                           "Largest correction of a batch's mean, in standard deviations; 0: none.",
                       .def = {5},
                       .min = 0,
                       .max = 100}}},
    BATCH_MEMBERS,
    .save = renorm_save,
    .serve = &op_batch_fixed,
    .forward = batch_renorm_forward,
    .backward = batch_renorm_backward,
    .probe = {{.cols = 5, .lo = -2, .hi = 2},
              {.rows = 1, .cols = 5, .lo = .5, .hi = 2},
              {.rows = 1, .cols = 5, .lo = -1, .hi = 1},
              {.rows = 1, .cols = 5, .lo = 20, .hi = 30},
              {.rows = 1, .cols = 5, .lo = 1e-6, .hi = 2e-6}},
};
const struct norm norm_batch_renorm = {
    .op = &op_batch_renorm,
    .new_share = batch_new_share,
};
