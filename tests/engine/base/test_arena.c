// SPDX-License-Identifier: MIT
#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "tests/harness.h"
#include "tests/heap.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
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

TEST(arena_tells_its_maximum_from_a_system_without_memory)
{
    struct arena a;
    struct err e = {0};
    arena_init(&a, 100000);
    ck_assert_ptr_null(arena_alloc(&a, 200000, 1));
    ck_assert_int_eq(a.lack, ARENA_OVER_MAX);
    fail(&e, ERR_TOO_LARGE, "too large");
    arena_correct(&a, &e);
    ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
    heap_fail(1);
    ck_assert_ptr_null(arena_alloc(&a, 50000, 1));
    ck_assert_ptr_null(arena_alloc(&a, 200000, 1)); // the worse of the two is kept
    arena_correct(&a, &e);
    ck_assert_int_eq(e.kind, ERR_BUSY);
    ck_assert_str_eq(e.text, "the system is out of memory; try again later");
    ck_assert_ptr_nonnull(arena_alloc(&a, 50000, 1));
    arena_release(&a);
    ck_assert_int_eq(a.lack, ARENA_LACKS_NOTHING);
}

// What only comfort asked for was refused, so nobody has to go without. Checking builds never ask
// for more than is needed.
#ifndef MLPD_CHECKED
static void *alloc_more(struct arena *a)
{
    return arena_alloc(a, 3000, 1);
}

static void *need_more(struct arena *a)
{
    return arena_need(a, 3000, 1);
}

LOOP_TEST(arena_takes_a_small_chunk_where_a_generous_one_is_not_to_be_had, 2)
{
    static void *(*const more[])(struct arena *) = {alloc_more, need_more};
    struct arena a;
    struct err e = {0};
    arena_init(&a, 1 << 20);
    ck_assert_ptr_nonnull(arena_alloc(&a, 3000, 1));
    size_t held = a.held;
    heap_fail(1);
    ck_assert_ptr_nonnull(more[_i](&a));
    ck_assert(heap_has_failed());
    ck_assert_uint_eq(a.held,
                      2 * held); // neither twice the chunk before nor a piece of the reserve
    ck_assert_int_eq(a.lack, ARENA_LACKS_NOTHING);
    fail(&e, ERR_INVALID, "no such thing");
    arena_correct(&a, &e);
    ck_assert_int_eq(e.kind, ERR_INVALID);
    arena_release(&a);
}
#endif

// ---- The budget ----

enum { BUDGET = 1 << 20, ALLOWANCE = 64 << 10 };

static void shared(struct arena *a, struct arena_budget *b)
{
    arena_init(a, SIZE_MAX / 8);
    arena_share(a, b, ALLOWANCE);
}

TEST(arena_within_its_allowance_needs_nothing_of_the_budget)
{
    struct arena_budget full = {.max = BUDGET, .used = BUDGET};
    struct arena a;
    shared(&a, &full);
    for (int i = 0; i < 50; i++)
        ck_assert_ptr_nonnull(arena_alloc(&a, 1000, 1));
    ck_assert_uint_eq(arena_charged(&a), 0);
    ck_assert_uint_eq(full.used, BUDGET);
    ck_assert_ptr_null(arena_alloc(&a, ALLOWANCE, 1));
    ck_assert_uint_eq(full.refused, 1);
    ck_assert_ptr_nonnull(arena_alloc(&a, 100, 1));
    arena_release(&a);
    ck_assert_uint_eq(full.used, BUDGET);
}

TEST(arena_charges_what_it_holds_and_gives_all_of_it_back)
{
    struct arena_budget b = {.max = BUDGET};
    struct arena a;
    shared(&a, &b);
    ck_assert_ptr_nonnull(arena_alloc(&a, ALLOWANCE, 1));
    struct arena_mark mark = arena_mark(&a);
    size_t before = b.used;
    ck_assert_ptr_nonnull(arena_alloc(&a, 300000, 1));
    ck_assert(arena_charge(&a, 200000));
    ck_assert_uint_ge(b.used, before + 500000);
    ck_assert_uint_eq(b.used, arena_charged(&a));
    ck_assert_uint_le(b.used, a.held);
    arena_refund(&a, 200000);
    arena_rewind(&a, mark);
    ck_assert_uint_eq(b.used, before);
    ck_assert_ptr_nonnull(arena_alloc(&a, 300000, 1));
    arena_release(&a);
    ck_assert_uint_eq(b.used, 0);
    ck_assert_uint_eq(a.held, 0);
}

TEST(arena_uses_the_budget_to_its_end)
{
    struct arena_budget b = {.max = BUDGET};
    struct arena a;
    size_t n = 0;
    shared(&a, &b);
    while (arena_alloc(&a, 8000, 1))
        n += 8000;
    ck_assert_uint_gt(n, (BUDGET + ALLOWANCE) / 100 * 97);
    ck_assert_uint_le(a.held, BUDGET + ALLOWANCE);
    ck_assert_uint_le(b.used, BUDGET);
    arena_release(&a);
}

// Names and messages must be had, but they are no way around the budget.
TEST(arena_goes_into_debt_for_small_needs_only)
{
    struct arena_budget b = {.max = BUDGET};
    struct arena a;
    shared(&a, &b);
    ck_assert_ptr_nonnull(arena_alloc(&a, BUDGET - 8192, 1));
    for (int i = 0; i < 50; i++)
        arena_need(&a, 2000, 1);
    ck_assert_ptr_null(arena_alloc(&a, 5000, 1));
    ck_assert_uint_gt(b.used, BUDGET - ALLOWANCE);
    ck_assert_uint_lt(b.used, BUDGET + 100000);
    arena_release(&a);
    ck_assert_uint_eq(b.used, 0);
}

static const struct {
    const char *what;
    size_t max, held_by_others, size;
    enum arena_lack lack;
    enum err_kind kind;
    const char *text;
} refusals[] = {
    {"its own maximum", 1000, 0, 2000, ARENA_OVER_MAX, ERR_TOO_LARGE, "7 rows are too many"},
    {"a size that overflows", SIZE_MAX, 0, SIZE_MAX / 2, ARENA_OVER_MAX, ERR_TOO_LARGE,
     "7 rows are too many"},
    {"more than there will ever be", SIZE_MAX, 0, BUDGET + ALLOWANCE, ARENA_OVER_ALL, ERR_TOO_LARGE,
     "this needs more memory than the lot of them may have"},
    {"others have it", SIZE_MAX, BUDGET / 2, BUDGET / 2 + ALLOWANCE, ARENA_OTHERS_HOLD_IT, ERR_BUSY,
     "the lot of them have no memory left for this; try again later"},
#ifndef MLPD_SANITIZED // whose allocators end the program instead
    {"the system has none", SIZE_MAX, SIZE_MAX, SIZE_MAX / 5, ARENA_NO_MEMORY, ERR_BUSY,
     "the system is out of memory; try again later"},
#endif
};

LOOP_TEST(arena_says_why_it_refused, sizeof refusals / sizeof *refusals)
{
    struct arena_budget b = {.max = BUDGET, .name = "the lot of them"};
    struct arena a;
    struct err told = {0}, corrected = {0}, other = {0};
    arena_init(&a, refusals[_i].max);
    if (refusals[_i].held_by_others != SIZE_MAX) {
        arena_share(&a, &b, ALLOWANCE);
        b.used = refusals[_i].held_by_others;
    }
    ck_assert_ptr_null(arena_alloc(&a, refusals[_i].size, 1));
    ck_assert_int_eq(a.lack, refusals[_i].lack);
    ck_assert(!arena_fail(&a, &told, "%d rows are too many", 7));
    ck_assert_int_eq(told.kind, refusals[_i].kind);
    ck_assert_str_eq(told.text, refusals[_i].text);
    fail_at(&corrected, ERR_TOO_LARGE, "/rows", "7 rows are too many");
    arena_correct(&a, &corrected);
    ck_assert_int_eq(corrected.kind, refusals[_i].kind);
    ck_assert_str_eq(corrected.text, refusals[_i].text);
    bool starved =
        refusals[_i].lack == ARENA_NO_MEMORY; // then nothing that was told is to be trusted
    ck_assert_str_eq(corrected.at, starved ? "" : "/rows");
    fail(&other, ERR_INVALID, "no such thing");
    arena_correct(&a, &other);
    ck_assert_int_eq(other.kind, starved ? ERR_BUSY : ERR_INVALID);
    ck_assert_uint_eq(b.used,
                      refusals[_i].held_by_others == SIZE_MAX ? 0 : refusals[_i].held_by_others);
    ck_assert_uint_eq(b.refused, refusals[_i].lack == ARENA_OTHERS_HOLD_IT);
    arena_release(&a);
}

TEST(arena_blocks_keep_what_is_in_them_when_they_grow_and_shrink)
{
    static const size_t sizes[] = {10, 5000, 100000, 300000, 3000000, 2000000, 200000, 100, 0};
    struct arena_budget b = {.max = 4 << 20};
    struct arena a;
    unsigned char *p = NULL;
    size_t size = 0;
    arena_init(&a, 0);
    arena_share(&a, &b, 0);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t kept = size < sizes[k] ? size : sizes[k];
        p = arena_resize(&a, p, size, sizes[k]);
        ck_assert((p != NULL) == (sizes[k] > 0));
        size = sizes[k];
        for (size_t i = 0; i < kept; i++)
            if (p[i] != (unsigned char)(i * 31 + i / 256))
                ck_abort_msg("byte %zu of %zu", i, size);
        for (size_t i = 0; i < size; i++)
            p[i] = (unsigned char)(i * 31 + i / 256);
        ck_assert_uint_eq(b.used, size);
    }
    p = arena_resize(&a, NULL, 0, 1000);
    ck_assert_ptr_null(arena_resize(&a, p, 1000, 5 << 20));
    ck_assert_uint_eq(b.used, 1000);
    arena_resize(&a, p, 1000, 0);
    ck_assert_uint_eq(b.used, 0);
}

static void *borrow(void *budget)
{
    struct arena_budget *b = budget;
    uintptr_t got = 0;
    for (size_t i = 0; i < 2000; i++) {
        struct arena a;
        arena_init(&a, SIZE_MAX);
        arena_share(&a, b, 0);
        for (size_t k = 0; k < 8; k++)
            got += arena_alloc(&a, i % 200 * 997, 1) != NULL;
        if (atomic_load(&b->used) > b->max)
            return NULL;
        arena_release(&a);
    }
    return (void *)got;
}

TEST(arenas_of_many_threads_never_pass_their_budget)
{
    struct arena_budget b = {.max = BUDGET};
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, borrow, &b), 0);
    for (int i = 0; i < 4; i++) {
        void *got;
        pthread_join(thread[i], &got);
        ck_assert_ptr_nonnull(got);
    }
    ck_assert_uint_eq(b.used, 0);
}

// ---- Zeroed memory ----

static bool all_zero(const unsigned char *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] == 0)
        i++;
    return i == n;
}

// What was handed out before, given back and used is cleared; what never was need not be.
TEST(zeroed_memory_is_zero_whatever_was_there)
{
    static const size_t size[] = {100, 5000, 3 << 20};
    struct arena a;
    arena_init(&a, 1 << 26);
    struct arena_mark m = arena_mark(&a);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 9; i++) {
            size_t n = size[(i + round) % 3];
            unsigned char *p = i % 2 ? arena_alloc(&a, n, 1) : arena_zalloc(&a, n, 1);
            ck_assert_ptr_nonnull(p);
            ck_assert_uint_eq((uintptr_t)p % ARENA_ALIGN, 0);
            ck_assert(i % 2 || all_zero(p, n));
            memset(p, 7, n);
            if (i == 8)
                arena_rewind(&a, m);
            else if (i == 3)
                m = arena_mark(&a);
        }
    arena_release(&a);
}

// A mark inside a large zeroed chunk: what follows it has been written and must be cleared.
TEST(zeroed_memory_is_zero_in_the_middle_of_a_chunk)
{
    struct arena a;
    arena_init(&a, 1 << 26);
    arena_zalloc(&a, (2 << 20) + 16, 1); // 48 bytes are left of the chunk
    struct arena_mark m = arena_mark(&a);
    unsigned char *p = arena_alloc(&a, 32, 1);
    memset(p, 7, 32);
    arena_rewind(&a, m);
    ck_assert(all_zero(arena_zalloc(&a, 32, 1), 32));
    arena_release(&a);
}

#ifndef MLPD_SANITIZED
static size_t resident_pages(void)
{
    size_t all, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert_int_eq(fscanf(f, "%zu %zu", &all, &resident), 2);
    fclose(f);
    return resident;
}

// Nobody could end the clearing of gigabytes.
TEST(much_zeroed_memory_is_not_touched)
{
    struct arena a;
    size_t before = resident_pages();
    arena_init(&a, 1 << 28);
    ck_assert_ptr_nonnull(arena_zalloc(&a, 1 << 27, 1));
    ck_assert_uint_lt(resident_pages() - before, (1 << 27) / 4096 / 8);
    arena_release(&a);
}
#endif
