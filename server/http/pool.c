// SPDX-License-Identifier: MIT
// See pool.h. A list under a lock: tasks take milliseconds and more, so the lock is never the wait.
// Which task runs next is decided by whoever is free, so that a lasting one at the front keeps
// nobody behind it.

#include "server/http/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct pool {
    pthread_mutex_t lock; // guards all below
    pthread_cond_t work;  // a task came or a lasting one ended, or closing
    struct pool_task *first, **last;
    size_t waiting[2], room; // lasting or not
    size_t n_lasting, most;  // that run, and may
    bool closing;
    int niceness;
    size_t n;
    pthread_t thread[];
};

// `was`: the task that *at points to, which may be gone already.
static void unlink_locked(struct pool *p, struct pool_task **at, struct pool_task was)
{
    *at = was.next;
    p->last = was.next ? p->last : at;
    p->waiting[was.lasting]--;
}

// The first that may run now.
static struct pool_task *next_locked(struct pool *p)
{
    struct pool_task **at = &p->first, *task;
    while ((task = *at) && task->lasting && p->n_lasting == p->most)
        at = &task->next;
    if (task)
        unlink_locked(p, at, *task);
    return task;
}

static struct pool_task *pool_take(struct pool *p)
{
    struct pool_task *task;
    pthread_mutex_lock(&p->lock);
    while (!(task = next_locked(p)) && (p->first || !p->closing))
        pthread_cond_wait(&p->work, &p->lock);
    if (task)
        p->n_lasting += task->lasting;
    pthread_mutex_unlock(&p->lock);
    return task;
}

// All who wait are told: one takes the next lasting task, and when the pool closes the others end.
static void end_lasting(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->n_lasting--;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static void *pool_work(void *arg)
{
    struct pool *p = arg;
    id_t self = (id_t)syscall(SYS_gettid);
    setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + p->niceness);
    for (struct pool_task *task; (task = pool_take(p));) {
        bool lasting = task->lasting;
        task->run(task);
        if (lasting)
            end_lasting(p);
    }
    return NULL;
}

bool pool_put(struct pool *p, struct pool_task *task)
{
    pthread_mutex_lock(&p->lock);
    bool fits = !p->closing && p->waiting[task->lasting] < p->room;
    if (fits) {
        task->next = NULL;
        *p->last = task;
        p->last = &task->next;
        p->waiting[task->lasting]++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return fits;
}

// Nothing of a task is looked at once it has left: its owner may have freed it.
void pool_sweep(struct pool *p, bool (*leaves)(struct pool_task *task))
{
    pthread_mutex_lock(&p->lock);
    for (struct pool_task **at = &p->first, *task; (task = *at);) {
        struct pool_task was = *task;
        if (leaves(task))
            unlink_locked(p, at, was);
        else
            at = &task->next;
    }
    pthread_mutex_unlock(&p->lock);
}

static bool start_thread(struct pool *p, size_t stack)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    if (stack)
        pthread_attr_setstacksize(&attr, stack);
    bool ok = pthread_create(&p->thread[p->n], &attr, pool_work, p) == 0;
    pthread_attr_destroy(&attr);
    return ok;
}

struct pool *pool_new(size_t threads, size_t room, int niceness, size_t stack, struct err *e)
{
    struct pool *p = calloc(1, sizeof *p + threads * sizeof *p->thread);
    BUG(!p);
    p->room = room;
    p->most = threads > 1 ? threads - 1 : 1;
    p->niceness = niceness;
    p->last = &p->first;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    for (; p->n < threads; p->n++)
        if (!start_thread(p, stack)) {
            fail(e, ERR_INTERNAL, "could not start thread %zu of %zu for long requests", p->n + 1,
                 threads);
            pool_free(p);
            return NULL;
        }
    return p;
}

void pool_close(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    while (p->n > 0)
        pthread_join(p->thread[--p->n], NULL);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pool_close(p);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
