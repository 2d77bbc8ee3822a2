// SPDX-License-Identifier: MIT
#include "server/base/thread_pool.h"

#include "tests/harness.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PIECES = 1000 };

struct tally {
    int plain[PIECES]; // not atomic: a piece run twice at once is a race that TSan reports
    atomic_uint total;
};

static void count(void *arg, uint32_t i)
{
    struct tally *t = arg;
    t->plain[i]++;
    atomic_fetch_add(&t->total, 1);
}

// Walked with 1, 2, 3 and 4 threads.
LOOP_TEST(thread_pool_runs_every_piece_exactly_once, 4)
{
    struct err e = {0};
    struct thread_pool c;
    ck_assert(thread_pool_init(&c, (uint32_t)_i + 1, 0, &e));
    for (uint32_t n = 0; n <= PIECES; n = n * 2 + 1) {
        struct tally t = {0};
        thread_pool_run(&c, n, count, &t);
        ck_assert_uint_eq(atomic_load(&t.total), n);
        for (uint32_t i = 0; i < PIECES; i++)
            ck_assert_int_eq(t.plain[i], i < n);
    }
    thread_pool_release(&c);
}

static void add_neighbour(void *arg, uint32_t i)
{
    int *cell = arg;
    cell[i + 16] = cell[15 - i] + 1;
}

static void copy_back(void *arg, uint32_t i)
{
    int *cell = arg;
    cell[i] = cell[i + 16];
}

TEST(thread_pool_shows_each_loop_what_the_loop_before_it_wrote)
{
    struct err e = {0};
    struct thread_pool c;
    int cell[32] = {0};
    ck_assert(thread_pool_init(&c, 3, 0, &e));
    for (int round = 0; round < 3000; round++) {
        thread_pool_run(&c, 16, add_neighbour, cell);
        thread_pool_run(&c, 16, copy_back, cell);
    }
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(cell[i], 3000);
    thread_pool_release(&c);
}

TEST(thread_pool_wakes_helpers_that_went_to_sleep)
{
    struct err e = {0};
    struct thread_pool c;
    ck_assert(thread_pool_init(&c, 4, 5, &e));
    for (int round = 0; round < 20; round++) {
        while (atomic_load(&c.sleepers) < 3)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        struct tally t = {0};
        thread_pool_run(&c, PIECES, count, &t);
        ck_assert_uint_eq(atomic_load(&t.total), PIECES);
    }
    thread_pool_release(&c);
}

struct nices {
    pthread_t caller;
    int own, wanted; // of the caller, of helpers
    atomic_int wrong, helped;
};

static void look_at_nice(void *arg, uint32_t i)
{
    (void)i;
    struct nices *n = arg;
    bool helper = !pthread_equal(pthread_self(), n->caller);
    int nice = getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
    atomic_fetch_add(&n->wrong, nice != (helper ? n->wanted : n->own));
    atomic_fetch_add(&n->helped, helper);
    while (!atomic_load(&n->helped)) // leave something for a helper
        sched_yield();
}

TEST(thread_pool_helpers_run_at_their_niceness_and_the_caller_keeps_its_own)
{
    struct err e = {0};
    struct thread_pool c;
    struct nices n = {.caller = pthread_self(), .own = getpriority(PRIO_PROCESS, 0)};
    n.wanted = n.own < 12 ? n.own + 7 : 19; // none but root may go down again
    ck_assert(thread_pool_init(&c, 2, n.wanted, &e));
    thread_pool_run(&c, PIECES, look_at_nice, &n);
    thread_pool_release(&c);
    ck_assert_int_gt(atomic_load(&n.helped), 0);
    ck_assert_int_eq(atomic_load(&n.wrong), 0);
}

struct race {
    pthread_t caller;
    atomic_int started, finished; // by helpers
};

static void finish_late(void *arg, uint32_t i)
{
    (void)i;
    struct race *r = arg;
    if (!pthread_equal(pthread_self(), r->caller)) {
        atomic_fetch_add(&r->started, 1);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        atomic_fetch_add(&r->finished, 1);
    }
    while (!atomic_load(&r->started))
        sched_yield();
}

TEST(thread_pool_returns_only_when_the_last_piece_is_done)
{
    struct err e = {0};
    struct thread_pool c;
    struct race r = {.caller = pthread_self()};
    ck_assert(thread_pool_init(&c, 2, 0, &e));
    thread_pool_run(&c, 4, finish_late, &r);
    ck_assert_int_eq(atomic_load(&r.finished), atomic_load(&r.started));
    thread_pool_release(&c);
}

TEST(thread_pool_starts_and_ends_without_ever_working)
{
    for (int round = 0; round < 50; round++) {
        struct err e = {0};
        struct thread_pool c;
        ck_assert(thread_pool_init(&c, 4, 0, &e));
        thread_pool_release(&c);
    }
}

TEST(thread_pool_refuses_a_size_it_has_no_room_for)
{
    struct err e = {0};
    struct thread_pool c;
    ck_assert(!thread_pool_init(&c, CREW_MAX + 1, 0, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert(!thread_pool_init(&c, 0, 0, &e));
}
