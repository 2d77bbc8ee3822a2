// SPDX-License-Identifier: MIT
// Mixup and CutMix: see mix.h. Both draw once for a batch, from the step's number and the seed, so
// a run can be repeated; the shares come from a beta distribution, by way of two gammas in
// logarithms, which do not vanish for small parameters.

#include "engine/train/mix.h"

#include "engine/base/rng.h"

#include <math.h>

enum mix_draw { CHANCE, PARTNERS, SHARE, COLUMNS };

static uint64_t mix_key(const struct mixer *m, uint64_t step, enum mix_draw what)
{
    return rng_key(m->seed, RNG_MIX, step, what);
}

bool mixer_init(struct mixer *m, const struct train_spec *s, uint32_t batch, uint32_t n_in,
                struct run_state *run, struct err *e)
{
    *m = (struct mixer){
        .mixup = s->mixup, .cutmix = s->cutmix, .seed = s->seed, .n_in = n_in, .share = 1};
    if (!mix_wanted(s))
        return true;
    STATE_SCRATCH(run, "mixer.partners", m->partner, batch);
    STATE_SCRATCH(run, "mixer.columns", m->column, n_in);
    return run_state_granted(run) ||
           fail(e, ERR_TOO_LARGE,
                "mixing rows needs more memory than a job may use; use a smaller batch");
}

// (0, 1]: its logarithm is finite
static double unit(uint64_t key, uint64_t cell)
{
    return 1 - rng_unit(key, cell);
}

// log of a draw from Gamma(a, 1), a >= 1 (Marsaglia and Tsang): with d = a - 1/3, c = 1/√(9 d) and
// v = (1 + c x)³ for a normal x, d v is accepted when log u < x²/2 + d - d v + d log v
static double log_gamma_from_1(uint64_t key, double a)
{
    double d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
    uint64_t normal = rng_key(key, RNG_MIX, 0, 0), uniform = rng_key(key, RNG_MIX, 0, 1);
    for (uint64_t i = 0;; i++) {
        double x = rng_normal(normal, i), v = pow(1 + c * x, 3);
        if (v > 0 && log(unit(uniform, i)) < x * x / 2 + d - d * v + d * log(v))
            return log(d * v);
    }
}

// Gamma(a) = Gamma(a + 1) u^(1/a), in logarithms since for small a it is smaller than any number
static double log_gamma(uint64_t key, double a)
{
    if (a >= 1)
        return log_gamma_from_1(key, a);
    return log_gamma_from_1(key, a + 1) + log(unit(rng_key(key, RNG_MIX, 0, 2), 0)) / a;
}

// g1 / (g1 + g2)
double mix_beta(uint64_t key, double a)
{
    double g1 = log_gamma(rng_key(key, RNG_MIX, 1, 0), a);
    double g2 = log_gamma(rng_key(key, RNG_MIX, 2, 0), a);
    return 1 / (1 + exp(g2 - g1));
}

// The first n of a random order of the columns.
static void draw_columns(struct mixer *m, uint64_t key, uint32_t n)
{
    for (uint32_t c = 0; c < m->n_in; c++)
        m->column[c] = c;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = i + (uint32_t)rng_below(key, i, m->n_in - i), keep = m->column[i];
        m->column[i] = m->column[j];
        m->column[j] = keep;
    }
    m->n_column = n;
}

// m = max(1, ⌊d λ⌋) columns with λ ~ U(0, 1), their share of the loss to the partner
static void draw_cut(struct mixer *m, uint64_t step)
{
    m->share = 1;
    if (rng_unit(mix_key(m, step, CHANCE), 0) >= m->cutmix)
        return;
    uint32_t n = (uint32_t)(m->n_in * rng_unit(mix_key(m, step, SHARE), 0));
    draw_columns(m, mix_key(m, step, COLUMNS), n ? n : 1);
    m->share = 1 - (double)m->n_column / m->n_in;
}

void mixer_draw(struct mixer *m, uint64_t step, uint32_t rows)
{
    if (!m->partner)
        return;
    for (uint32_t i = 0; i < rows; i++)
        m->partner[i] = i;
    rng_shuffle(mix_key(m, step, PARTNERS), m->partner, rows, NULL);
    if (m->cutmix > 0)
        draw_cut(m, step);
    else
        m->share = mix_beta(mix_key(m, step, SHARE), m->mixup);
}

void mix_row(const struct mixer *m, real *x, const real *other)
{
    real share = (real)m->share;
    for (uint32_t i = 0; m->cutmix > 0 && m->share < 1 && i < m->n_column; i++)
        x[m->column[i]] = other[m->column[i]];
    for (uint32_t c = 0; m->mixup > 0 && c < m->n_in; c++)
        x[c] = share * x[c] + (1 - share) * other[c];
}
