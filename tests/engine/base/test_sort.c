// SPDX-License-Identifier: MIT
#include "tests/harness.h"
#include "engine/base/sort.h"
#include "tests/engine/train/trainlab.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Orders that are hard on a quicksort: sorted, reversed, all alike, few values.
LOOP_TEST(sorting_is_qsort_with_questions, 5)
{
    enum { N = 100000 };
    static double v[N], want[N];
    struct lab_halt h;
    for (size_t i = 0; i < N; i++)
        v[i] = want[i] = (double)(_i == 0   ? i
                                  : _i == 1 ? N - i
                                  : _i == 2 ? 7
                                  : _i == 3 ? i * 31 % 5
                                            : i * 7919 % N);
    qsort(want, N, sizeof *want, by_value);
    lab_halt_init(&h, 0);
    sort(v, N, sizeof *v, by_value, &h.halt);
    ck_assert_mem_eq(v, want, sizeof v);
    ck_assert_uint_ge(h.asked, 2);
}

TEST(a_sort_stops_when_asked)
{
    enum { N = 1 << 20 };
    double *v = malloc(N * sizeof *v);
    struct lab_halt h;
    for (size_t i = 0; i < N; i++)
        v[i] = (double)(i * 7919 % N);
    lab_halt_init(&h, 0);
    sort(v, N, sizeof *v, by_value, &h.halt);
    unsigned long all = h.asked;
    ck_assert_uint_ge(all, 5 * N / HALT_EVERY); // it goes over all of them several times
    lab_halt_init(&h, all / 2);
    sort(v, N, sizeof *v, by_value, &h.halt);
    ck_assert_uint_lt(h.asked, all / 2 + 100);
    free(v);
}
