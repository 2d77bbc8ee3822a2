// SPDX-License-Identifier: MIT
#pragma once

// What the files of activations share. An elementwise op is two inline functions, name_value(x, k)
// and name_slope(x, y, k) with y the value and k the hyperparameters; CELL_KERNELS makes the loops
// and CELL names them in a row. There are two hyperparameters at most; k is a copy, so that reading
// a hyperparameter on one side of a choice can be moved out of the loop. The loops may run in place
// (out.v = in.v, out.d = in.d), so value and slope read before anything is written.
//
// Which side of a kink an exact tie belongs to is as PyTorch has it, and every choice between two
// sides lets NaN through.

#include "engine/base/vmath.h"
#include "engine/nn/role.h"

#define CELL_KERNELS(name)                                                                         \
    KERNEL static void name##_forward(const struct step *s, struct tile t)                         \
    {                                                                                              \
        const double k[] = {s->value[0], s->value[1]};                                             \
        for (size_t r = t.r0; r < t.r1; r++) {                                                     \
            const real *x = s->in[0].v + r * s->in[0].cols;                                        \
            real *y = s->out.v + r * s->out.cols;                                                  \
            LANES for (size_t c = t.c0; c < t.c1; c++) y[c] = name##_value(x[c], k);               \
        }                                                                                          \
    }                                                                                              \
    KERNEL static void name##_backward(const struct step *s, struct tile t)                        \
    {                                                                                              \
        const double k[] = {s->value[0], s->value[1]};                                             \
        for (size_t r = t.r0; r < t.r1; r++) {                                                     \
            const real *x = s->in[0].v + r * s->in[0].cols;                                        \
            const real *y = s->out.v + r * s->out.cols, *dy = s->out.d + r * s->out.cols;          \
            real *dx = s->in[0].d + r * s->in[0].cols;                                             \
            if (s->add[0])                                                                         \
                LANES for (size_t c = t.c0; c < t.c1; c++) dx[c] +=                                \
                    dy[c] * name##_slope(x[c], y[c], k);                                           \
            else                                                                                   \
                LANES for (size_t c = t.c0; c < t.c1; c++) dx[c] =                                 \
                    dy[c] * name##_slope(x[c], y[c], k);                                           \
        }                                                                                          \
    }

#define CELL(name)                                                                                 \
    .in_place = true, .arity = 1, .forward = name##_forward, .backward = name##_backward

// Kaiming's gain of everything that is about 0 on one side and about x on the other.
static inline double gain_relu(const double *k UNUSED)
{
    return sqrt(2.0);
}

// Functions that gates share with the activations of their names.

INLINE real sigmoid_of(real x)
{
    return 1 / (1 + exp(-x));
}

// e^-|x| / (1 + e^-|x|)², which unlike y (1 - y) does not cancel for large x
INLINE real sigmoid_slope_of(real x)
{
    real e = exp(-fabs(x));
    return e / ((1 + e) * (1 + e));
}

INLINE real relu_of(real x)
{
    return x < 0 ? 0 : x;
}

INLINE real relu_slope_of(real x)
{
    return x > 0;
}

INLINE real silu_of(real x)
{
    return x / (1 + exp(-x));
}

INLINE real silu_slope_of(real x)
{
    return sigmoid_of(x) + x * sigmoid_slope_of(x);
}

// x Φ(x) = x/2 erfc(-x/√2): erfc, because 1 + erf cancels in the left tail
INLINE real gelu_of(real x)
{
    return (real).5 * x * erfc(x * (real)-M_SQRT1_2);
}

// Φ(x) + x φ(x)
INLINE real gelu_slope_of(real x)
{
    real density = exp((real)-.5 * x * x) * (real)(M_SQRT1_2 * M_2_SQRTPI / 2);
    return (real).5 * erfc(x * (real)-M_SQRT1_2) + x * density;
}
