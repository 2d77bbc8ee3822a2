// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/base/rng.h"
#include "engine/base/sum.h"

#include <float.h>

// All remainders of the vector length.
LOOP_TEST(sums_are_those_of_a_plain_loop, 40)
{
    real a[40], b[40];
    double squares = 0, apart = 0;
    for (int i = 0; i < _i; i++) {
        a[i] = (real)rng_normal(1, (uint64_t)i);
        b[i] = (real)rng_normal(2, (uint64_t)i);
        squares += (double)a[i] * (double)a[i];
        apart += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    }
    ck_assert_double_le(fabs(sum_squares(a, (size_t)_i) - squares), 1e-6 * squares);
    ck_assert_double_le(fabs(sum_squared_distance(a, b, (size_t)_i) - apart), 1e-6 * apart);
}

TEST(a_square_too_large_for_float_is_summed_in_double)
{
    const real big[20] = {[3] = (real)1e30};
    ck_assert_double_eq_tol(sum_squares(big, 20) / 1e60, 1, 1e-6);
    const real broken[20] = {[3] = INFINITY};
    ck_assert(!isfinite(sum_squares(broken, 20)));
}
