// SPDX-License-Identifier: MIT
#include "arena.h"
#include "harness.h"

#include <stdint.h>
#include <string.h>

TEST(arena_hands_out_aligned_memory_that_does_not_overlap)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    unsigned char *p[100];
    for (size_t i = 0; i < 100; i++) {
        p[i] = arena_alloc(&a, i + 1, 3);
        ck_assert_ptr_nonnull(p[i]);
        ck_assert_uint_eq((uintptr_t)p[i] % (3 * (i + 1) >= ARENA_ALIGN ? ARENA_ALIGN : 16), 0);
        memset(p[i], (int)i, 3 * (i + 1));
    }
    for (size_t i = 0; i < 100; i++)
        for (size_t j = 0; j < 3 * (i + 1); j++)
            ck_assert_uint_eq(p[i][j], i);
    arena_release(&a);
}

TEST(arena_refuses_what_passes_its_maximum_or_overflows)
{
    struct arena a;
    arena_init(&a, 10000);
    ck_assert_ptr_nonnull(arena_alloc(&a, 9000, 1));
    ck_assert_ptr_null(arena_alloc(&a, 2000, 1));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX, 1));
    ck_assert_ptr_nonnull(arena_alloc(&a, 900, 1));
    arena_release(&a);
}

TEST(arena_rewind_gives_back_what_came_after_the_mark)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    char *kept = arena_text(&a, "kept", 4);
    struct arena_mark m = arena_mark(&a);
    size_t used = a.used;
    for (int i = 0; i < 50; i++)
        arena_need(&a, 5000, 1);
    arena_rewind(&a, m);
    ck_assert_uint_eq(a.used, used);
    ck_assert_str_eq(kept, "kept");
    ck_assert_str_eq(arena_printf(&a, "%d-%s", 7, kept), "7-kept");
    arena_release(&a);
}
