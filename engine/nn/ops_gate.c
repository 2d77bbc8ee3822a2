// SPDX-License-Identifier: MIT
// Activations that make one number of several: gated linear units, a f(b) with a the first half of
// a row and b the second, and maxout. The layer's units are the numbers in front of them.

#include "engine/nn/ops_cell.h"

static uint32_t half_width(const double *k UNUSED, uint32_t cols)
{
    return cols / 2;
}

static const char *odd_width(const double *k UNUSED, uint32_t cols)
{
    return cols % 2 ? "the number of units must be even: half of them gate the other half" : NULL;
}

// y = a f(b)             da = dy f(b)        db = dy a f'(b)
#define GATE_KERNELS(name, f)                                                                      \
    KERNEL static void name##_forward(const struct step *s, struct tile t)                         \
    {                                                                                              \
        size_t n = s->out.cols;                                                                    \
        for (size_t r = t.r0; r < t.r1; r++) {                                                     \
            const real *a = s->in[0].v + r * 2 * n, *b = a + n;                                    \
            real *y = s->out.v + r * n;                                                            \
            LANES for (size_t c = 0; c < n; c++) y[c] = a[c] * f##_of(b[c]);                       \
        }                                                                                          \
    }                                                                                              \
    KERNEL static void name##_backward(const struct step *s, struct tile t)                        \
    {                                                                                              \
        size_t n = s->out.cols;                                                                    \
        for (size_t r = t.r0; r < t.r1; r++) {                                                     \
            const real *a = s->in[0].v + r * 2 * n, *b = a + n, *dy = s->out.d + r * n;            \
            real *da = s->in[0].d + r * 2 * n, *db = da + n;                                       \
            LANES for (size_t c = 0; c < n; c++) da[c] =                                           \
                (s->add[0] ? da[c] : 0) + dy[c] * f##_of(b[c]);                                    \
            LANES for (size_t c = 0; c < n; c++) db[c] =                                           \
                (s->add[0] ? db[c] : 0) + dy[c] * a[c] * f##_slope_of(b[c]);                       \
        }                                                                                          \
    }

#define GATE(name)                                                                                 \
    .span = SPAN_ROW, .arity = 1, .reads_in = true, .width = half_width, .misfit = odd_width,      \
    .forward = name##_forward, .backward = name##_backward,                                        \
    .probe = {{.cols = 6, .lo = -2, .hi = 2}}

GATE_KERNELS(glu, sigmoid)

const struct op op_glu = {
    GATE(glu),
    .row = {.name = "glu",
            .doc = "Gated linear unit: one half of the units times the sigmoid of the other half.",
            .torch = "torch.nn.GLU"},
};
const struct activation activation_glu = {.op = &op_glu};

GATE_KERNELS(swiglu, silu)

const struct op op_swiglu = {
    GATE(swiglu),
    .row = {.name = "swiglu", .doc = "One half of the units times SiLU of the other half."},
};
const struct activation activation_swiglu = {.op = &op_swiglu};

GATE_KERNELS(geglu, gelu)

const struct op op_geglu = {
    GATE(geglu),
    .row = {.name = "geglu", .doc = "One half of the units times GELU of the other half."},
};
const struct activation activation_geglu = {.op = &op_geglu};

GATE_KERNELS(reglu, relu)

const struct op op_reglu = {
    GATE(reglu),
    .row = {.name = "reglu", .doc = "One half of the units times ReLU of the other half."},
};
const struct activation activation_reglu = {
    .op = &op_reglu,
    .dies = true,
};

static uint32_t maxout_width(const double *k, uint32_t cols)
{
    return cols / (uint32_t)k[0];
}

static const char *maxout_misfit(const double *k, uint32_t cols)
{
    return cols % (uint32_t)k[0] ? "pieces must divide the number of units" : NULL;
}

// Which of n pieces, `apart` from each other, is largest: the first of equals. NaN is larger than
// all.
INLINE size_t largest(const real *x, size_t n, size_t apart)
{
    size_t at = 0;
    for (size_t p = 1; p < n; p++)
        if (x[p * apart] > x[at * apart] || x[p * apart] != x[p * apart])
            at = p;
    return at;
}

// y_c = max_p x_(p out + c)
static void maxout_forward(const struct step *s, struct tile t)
{
    size_t out = s->out.cols, pieces = s->in[0].cols / out;
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t c = 0; c < out; c++) {
            const real *x = s->in[0].v + r * s->in[0].cols + c;
            s->out.v[r * out + c] = x[largest(x, pieces, out) * out];
        }
}

// The largest gets it all.
static void maxout_backward(const struct step *s, struct tile t)
{
    size_t out = s->out.cols, in = s->in[0].cols, pieces = in / out;
    for (size_t r = t.r0; r < t.r1; r++)
        for (size_t c = 0; c < out; c++) {
            size_t at = largest(s->in[0].v + r * in + c, pieces, out);
            real *dx = s->in[0].d + r * in + c;
            for (size_t p = 0; p < pieces; p++)
                dx[p * out] = (s->add[0] ? dx[p * out] : 0) + (p == at ? s->out.d[r * out + c] : 0);
        }
}

const struct op op_maxout = {
    .row = {.name = "maxout",
            .doc = "Maximum of each group of units: a learned convex function.",
            .hyper = {{.name = "pieces",
                       .doc = "Units per group; must divide the number of units.",
                       .type = HYPER_INT,
                       .def = {2},
                       .min = 2,
                       .max = 64}}},
    .span = SPAN_ROW,
    .arity = 1,
    .reads_in = true,
    .width = maxout_width,
    .misfit = maxout_misfit,
    .forward = maxout_forward,
    .backward = maxout_backward,
    .probe = {{.cols = 6, .lo = -2, .hi = 2}},
};
const struct activation activation_maxout = {.op = &op_maxout};
