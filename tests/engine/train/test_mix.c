// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/train/mix.h"
#include "engine/base/rng.h"

#include <math.h>
#include <string.h>

// Mean 1/2, variance 1 / (4 (2a + 1)), symmetric; and for tiny a, where a draw from Gamma(a) is
// smaller than any number, still 0 or 1 and not NaN.
static const double shapes[] = {1e-4, .1, .4, 1, 2.5, 30};

LOOP_TEST(beta_draws_have_the_moments_of_the_distribution, 6)
{
    enum { N = 40000 };
    double a = shapes[_i], sum = 0, squares = 0, cubes = 0;
    for (uint64_t i = 0; i < N; i++) {
        double x = mix_beta(rng_key(5, RNG_PROBE, i, 0), a);
        ck_assert(x >= 0 && x <= 1);
        sum += x / N;
        squares += (x - .5) * (x - .5) / N;
        cubes += pow(x - .5, 3) / N;
    }
    double variance = 1 / (4 * (2 * a + 1)), error = 5 * sqrt(variance / N);
    ck_assert_double_eq_tol(sum, .5, error);
    ck_assert_double_eq_tol(squares / variance, 1, .03);
    ck_assert_double_eq_tol(cubes, 0, 5 * pow(variance, 1.5) / sqrt(N) * 4);
}

static struct mixer mixer(struct arena *a, double mixup, double cutmix)
{
    const struct train_spec s = {.mixup = mixup, .cutmix = cutmix, .seed = 3};
    struct mixer m;
    struct err e = {0};
    struct run_state run;
    arena_init(a, 1 << 20);
    run_state_init(&run, a);
    ck_assert(mixer_init(&m, &s, 8, 10, &run, &e));
    return m;
}

TEST(a_draw_depends_on_the_step_and_on_nothing_else)
{
    struct arena a, b;
    struct mixer one = mixer(&a, .4, 0), two = mixer(&b, .4, 0);
    mixer_draw(&one, 1, 8);
    mixer_draw(&one, 7, 8);
    mixer_draw(&two, 7, 8);
    ck_assert_double_eq(one.share, two.share);
    ck_assert_mem_eq(one.partner, two.partner, 8 * sizeof *one.partner);
    mixer_draw(&two, 8, 8);
    ck_assert_double_ne(one.share, two.share);
    ck_assert_mem_ne(one.partner, two.partner, 8 * sizeof *one.partner);
    arena_release(&a);
    arena_release(&b);
}

TEST(partners_are_a_permutation_of_the_batch)
{
    struct arena a;
    struct mixer m = mixer(&a, .4, 0);
    for (uint64_t step = 0; step < 20; step++) {
        int seen[8] = {0};
        mixer_draw(&m, step, 5);
        for (int i = 0; i < 5; i++)
            seen[m.partner[i]]++;
        for (int i = 0; i < 8; i++)
            ck_assert_int_eq(seen[i], i < 5);
    }
    arena_release(&a);
}

TEST(mixup_blends_every_column_by_the_share)
{
    struct arena a;
    struct mixer m = mixer(&a, .4, 0);
    real x[10], y[10];
    for (int i = 0; i < 10; i++) {
        x[i] = (real)i;
        y[i] = (real)(100 - i);
    }
    m.share = .75;
    mix_row(&m, x, y);
    for (int i = 0; i < 10; i++)
        ck_assert_double_eq_tol((double)x[i], .75 * i + .25 * (100 - i), 1e-5);
    arena_release(&a);
}

// As often as asked, between one column and all but one, each with the same chance; the share is
// that of the columns that stay.
TEST(cutmix_takes_columns_from_the_partner_and_counts_them)
{
    enum { N = 4000 };
    struct arena a;
    struct mixer m = mixer(&a, 0, .5);
    int mixed = 0, taken = 0, column[10] = {0};
    for (uint64_t step = 0; step < N; step++) {
        real x[10] = {0}, other[10];
        for (int c = 0; c < 10; c++)
            other[c] = 1;
        mixer_draw(&m, step, 8);
        mix_row(&m, x, other);
        int now = 0;
        for (int c = 0; c < 10; c++) {
            now += x[c] == 1;
            column[c] += x[c] == 1;
        }
        ck_assert_double_eq_tol(m.share, 1 - now / 10.0, 1e-12);
        ck_assert_int_lt(now, 10);
        mixed += now > 0;
        taken += now;
    }
    ck_assert_double_eq_tol(mixed / (double)N, .5, .04);
    ck_assert_double_eq_tol(taken / (double)mixed, 4.6, .25); // (1 + 1 + 2 + ... + 9) / 10
    for (int c = 0; c < 10; c++)
        ck_assert_double_eq_tol(column[c] / (double)taken, .1, .015);
    arena_release(&a);
}

// Sixteen numbers of columns fill what they were given to the last byte, and what was allocated
// next lies right behind.
TEST(a_cut_writes_to_its_own_columns_only)
{
    const struct train_spec s = {.cutmix = 1, .seed = 3};
    struct arena a;
    struct mixer m;
    struct err e = {0};
    struct run_state run;
    arena_init(&a, 1 << 20);
    run_state_init(&run, &a);
    ck_assert(mixer_init(&m, &s, 8, 16, &run, &e));
    uint32_t *next = arena_zalloc(&a, 16, sizeof *next);
    for (uint64_t step = 0; step < 100; step++)
        mixer_draw(&m, step, 8);
    for (int i = 0; i < 16; i++)
        ck_assert_uint_eq(next[i], 0);
    arena_release(&a);
}
