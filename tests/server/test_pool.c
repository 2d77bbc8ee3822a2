// SPDX-License-Identifier: MIT
#include "pool.h"

#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TASKS = 100 };

static struct counted {
    struct pool_task task;
    atomic_int runs;
} task[TASKS];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void count(struct pool_task *t)
{
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
