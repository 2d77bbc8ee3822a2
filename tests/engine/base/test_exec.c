// SPDX-License-Identifier: MIT
#include "engine/base/exec.h"
#include "tests/harness.h"
#include "tests/engine/train/trainlab.h"

static void count(void *arg, uint32_t i)
{
    (void)i;
    atomic_fetch_add((atomic_uint *)arg, 1);
}

static const int counts[] = {0, 1, 3}; // threads; 0: the caller

static struct exec exec_of(int which, const struct halt *halt)
{
    struct exec x = counts[which] ? lab_exec(&counts[which]) : (struct exec){.run = NULL};
    x.halt = halt;
    return x;
}

LOOP_TEST(every_piece_is_run_once_without_a_halt, 3)
{
    struct exec x = exec_of(_i, NULL);
    atomic_uint n = 0;
    exec_run(&x, 100, count, &n);
    exec_run(NULL, 100, count, &n);
    ck_assert_uint_eq(n, 200);
}

// With the caller alone the pieces left are not even asked about; threads ask each for itself.
LOOP_TEST(pieces_are_left_out_after_a_yes, 3)
{
    struct lab_halt h;
    lab_halt_init(&h, 6);
    struct exec x = exec_of(_i, &h.halt);
    atomic_uint n = 0;
    exec_run(&x, 100, count, &n);
    ck_assert_uint_eq(n, 5);
    ck_assert_uint_ge(h.asked, 6);
    exec_run(&x, 1, count, &n);
    ck_assert_uint_eq(n, 5);
}
