// SPDX-License-Identifier: MIT
#include "server/http/pool.h"

#include "tests/harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TASKS = 100 };

static struct counted {
    struct pool_task task;
    atomic_int runs;
} task[TASKS];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static atomic_int begun;

static void count(struct pool_task *t)
{
    atomic_fetch_add(&begun, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    atomic_fetch_add(&((struct counted *)(void *)t)->runs, 1);
}

TEST(pool_runs_every_task_once_also_those_that_wait_when_it_ends)
{
    struct err e = {0};
    struct pool *p = pool_new(3, TASKS, 1, 0, &e);
    ck_assert_msg(p != NULL, "%s", e.text);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < TASKS; i++) {
        task[i] = (struct counted){.task.run = count};
        ck_assert(pool_put(p, &task[i].task));
    }
    pthread_mutex_unlock(&gate);
    pool_close(p);
    for (int i = 0; i < TASKS; i++)
        ck_assert_int_eq(atomic_load(&task[i].runs), 1);
    ck_assert(!pool_put(p, &task[0].task));
    pool_free(p);
    pool_free(NULL);
}

TEST(pool_takes_no_more_than_may_wait)
{
    struct err e = {0};
    struct pool *p = pool_new(1, 5, 0, 256 << 10, &e);
    int taken = 0;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < TASKS; i++) {
        task[i] = (struct counted){.task.run = count};
        taken += pool_put(p, &task[i].task);
    }
    pthread_mutex_unlock(&gate);
    pool_free(p);
    ck_assert_int_ge(taken, 5);
    ck_assert_int_le(taken, 6); // one may have begun
    int runs = 0;
    for (int i = 0; i < TASKS; i++)
        runs += atomic_load(&task[i].runs);
    ck_assert_int_eq(runs, taken);
}

// ---- Lasting tasks ----

static atomic_int lasting_runs, short_runs;
static atomic_bool may_end;

static void begin_anew(bool end)
{
    atomic_store(&lasting_runs, 0);
    atomic_store(&short_runs, 0);
    atomic_store(&may_end, end);
}

static void wait_for(const atomic_int *count, int n)
{
    for (int i = 0; i < 5000 && atomic_load(count) < n; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert_int_eq(atomic_load(count), n);
}

static void last(struct pool_task *t)
{
    (void)t;
    atomic_fetch_add(&lasting_runs, 1);
    while (!atomic_load(&may_end))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void pass(struct pool_task *t)
{
    (void)t;
    atomic_fetch_add(&short_runs, 1);
}

static void put_all(struct pool *p, struct pool_task *t, int n, struct pool_task as)
{
    for (int i = 0; i < n; i++) {
        t[i] = as;
        ck_assert(pool_put(p, &t[i]));
    }
}

// Whether they came before or after the others.
TEST(pool_gives_lasting_tasks_all_threads_but_one_and_none_of_the_others_places)
{
    enum { THREADS = 3, ROOM = 4 };
    struct err e = {0};
    struct pool_task lasting[THREADS - 1 + ROOM], others[2 * ROOM], more = {.lasting = true};
    begin_anew(false);
    struct pool *p = pool_new(THREADS, ROOM, 0, 0, &e);
    for (int i = 0; i < THREADS - 1; i++) {
        put_all(p, &lasting[i], 1, (struct pool_task){.run = last, .lasting = true});
        wait_for(&lasting_runs, i + 1);
    }
    put_all(p, &lasting[THREADS - 1], ROOM, (struct pool_task){.run = last, .lasting = true});
    ck_assert(!pool_put(p, &more));
    put_all(p, others, ROOM, (struct pool_task){.run = pass});
    wait_for(&short_runs, ROOM);
    put_all(p, others + ROOM, ROOM, (struct pool_task){.run = pass});
    wait_for(&short_runs, 2 * ROOM);
    ck_assert_int_eq(atomic_load(&lasting_runs), THREADS - 1);
    atomic_store(&may_end, true);
    pool_free(p);
    ck_assert_int_eq(atomic_load(&lasting_runs), THREADS - 1 + ROOM);
}

TEST(pool_of_one_thread_runs_lasting_tasks_too)
{
    struct err e = {0};
    struct pool_task two[2];
    struct pool *p = pool_new(1, 2, 0, 0, &e);
    begin_anew(true);
    put_all(p, two, 2, (struct pool_task){.run = last, .lasting = true});
    pool_free(p);
    ck_assert_int_eq(atomic_load(&lasting_runs), 2);
}

// ---- Leaving the queue ----

static unsigned leaving; // bits: which of the tasks

static bool leaves(struct pool_task *t)
{
    struct counted *c = (struct counted *)(void *)t;
    bool goes = leaving >> (c - task) & 1;
    if (goes)
        memset(c, 0xff, sizeof *c); // as an owner who frees it
    return goes;
}

// Whichever leave, first, last or all; then there is room for as many, behind those that stayed.
LOOP_TEST(pool_runs_those_that_stay_and_has_room_for_others, 16)
{
    enum { N = 4 };
    struct err e = {0};
    struct counted held = {.task.run = count};
    int stay = N - __builtin_popcount((unsigned)_i);
    struct pool *p = pool_new(1, N, 0, 0, &e);
    atomic_store(&begun, 0);
    pthread_mutex_lock(&gate);
    ck_assert(pool_put(p, &held.task));
    wait_for(&begun, 1);
    for (int i = 0; i < N; i++) {
        task[i] = (struct counted){.task.run = count};
        ck_assert(pool_put(p, &task[i].task));
    }
    leaving = (unsigned)_i;
    pool_sweep(p, leaves);
    for (int i = N; i < 2 * N; i++) {
        task[i] = (struct counted){.task.run = count};
        ck_assert_int_eq(pool_put(p, &task[i].task), i < 2 * N - stay);
    }
    pthread_mutex_unlock(&gate);
    pool_free(p);
    ck_assert_int_eq(atomic_load(&held.runs), 1);
    for (int i = 0; i < 2 * N; i++)
        ck_assert_int_eq(atomic_load(&task[i].runs),
                         i < N ? (_i >> i & 1 ? -1 : 1) : i < 2 * N - stay);
}

static int niceness(void)
{
    return getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
}

static atomic_int seen;

static void see_niceness(struct pool_task *t)
{
    (void)t;
    atomic_store(&seen, niceness());
}

static void *start_when_nice(void *unused)
{
    struct err e = {0};
    struct pool_task look = {.run = see_niceness};
    int before = niceness();
    ck_assert_int_eq(setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), before + 2), 0);
    struct pool *p = pool_new(1, 1, 3, 0, &e);
    ck_assert(pool_put(p, &look));
    pool_free(p);
    ck_assert_int_eq(atomic_load(&seen), before + 5);
    return unused;
}

TEST(pool_is_nicer_than_whoever_started_it)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, start_when_nice, NULL), 0);
    pthread_join(thread, NULL);
}
