// SPDX-License-Identifier: MIT
// Norms within a row: layer and group normalisation, RMS normalisation.
//
// x̂ = (x - μ) s, s = 1/√(mean (x - μ)² + ε) over each group of a row's columns, y = γ x̂ + β.
// Layer norm has one group; RMS norm has one, no μ and no β. μ and s of every group are kept for
// backward. That is two independent pieces of work: the input's gradient, by rows, and the
// parameters', whose blocks of columns each sum over the whole batch and so need no reduction
// afterwards.

#include "engine/base/vmath.h"
#include "engine/nn/role.h"

#include <string.h>

enum { X, WEIGHT, BIAS };         // inputs
enum { TO_INPUT, TO_PARAMETERS }; // parts of backward
enum { MOST_GROUPS = 256, SUM_LANES = 16 };

struct groups {
    size_t n, width; // groups of a row, columns of a group
    real eps;
    bool centred; // has μ and β
};

static uint32_t groups_of(uint32_t cols)
{
    return cols < MOST_GROUPS ? cols : MOST_GROUPS;
}

static size_t group_save(const struct buf *in)
{
    return 2 * (size_t)in[X].rows * groups_of(in[X].cols);
}

static size_t row_save(const struct buf *in)
{
    return 2 * (size_t)in[X].rows;
}

static void row_backward_tiles(const struct step *s, struct tiling *t)
{
    if (s->in[X].d)
        tiling_span(t, TO_INPUT, SPAN_ROW, s->in[X].rows, s->in[X].cols);
    tiling_span(t, TO_PARAMETERS, SPAN_COLUMN, s->in[X].rows, s->in[X].cols);
}

// Σ_c term for n columns: in lanes, so that the compiler may use vectors although it must keep the
// order of a sum. The order depends on n only.
#define ROW_SUM(name, term, ...)                                                                   \
    INLINE real name(size_t n, __VA_ARGS__)                                                        \
    {                                                                                              \
        real lane[SUM_LANES] = {0}, total = 0;                                                     \
        for (size_t at = 0; at < n; at += SUM_LANES) {                                             \
            size_t lanes = n - at < SUM_LANES ? n - at : SUM_LANES;                                \
            for (size_t l = 0; l < lanes; l++) {                                                   \
                size_t c = at + l;                                                                 \
                lane[l] += (term);                                                                 \
            }                                                                                      \
        }                                                                                          \
        for (size_t l = 0; l < SUM_LANES; l++)                                                     \
            total += lane[l];                                                                      \
        return total;                                                                              \
    }

// Where a group's values are measured from.
INLINE real origin(struct groups g, const real *x)
{
    return g.centred ? x[0] : 0;
}

ROW_SUM(sum_from, x[c] - from, const real *x, real from)
ROW_SUM(sum_squares, (x[c] - from - mean) * (x[c] - from - mean), const real *x, real from,
        real mean)
ROW_SUM(sum_products, a[c] * b[c], const real *a, const real *b)
ROW_SUM(sum_with_hat, a[c] * b[c] * ((x[c] - from - mean) * scale), const real *a, const real *b,
        const real *x, real from, real mean, real scale)

// One group of one row; `kept` receives μ and s.
INLINE void piece_forward(struct groups g, const real *x, const real *weight, const real *bias,
                          real *y, real *kept)
{
    real n = (real)g.width, from = origin(g, x);
    real mean = g.centred ? sum_from(g.width, x, from) / n : 0;
    real scale = 1 / sqrt(sum_squares(g.width, x, from, mean) / n + g.eps);
    kept[0] = mean;
    kept[1] = scale;
    if (g.centred)
        LANES for (size_t c = 0; c < g.width; c++) y[c] =
            weight[c] * ((x[c] - from - mean) * scale) + bias[c];
    else
        LANES for (size_t c = 0; c < g.width; c++) y[c] = weight[c] * (x[c] * scale);
}

INLINE void rows_forward(const struct step *s, struct tile t, struct groups g)
{
    const real *bias = g.centred ? s->in[BIAS].v : NULL;
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t i = 0; i < g.n; i++) {
            size_t c = i * g.width, at = r * s->out.cols + c;
            piece_forward(g, s->in[X].v + at, s->in[WEIGHT].v + c, bias ? bias + c : NULL,
                          s->out.v + at, s->save + 2 * (r * g.n + i));
        }
}

// dx = s (γ dy - mean(γ dy) - x̂ mean(γ dy x̂)); the first mean is μ's doing
INLINE void piece_backward(struct groups g, const real *x, const real *weight, const real *dy,
                           const real *kept, real *dx, bool add)
{
    real n = (real)g.width, from = origin(g, x), mean = kept[0], scale = kept[1];
    real along = sum_with_hat(g.width, weight, dy, x, from, mean, scale) / n;
    real shift = g.centred ? sum_products(g.width, weight, dy) / n : 0;
    LANES for (size_t c = 0; c < g.width; c++) dx[c] =
        (add ? dx[c] : 0) +
        scale * (weight[c] * dy[c] - shift - (x[c] - from - mean) * scale * along);
}

INLINE void rows_backward(const struct step *s, struct tile t, struct groups g)
{
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t i = 0; i < g.n; i++) {
            size_t c = i * g.width, at = r * s->out.cols + c;
            piece_backward(g, s->in[X].v + at, s->in[WEIGHT].v + c, s->out.d + at,
                           s->save + 2 * (r * g.n + i), s->in[X].d + at, s->add[X]);
        }
}

static void row_clear(const struct step *s, int input, struct tile t)
{
    if (!s->add[input])
        memset(s->in[input].d + t.c0, 0, (t.c1 - t.c0) * sizeof(real));
}

// dγ += Σ_rows dy x̂
INLINE void weight_backward(const struct step *s, struct tile t, struct groups g)
{
    size_t cols = s->out.cols;
    real *dw = s->in[WEIGHT].d;
    row_clear(s, WEIGHT, t);
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t i = t.c0 / g.width; i * g.width < t.c1; i++) {
            const real *kept = s->save + 2 * (r * g.n + i);
            const real *x = s->in[X].v + r * cols, *dy = s->out.d + r * cols;
            real from = origin(g, x + i * g.width);
            size_t begin = i * g.width > t.c0 ? i * g.width : t.c0;
            size_t end = (i + 1) * g.width < t.c1 ? (i + 1) * g.width : t.c1;
            LANES for (size_t c = begin; c < end; c++) dw[c] +=
                dy[c] * ((x[c] - from - kept[0]) * kept[1]);
        }
}

// dβ += Σ_rows dy
INLINE void bias_backward(const struct step *s, struct tile t)
{
    real *db = s->in[BIAS].d;
    row_clear(s, BIAS, t);
    for (size_t r = t.r0; r < t.r1; r++) {
        const real *dy = s->out.d + r * s->out.cols;
        LANES for (size_t c = t.c0; c < t.c1; c++) db[c] += dy[c];
    }
}

INLINE void part_backward(const struct step *s, struct tile t, struct groups g)
{
    if (t.part == TO_INPUT) {
        rows_backward(s, t, g);
        return;
    }
    weight_backward(s, t, g);
    if (g.centred)
        bias_backward(s, t);
}

#define ROW_NORM_KERNELS(name)                                                                     \
    KERNEL static void name##_forward(const struct step *s, struct tile t)                         \
    {                                                                                              \
        rows_forward(s, t, name##_groups(s));                                                      \
    }                                                                                              \
    KERNEL static void name##_backward(const struct step *s, struct tile t)                        \
    {                                                                                              \
        part_backward(s, t, name##_groups(s));                                                     \
    }

#define ROW_NORM(name)                                                                             \
    .span = SPAN_ROW, .reads_in = true, .backward_tiles = row_backward_tiles,                      \
    .forward = name##_forward, .backward = name##_backward

#define EPS(def_)                                                                                  \
    {                                                                                              \
        .name = "eps", .doc = "Added to the mean square.", .def = {def_}, .min = 1e-12, .max = 1   \
    }

static const char *single_unit(const double *k, uint32_t cols)
{
    (void)k;
    return cols > 1 ? NULL : "needs more than one unit: the mean of one is the unit itself";
}

INLINE struct groups layer_groups(const struct step *s)
{
    return (struct groups){1, s->out.cols, (real)s->value[0], true};
}
ROW_NORM_KERNELS(layer)

const struct op op_layer = {
    ROW_NORM(layer),
    .row = {.name = "layer",
            .doc = "Layer normalization: mean 0 and variance 1 over the units of a row.",
            .torch = "torch.nn.LayerNorm",
            .hyper = {EPS(1e-5)}},
    .arity = 3,
    .param = {{.name = "weight", .init = 1}, {.name = "bias", .init = 0}},
    .misfit = single_unit,
    .save = row_save,
    .probe = {{.cols = 6, .lo = -2, .hi = 2},
              {.rows = 1, .cols = 6, .lo = .5, .hi = 2},
              {.rows = 1, .cols = 6, .lo = -1, .hi = 1}},
};
const struct norm norm_layer = {.op = &op_layer};

INLINE struct groups rms_groups(const struct step *s)
{
    return (struct groups){1, s->out.cols, (real)s->value[0], false};
}
ROW_NORM_KERNELS(rms)

const struct op op_rms = {
    ROW_NORM(rms),
    .row = {.name = "rms",
            .doc = "RMS normalization: mean square 1 over the units of a row.",
            .hyper = {EPS(1e-6)}},
    .arity = 2,
    .param = {{.name = "weight", .init = 1}},
    .save = row_save,
    .probe = {{.cols = 6, .lo = -2, .hi = 2}, {.rows = 1, .cols = 6, .lo = .5, .hi = 2}},
};
const struct norm norm_rms = {.op = &op_rms};

enum { GROUPS, GROUP_EPS }; // hyperparameters of group norm

INLINE struct groups group_groups(const struct step *s)
{
    size_t n = (size_t)s->value[GROUPS];
    return (struct groups){n, s->out.cols / n, (real)s->value[GROUP_EPS], true};
}
ROW_NORM_KERNELS(group)

static const char *group_misfit(const double *k, uint32_t cols)
{
    uint32_t n = (uint32_t)k[GROUPS];
    if (cols % n)
        return "groups must divide the number of units";
    return cols > n ? NULL : "needs more than one unit a group: use fewer groups";
}

const struct op op_group = {
    ROW_NORM(group),
    .row = {.name = "group",
            .doc = "Group normalization: mean 0 and variance 1 over each group of a row's units.",
            .torch = "torch.nn.GroupNorm",
            .hyper = {{.name = "groups",
                       .doc = "Number of groups; must divide the number of units.",
                       .type = HYPER_INT,
                       .def = {4},
                       .min = 1,
                       .max = MOST_GROUPS},
                      EPS(1e-5)}},
    .arity = 3,
    .param = {{.name = "weight", .init = 1}, {.name = "bias", .init = 0}},
    .misfit = group_misfit,
    .save = group_save,
    .probe = {{.cols = 8, .lo = -2, .hi = 2},
              {.rows = 1, .cols = 8, .lo = .5, .hi = 2},
              {.rows = 1, .cols = 8, .lo = -1, .hi = 1}},
};
const struct norm norm_group = {.op = &op_group};
