// SPDX-License-Identifier: MIT
// Muon: hidden weight matrices move along their orthogonalised momentum. See optim.h. A matrix is
// orthogonalised by products only (Newton and Schulz), which BLAS does fast; an exact factorisation
// would take far longer and gain nothing. All that is no hidden matrix is left to AdamW.

#include "engine/nn/blas.h"
#include "engine/optim/optim_row.h"

// Matrices: m = μ m + (1-μ) g;  u = (1-μ) g + μ m;  p *= 1 - lr λ;  p -= lr √max(1, rows/cols)
// O(u). The rest: AdamW with β .9/.95, ε 1e-10 and a rate of its own, which the schedule and groups
// scale alike.
enum { MUON_LR, MUON_MOMENTUM, MUON_DECAY, MUON_ADAM_LR };
enum { C_RATE, C_MOMENTUM, C_NEW, C_KEEP, C_ADAM_RATE, C_ADAM_SCALE, C_ADAM_KEEP }; // coefficients
static const double beta1 = .9, beta2 = .95, eps = 1e-10;

static void muon_prepare(const double *value, uint64_t k, double lr, double *run, double *coef)
{
    (void)run;
    double adam_lr = value[MUON_LR] > 0 ? value[MUON_ADAM_LR] * (lr / value[MUON_LR]) : 0;
    coef[C_RATE] = lr;
    coef[C_MOMENTUM] = value[MUON_MOMENTUM];
    coef[C_NEW] = 1 - value[MUON_MOMENTUM];
    coef[C_KEEP] = 1 - lr * value[MUON_DECAY];
    coef[C_ADAM_RATE] = adam_lr / (1 - pow(beta1, (double)k));
    coef[C_ADAM_SCALE] = 1 / sqrt(1 - pow(beta2, (double)k));
    coef[C_ADAM_KEEP] = 1 - adam_lr * value[MUON_DECAY];
}

KERNEL static void muon_step(const struct optim_span *s)
{
    COEFS(c, s);
    const real b1 = (real)beta1, a1 = (real)(1 - beta1), b2 = (real)beta2, a2 = (real)(1 - beta2),
               least = (real)eps;
    real *p = s->p, *m = s->state[0], *v = s->state[1];
    const real *g = s->g, clip = s->clip;
    LANES for (size_t i = 0; i < s->n; i++)
    {
        real d = g[i] * clip;
        m[i] = b1 * m[i] + a1 * d;
        v[i] = b2 * v[i] + a2 * d * d;
        p[i] =
            p[i] * c[C_ADAM_KEEP] - c[C_ADAM_RATE] * m[i] / (sqrt(v[i]) * c[C_ADAM_SCALE] + least);
    }
}

// u into x; its Euclidean norm. Scaled by the largest part, whose square may be out of range.
KERNEL static double momentum(const struct optim_span *s, real *x)
{
    COEFS(c, s);
    real *m = s->state[0], most = 0;
    double sum = 0;
    for (size_t i = 0; i < s->n && !halt_due(s->halt, i); i++) {
        real d = s->g[i] * s->clip;
        m[i] = c[C_MOMENTUM] * m[i] + c[C_NEW] * d;
        x[i] = c[C_NEW] * d + c[C_MOMENTUM] * m[i];
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    }
    for (size_t i = 0; i < s->n && most > 0 && !halt_due(s->halt, i); i++)
        sum += (double)(x[i] / most) * (double)(x[i] / most);
    return (double)most * sqrt(sum);
}

KERNEL static void scale(real *x, real factor, size_t n, const struct halt *halt)
{
    for (size_t at = 0; at < n && !halt_asked(halt); at += HALT_EVERY) {
        size_t end = n - at < HALT_EVERY ? n : at + HALT_EVERY;
        LANES for (size_t i = at; i < end; i++) x[i] *= factor;
    }
}

// y = a y + b x
KERNEL static void blend(real *y, real a, const real *x, real b, size_t n, const struct halt *halt)
{
    for (size_t at = 0; at < n && !halt_asked(halt); at += HALT_EVERY) {
        size_t end = n - at < HALT_EVERY ? n : at + HALT_EVERY;
        LANES for (size_t i = at; i < end; i++) y[i] = a * y[i] + b * x[i];
    }
}

// Newton and Schulz: singular values of x, at most 1, come to about 1 in five rounds of
// A = X Xᵀ;  X = 3.4445 X + (2.0315 A² - 4.7750 A) X, from the right where x is tall.
static void orthogonalise(real *x, size_t rows, size_t cols, real *scratch, const struct halt *halt)
{
    bool tall = rows > cols;
    size_t n = rows * cols, side = tall ? cols : rows;
    struct mat mx = {x, cols}, my = {scratch, cols}, ma = {scratch + n, side},
               mb = {scratch + n + side * side, side};
    for (int round = 0; round < 5 && !halt_asked(halt); round++) {
        gemm_in_blocks(tall ? GEMM_TN : GEMM_NT, side, side, tall ? rows : cols, mx, mx, ma, halt);
        gemm_in_blocks(GEMM_NN, side, side, side, ma, ma, mb, halt);
        blend(mb.v, (real)2.0315, ma.v, (real)-4.7750, side * side, halt);
        gemm_in_blocks(GEMM_NN, rows, cols, side, tall ? mx : mb, tall ? mb : mx, my, halt);
        blend(x, (real)3.4445, my.v, 1, n, halt);
    }
}

static void muon_matrix(const struct optim_span *s)
{
    real *x = s->scratch;
    double tall = (double)s->rows / s->cols, stretch = sqrt(tall > 1 ? tall : 1);
    scale(x, (real)(1 / (momentum(s, x) + 1e-7)), s->n, s->halt);
    orthogonalise(x, s->rows, s->cols, x + s->n, s->halt);
    blend(s->p, s->coef[C_KEEP], x, -s->coef[C_RATE] * (real)stretch, s->n, s->halt);
}

const struct optim optim_muon = {
    .row =
        {.name = "muon",
         .doc =
             "Orthogonalized momentum for hidden weight matrices, AdamW for all other parameters.",
         .hyper = {HYPER_LR(.02),
                   HYPER_MOMENTUM(.95),
                   HYPER_DECAY(0),
                   {.name = "adam_lr",
                    .doc = "Learning rate of all other parameters; scheduled like lr.",
                    .def = {3e-4},
                    .min = 0,
                    .max = 1e6}}},
    .slot = {"optimizer.exp_avg", "optimizer.exp_avg_sq"},
    .slots = slots_2,
    .prepare = muon_prepare,
    .step = muon_step,
    .matrix = muon_matrix,
    .scratch = 4,
};
