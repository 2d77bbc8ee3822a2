// SPDX-License-Identifier: MIT
// Work on weights is cut into pieces of whole rows, work on all gradients into spans; both depend
// on shapes only.

#include "engine/optim/regularize.h"

#include "engine/base/rng.h"
#include "engine/base/sum.h"
#include "engine/base/vmath.h"

#include <float.h>

enum { SPAN = 16384, SUMS = 16 };

static uint32_t rows_of_piece(const struct model_param *p)
{
    return p->cols < SPAN ? SPAN / p->cols : 1;
}

static bool is_weight(const struct model_param *p)
{
    return p->trained && !p->vector;
}

static size_t count_pieces(const struct model *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_param; i++)
        if (is_weight(&m->param[i]))
            n += (m->param[i].rows - 1) / rows_of_piece(&m->param[i]) + 1;
    return n;
}

static void regularize_cut(struct regularizer *r, const struct model *m,
                           const struct model_param *p)
{
    uint32_t most = rows_of_piece(p);
    for (uint32_t row = 0; row < p->rows; row += most) {
        size_t at = p->at + (size_t)row * p->cols;
        r->piece[r->n_piece++] =
            (struct weight_rows){.w = m->value + at,
                                 .g = r->grad + at,
                                 .rows = p->rows - row < most ? p->rows - row : most,
                                 .cols = p->cols,
                                 .hidden = !p->output};
    }
}

static void cut_all(struct regularizer *r, const struct model *m)
{
    for (size_t i = 0; i < m->n_param; i++)
        if (is_weight(&m->param[i]))
            regularize_cut(r, m, &m->param[i]);
}

bool regularizer_init(struct regularizer *r, const struct model *m, const struct regularization *s,
                      uint64_t seed, real *grad, struct run_state *run, struct err *e)
{
    size_t most = count_pieces(m);
    *r = (struct regularizer){.spec = s, .seed = seed, .grad = grad, .n = m->n_trained};
    STATE_SCRATCH(run, "regularizer.pieces", r->piece, most);
    STATE_SCRATCH(run, "regularizer.penalties", r->penalty, most);
    if (!run_state_granted(run))
        return fail(e, ERR_TOO_LARGE, "the network has too many layers for the memory allowed");
    if (!run_state_sizing(run))
        cut_all(r, m);
    return true;
}

// dg = l1 sign(w) + l2 w; the penalty l1 Σ|w| + l2/2 Σ w² in running sums of fixed order
KERNEL static double penalize(real *g, const real *w, size_t n, real l1, real l2)
{
    real sum[SUMS] = {0};
    size_t i = 0;
    for (; i + SUMS <= n; i += SUMS)
        for (size_t k = 0; k < SUMS; k++) {
            real v = w[i + k];
            g[i + k] += l1 * (real)((v > 0) - (v < 0)) + l2 * v;
            sum[k] += l1 * fabs(v) + l2 / 2 * v * v;
        }
    double total = 0;
    for (; i < n; i++) {
        g[i] += l1 * (real)((w[i] > 0) - (w[i] < 0)) + l2 * w[i];
        total += (double)(l1 * fabs(w[i]) + l2 / 2 * w[i] * w[i]);
    }
    for (size_t k = 0; k < SUMS; k++)
        total += (double)sum[k];
    return total;
}

static void penalize_piece(void *arg, uint32_t i)
{
    struct regularizer *r = arg;
    const struct weight_rows *p = &r->piece[i];
    r->penalty[i] =
        penalize(p->g, p->w, (size_t)p->rows * p->cols, (real)r->spec->l1, (real)r->spec->l2);
}

static real *span_of(const struct regularizer *r, uint32_t i, size_t *n)
{
    size_t at = (size_t)i * SPAN;
    *n = r->n - at < SPAN ? r->n - at : SPAN;
    return r->grad + at;
}

static uint32_t regularize_spans(const struct regularizer *r)
{
    return (uint32_t)((r->n + SPAN - 1) / SPAN);
}

// Written so that NaN stays NaN.
KERNEL static void limit(real *g, size_t n, real most)
{
    LANES for (size_t i = 0; i < n; i++) g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i];
}

static void limit_span(void *arg, uint32_t i)
{
    struct regularizer *r = arg;
    size_t n;
    real *g = span_of(r, i, &n);
    limit(g, n, (real)r->spec->clip_value);
}

double regularize_gradient(struct regularizer *r, const struct exec *x)
{
    double penalty = 0;
    bool penalized = r->spec->l1 > 0 || r->spec->l2 > 0;
    if (penalized)
        exec_run(x, r->n_piece, penalize_piece, r);
    for (uint32_t i = 0; penalized && i < r->n_piece; i++)
        penalty += r->penalty[i];
    if (r->spec->clip_value > 0)
        exec_run(x, regularize_spans(r), limit_span, r);
    return penalty;
}

static void finish_span(void *arg, uint32_t i)
{
    struct regularizer *r = arg;
    size_t n, at = (size_t)i * SPAN;
    real *g = span_of(r, i, &n);
    uint64_t key = rng_key(r->seed, RNG_GRADIENT, r->step, 0);
    double sigma = r->spec->gradient_noise * pow(1 + (double)r->step, -.55);
    for (size_t k = 0; k < n; k++)
        g[k] *= r->clip;
    for (size_t k = 0; sigma > 0 && k < n; k++)
        g[k] += (real)(sigma * rng_normal(key, at + k));
}

void regularize_finish(struct regularizer *r, uint64_t step, double clip, const struct exec *x)
{
    r->step = step;
    r->clip = (real)clip;
    exec_run(x, regularize_spans(r), finish_span, r);
}

// A hair shorter than the bound, so that rounding cannot lead past it.
static void shorten(real *w, size_t n, double most)
{
    double hair = 4 * (sizeof(real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON);
    double norm = sqrt(sum_squares(w, n));
    if (norm <= most * (1 - hair))
        return;
    real scale = (real)(most / norm * (1 - hair));
    for (size_t i = 0; i < n; i++)
        w[i] *= scale;
}

static void shorten_piece(void *arg, uint32_t i)
{
    struct regularizer *r = arg;
    const struct weight_rows *p = &r->piece[i];
    for (size_t row = 0; p->hidden && row < p->rows; row++)
        shorten(p->w + row * p->cols, p->cols, r->spec->max_norm);
}

void regularize_weights(struct regularizer *r, const struct exec *x)
{
    if (r->spec->max_norm > 0)
        exec_run(x, r->n_piece, shorten_piece, r);
}
