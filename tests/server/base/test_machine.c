// SPDX-License-Identifier: MIT
#include "server/base/machine.h"

#include "tests/harness.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

TEST(a_machine_is_told_in_words_that_are_no_paths_or_patterns)
{
    struct machine m;
    machine_this(&m);
    const char *part[] = {m.host, m.start};
    for (size_t i = 0; i < 2; i++) {
        ck_assert(*part[i]);
        ck_assert_ptr_null(strpbrk(part[i], "/*?[]' \n"));
    }
    ck_assert_uint_eq(strspn(m.boot, "0123456789abcdef-"), strlen(m.boot));
    if (access("/proc/sys/kernel/random/boot_id", R_OK) == 0)
        ck_assert_uint_eq(strlen(m.boot), 36);
}

TEST(two_starts_on_a_machine_differ_in_nothing_but_the_start)
{
    struct machine a, b;
    machine_this(&a);
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    machine_this(&b);
    ck_assert_str_eq(a.host, b.host);
    ck_assert_str_eq(a.boot, b.boot);
    ck_assert_str_ne(a.start, b.start);
}
