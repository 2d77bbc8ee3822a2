// SPDX-License-Identifier: MIT
// The pool: see thread_pool.h.
//
// `left` counts down. Taking a piece is a compare-and-swap from a positive value, so a late helper
// can only ever take a piece of the loop that is open now, and fn and arg, written before `left`,
// stay valid until that piece is finished. Nobody waits for a helper that took nothing: a helper
// that is asleep or descheduled costs the loop no time.
//
// Waiting is a short spin, then a futex: gaps between the steps of a plan are a few microseconds,
// gaps between epochs are not. `sleepers` and `caller_sleeps` only save system calls; whether a
// thread may sleep is decided by the kernel, which compares `call` or `undone`.

#include "server/base/thread_pool.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPINS = 2000 };

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void futex_wait(atomic_uint *word, unsigned seen)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static bool thread_pool_take(struct thread_pool *c, uint32_t *i)
{
    unsigned left = atomic_load(&c->left);
    while (left > 0)
        if (atomic_compare_exchange_weak(&c->left, &left, left - 1)) {
            *i = left - 1;
            return true;
        }
    return false;
}

// Do pieces until none is left to take.
static void thread_pool_work(struct thread_pool *c)
{
    uint32_t i;
    while (thread_pool_take(c, &i)) {
        c->fn(c->arg, i);
        if (atomic_fetch_sub(&c->undone, 1) == 1 && atomic_load(&c->caller_sleeps))
            futex_wake(&c->undone);
    }
}

static bool idle(struct thread_pool *c)
{
    return atomic_load(&c->left) == 0 && !atomic_load(&c->stop);
}

static void await_call(struct thread_pool *c)
{
    unsigned seen = atomic_load(&c->call);
    for (int spin = 0; spin < SPINS; spin++) {
        if (!idle(c))
            return;
        relax();
    }
    atomic_fetch_add(&c->sleepers, 1);
    if (idle(c))
        futex_wait(&c->call, seen);
    atomic_fetch_sub(&c->sleepers, 1);
}

static void await_done(struct thread_pool *c)
{
    unsigned undone;
    for (int spin = 0; spin < SPINS; spin++) {
        if (!atomic_load(&c->undone))
            return;
        relax();
    }
    atomic_store(&c->caller_sleeps, true);
    while ((undone = atomic_load(&c->undone)))
        futex_wait(&c->undone, undone);
    atomic_store(&c->caller_sleeps, false);
}

static void *thread_pool_help(void *arg)
{
    struct thread_pool *c = arg;
    if (c->nice)
        setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), c->nice);
    while (!atomic_load(&c->stop)) {
        thread_pool_work(c);
        await_call(c);
    }
    return NULL;
}

static void call_helpers(struct thread_pool *c)
{
    atomic_fetch_add(&c->call, 1);
    if (atomic_load(&c->sleepers))
        futex_wake(&c->call);
}

void thread_pool_run(void *pool, uint32_t n, void (*fn)(void *arg, uint32_t i), void *arg)
{
    struct thread_pool *c = pool;
    if (n < 2 || !c->n_helper) {
        for (uint32_t i = 0; i < n; i++)
            fn(arg, i);
        return;
    }
    BUG(atomic_load(&c->undone));
    c->fn = fn;
    c->arg = arg;
    atomic_store(&c->undone, n);
    atomic_store(&c->left, n);
    call_helpers(c);
    thread_pool_work(c);
    await_done(c);
}

bool thread_pool_init(struct thread_pool *c, uint32_t n_thread, int nice, struct err *e)
{
    memset(c, 0, sizeof *c);
    c->nice = nice;
    if (n_thread < 1 || n_thread > CREW_MAX)
        return fail(e, ERR_INVALID, "a job runs on 1 to %d threads, got %u", CREW_MAX, n_thread);
    for (; c->n_helper < n_thread - 1; c->n_helper++) {
        int code = pthread_create(&c->helper[c->n_helper], NULL, thread_pool_help, c);
        if (code) {
            thread_pool_release(c);
            return fail(e, ERR_INTERNAL, "could not start a thread: %s", strerror(code));
        }
    }
    return true;
}

void thread_pool_release(struct thread_pool *c)
{
    atomic_store(&c->stop, true);
    call_helpers(c);
    for (uint32_t i = 0; i < c->n_helper; i++)
        pthread_join(c->helper[i], NULL);
    c->n_helper = 0;
}
