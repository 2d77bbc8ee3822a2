// SPDX-License-Identifier: MIT
#include "engine/base/arena.h"
#include "tests/harness.h"
#include "tests/heap.h"
#include "engine/base/reserve.h"

#include <string.h>

TEST(arena_need_lives_on_a_reserve_that_comes_back)
{
    enum { ARENAS = RESERVE_PIECES };
    struct arena a[ARENAS];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < ARENAS; i++) {
            arena_init(&a[i], 1 << 20);
            heap_fail(1);
            char *small = arena_need(&a[i], 100, 1);
            memset(small, i, 100);
            ck_assert_int_eq(a[i].lack, ARENA_NO_MEMORY);
            for (int k = 0; k < 100; k++)
                arena_text(&a[i], "and others beside it", 20);
        }
        ck_assert_ptr_null(reserve_take(1));
        for (int i = 0; i < ARENAS; i++)
            arena_release(&a[i]);
    }
    void *piece = reserve_take(RESERVE_PIECE);
    ck_assert_ptr_nonnull(piece);
    reserve_give(piece);
}
