// SPDX-License-Identifier: MIT
// Gram and Schmidt in place, without memory of its own: see init.h. Coefficients are summed in
// double and every vector is cleared of the earlier ones twice, after which nothing of them is left
// but rounding (Giraud et al. 2005: twice is enough).

#include "init.h"

#include "vmath.h"

enum { BLOCK = 256 }; // earlier vectors at a time, so that their coefficients fit the stack

// Vectors of length `len`, `next` apart, elements `stride` apart: rows or columns.
struct vectors {
    real *v;
    size_t len, next, stride;
};

// w_j -= Σ_k <w_k, w_j> w_k for k in [k0, k1). The loop over k is the inner one: its coefficients
// are sums of their own, and columns lie side by side.
INLINE void clear_of(struct vectors w, size_t j, size_t k0, size_t k1)
{
    double dot[BLOCK] = {0};
    for (size_t i = 0; i < w.len; i++) {
        const real *row = w.v + i * w.stride;
        double x = (double)row[j * w.next];
        LANES for (size_t k = k0; k < k1; k++) dot[k - k0] += x * (double)row[k * w.next];
    }
    for (size_t i = 0; i < w.len; i++) {
        real *row = w.v + i * w.stride;
        double sum = 0;
        for (size_t k = k0; k < k1; k++)
            sum += dot[k - k0] * (double)row[k * w.next];
        row[j * w.next] = (real)((double)row[j * w.next] - sum);
    }
}

INLINE void normalize(struct vectors w, size_t j, double length)
{
    double sum = 0;
    for (size_t i = 0; i < w.len; i++) {
        double x = (double)w.v[j * w.next + i * w.stride];
        sum += x * x;
    }
    double scale = sum > 0 ? length / sqrt(sum) : 0;
    for (size_t i = 0; i < w.len; i++)
        w.v[j * w.next + i * w.stride] = (real)((double)w.v[j * w.next + i * w.stride] * scale);
}

INLINE void orthonormalize(struct vectors w, size_t n)
{
    for (size_t j = 0; j < n; j++)
        for (int pass = 0; pass < 2; pass++) {
            for (size_t k = 0; k < j; k += BLOCK)
                clear_of(w, j, k, k + BLOCK < j ? k + BLOCK : j);
            normalize(w, j, 1);
        }
}

KERNEL static void orthonormal_columns(real *v, size_t rows, size_t cols)
{
    orthonormalize((struct vectors){v, rows, 1, cols}, cols);
}

KERNEL static void orthonormal_rows(real *v, size_t rows, size_t cols)
{
    orthonormalize((struct vectors){v, cols, cols, 1}, rows);
}

void init_orthogonalize(real *weight, size_t outputs, size_t inputs, double gain)
{
    if (outputs >= inputs)
        orthonormal_columns(weight, outputs, inputs);
    else
        orthonormal_rows(weight, outputs, inputs);
    for (size_t i = 0; i < outputs * inputs; i++)
        weight[i] = (real)((double)weight[i] * gain);
}
