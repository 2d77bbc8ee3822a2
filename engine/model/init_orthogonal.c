// SPDX-License-Identifier: MIT
// Gram and Schmidt in place, without memory of its own: see init.h. Coefficients are summed in
// double and every vector is cleared of the earlier ones twice, after which nothing of them is left
// but rounding (Giraud et al. 2005: twice is enough).

#include "engine/model/init.h"

#include "engine/base/vmath.h"

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

INLINE void orthonormalize(struct vectors w, size_t n, const struct halt *halt)
{
    for (size_t j = 0; j < n && !halt_asked(halt); j++)
        for (int pass = 0; pass < 2; pass++) {
            for (size_t k = 0; k < j && !halt_asked(halt); k += BLOCK)
                clear_of(w, j, k, k + BLOCK < j ? k + BLOCK : j);
            normalize(w, j, 1);
        }
}

KERNEL static void orthonormal_columns(const struct init_layer *l)
{
    orthonormalize((struct vectors){l->weight, l->outputs, 1, l->inputs}, l->inputs, l->halt);
}

KERNEL static void orthonormal_rows(const struct init_layer *l)
{
    orthonormalize((struct vectors){l->weight, l->inputs, l->inputs, 1}, l->outputs, l->halt);
}

void init_orthogonalize(const struct init_layer *l)
{
    (l->outputs >= l->inputs ? orthonormal_columns : orthonormal_rows)(l);
    for (size_t i = 0; i < l->outputs * l->inputs && !halt_due(l->halt, i); i++)
        l->weight[i] = (real)((double)l->weight[i] * l->gain);
}
