// SPDX-License-Identifier: MIT
#include "memory.h"

#include "harness.h"

TEST(workers_and_threads_for_long_requests_share_half_of_the_memory)
{
    struct settings s;
    settings_default(&s);
    ck_assert_uint_gt(memory_total(), 64 << 20);
    for (s.workers = 0; s.workers <= 32; s.workers += 8) {
        size_t all = memory_of_job(&s) * (size_t)(s.workers + SETTINGS_SLOW_THREADS);
        ck_assert_uint_le(all, memory_total() / 2);
        ck_assert_uint_gt(all, memory_total() / 2 - 64);
    }
    ck_assert_uint_eq(memory_of_models(), memory_total() / 4);
}
