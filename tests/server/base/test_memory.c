// SPDX-License-Identifier: MIT
#include "server/base/memory.h"

#include "tests/harness.h"

#include <sys/resource.h>

TEST(requests_get_what_they_are_told_or_an_eighth_within_bounds)
{
    struct settings s;
    settings_default(&s);
    ck_assert_uint_ge(memory_of_requests(&s), 64 << 20);
    ck_assert_uint_le(memory_of_requests(&s), 512 << 20);
    if (memory_total() >= SIZE_MAX / 8 || memory_of_requests(&s) > 64 << 20)
        ck_assert_uint_le(memory_of_requests(&s), memory_total() / 8);
    s.request_memory = INT64_C(3) << 30;
    ck_assert_uint_eq(memory_of_requests(&s), (size_t)3 << 30);
}

TEST(memory_knows_a_limit_on_the_addresses_of_this_process)
{
    struct rlimit before, less;
    size_t total = memory_total();
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
    less = (struct rlimit){.rlim_cur = total / 2, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &less), 0);
    size_t now = memory_total();
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
    ck_assert_uint_eq(now, total / 2);
}

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
