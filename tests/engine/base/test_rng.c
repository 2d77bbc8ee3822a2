// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/base/rng.h"

#include <math.h>
#include <string.h>

TEST(rng_numbers_depend_on_nothing_but_their_names)
{
    // Pinned: stored models and checkpoints rely on these very bits.
    uint64_t key = rng_key(7, RNG_INIT, 3, 4);
    ck_assert_uint_eq(key, rng_key(7, RNG_INIT, 3, 4));
    ck_assert_uint_eq(rng_u64(0, 1), UINT64_C(0x93861CE23F326FB9));
    ck_assert_uint_eq(key, UINT64_C(0x07A52D7F1E28FB4F));
    ck_assert_uint_eq(rng_u64(key, 1000), UINT64_C(0x6EBD29DB8D33F66E));
}

TEST(rng_every_part_of_a_name_changes_the_stream)
{
    uint64_t key[] = {rng_key(0, RNG_SPLIT, 0, 0),   rng_key(1, RNG_SPLIT, 0, 0),
                      rng_key(0, RNG_SHUFFLE, 0, 0), rng_key(0, RNG_SPLIT, 1, 0),
                      rng_key(0, RNG_SPLIT, 0, 1),   rng_key(0, RNG_SPLIT, 1, 1)};
    enum { N = sizeof key / sizeof *key };
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i; j++)
            for (uint64_t cell = 0; cell < 100; cell++)
                ck_assert_uint_ne(rng_u64(key[i], cell), rng_u64(key[j], cell));
}

TEST(rng_flipping_any_bit_of_key_or_cell_flips_half_of_the_answer)
{
    enum { SAMPLES = 2000 };
    for (int bit = 0; bit < 128; bit++) {
        double flips = 0;
        for (uint64_t i = 0; i < SAMPLES; i++) {
            uint64_t key = rng_u64(1, i), cell = i;
            uint64_t other = bit < 64 ? rng_u64(key ^ (UINT64_C(1) << bit), cell)
                                      : rng_u64(key, cell ^ (UINT64_C(1) << (bit - 64)));
            flips += __builtin_popcountll(rng_u64(key, cell) ^ other);
        }
        ck_assert_double_eq_tol(flips / SAMPLES, 32, 0.5);
    }
}

TEST(rng_units_and_normals_have_the_right_moments)
{
    enum { N = 200000 };
    uint64_t key = rng_key(1, RNG_PROBE, 0, 0);
    double sum = 0, square = 0, unit = 0, tail = 0;
    for (uint64_t i = 0; i < N; i++) {
        double u = rng_unit(key, i), z = rng_normal(key, i);
        ck_assert(u >= 0 && u < 1 && isfinite(z));
        unit += u;
        sum += z;
        square += z * z;
        tail += fabs(z) > 2;
    }
    ck_assert_double_eq_tol(unit / N, 0.5, 0.005);
    ck_assert_double_eq_tol(sum / N, 0, 0.01);
    ck_assert_double_eq_tol(square / N, 1, 0.02);
    ck_assert_double_eq_tol(tail / N, 0.0455, 0.003);
}

TEST(rng_below_stays_below_and_is_fair_for_a_bound_that_must_reject)
{
    const uint64_t bound = UINT64_C(3) << 62; // a quarter of all draws is rejected
    size_t third[3] = {0};
    enum { N = 30000 };
    for (uint64_t i = 0; i < N; i++) {
        uint64_t x = rng_below(5, i, bound);
        ck_assert(x < bound);
        third[x % 3]++;
    }
    for (int k = 0; k < 3; k++)
        ck_assert_double_eq_tol((double)third[k] / N, 1.0 / 3, 0.012);
    ck_assert_uint_eq(rng_below(5, 9, 1), 0);
}

TEST(rng_shuffle_reaches_every_order_equally_often)
{
    enum { N = 24000 };
    size_t seen[4 * 4 * 4 * 4] = {0}, orders = 0;
    for (uint64_t i = 0; i < N; i++) {
        uint32_t a[4] = {0, 1, 2, 3};
        rng_shuffle(rng_key(1, RNG_SHUFFLE, i, 0), a, 4, NULL);
        ck_assert_uint_eq(1U << a[0] | 1U << a[1] | 1U << a[2] | 1U << a[3], 15);
        seen[a[0] * 64 + a[1] * 16 + a[2] * 4 + a[3]]++;
    }
    for (size_t i = 0; i < 256; i++)
        if (seen[i]) {
            orders++;
            ck_assert_double_eq_tol((double)seen[i], N / 24.0, 150);
        }
    ck_assert_uint_eq(orders, 24);
}
