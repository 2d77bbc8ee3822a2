// SPDX-License-Identifier: MIT
// Sixteen running sums keep the loops in vector registers and the order fixed.

#include "engine/base/sum.h"

#include "engine/base/vmath.h"

enum { WAYS = 16 };

static double add_up(const real *sum)
{
    double total = 0;
    for (int w = 0; w < WAYS; w++)
        total += (double)sum[w];
    return total;
}

KERNEL static double squares(const real *v, size_t n)
{
    real sum[WAYS] = {0};
    size_t i = 0;
    for (; i + WAYS <= n; i += WAYS)
        for (size_t w = 0; w < WAYS; w++)
            sum[w] += v[i + w] * v[i + w];
    double total = 0;
    for (; i < n; i++)
        total += (double)(v[i] * v[i]);
    return total + add_up(sum);
}

// The same where single precision overflowed although every value may be finite.
static double squares_wide(const real *v, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += (double)v[i] * (double)v[i];
    return total;
}

double sum_squares(const real *v, size_t n)
{
    double sum = squares(v, n);
    return isfinite(sum) ? sum : squares_wide(v, n);
}

KERNEL double sum_squared_distance(const real *a, const real *b, size_t n)
{
    real sum[WAYS] = {0};
    size_t i = 0;
    for (; i + WAYS <= n; i += WAYS)
        for (size_t w = 0; w < WAYS; w++)
            sum[w] += (a[i + w] - b[i + w]) * (a[i + w] - b[i + w]);
    double total = 0;
    for (; i < n; i++)
        total += (double)((a[i] - b[i]) * (a[i] - b[i]));
    return total + add_up(sum);
}
