// SPDX-License-Identifier: MIT
// Tickets over the store: see queue.h; queue_lease.c keeps their leases.
//
// A worker that finds nothing waits for the store's number of arrivals to differ from what it was
// before it looked, so that no submission falls between the look and the wait, whoever submits.

#include "server/jobs/queue.h"

#include "server/jobs/queue_lease.h"
#include "server/jobs/queue_state.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 1000, WAIT_MS = 60000 };

// Tickets --------------------------------------------------------------------------------------

static void ask_stop(struct queue *q, struct ticket *t, enum stop why)
{
    pthread_mutex_lock(&q->lock);
    ticket_ask_stop(t, why);
    pthread_mutex_unlock(&q->lock);
}

static struct ticket *ticket_new(struct queue *q, const struct job_claim *claim, int64_t asked)
{
    pthread_mutex_lock(&q->lock);
    struct ticket *t = q->ticket;
    while (t < q->ticket + QUEUE_TICKETS && t->hands != FREE)
        t++;
    BUG(t == q->ticket + QUEUE_TICKETS);
    *t = (struct ticket){.lease = claim->lease, .hands = WORKER, .renewed = asked, .moved = asked};
    if (q->draining)
        ticket_ask_stop(t, STOP_DRAIN);
    pthread_mutex_unlock(&q->lock);
    return t;
}

// Claiming -------------------------------------------------------------------------------------

// A cancellation that was committed before the ticket existed found nothing to mark.
static void catch_up(struct queue *q, struct ticket *t, struct arena *a)
{
    struct err ignored = {0};
    struct job_row job;
    struct arena_mark m = arena_mark(a);
    if (store_job_get(q->store, t->lease.job, &job, a, &ignored) && job.cancel_requested)
        ask_stop(q, t, STOP_CANCEL);
    arena_rewind(a, m);
}

static int64_t pause_before(int64_t next_in)
{
    return next_in <= 0 || next_in > WAIT_MS ? WAIT_MS : next_in;
}

static bool draining(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool yes = q->draining;
    pthread_mutex_unlock(&q->lock);
    return yes;
}

struct ticket *queue_claim_wait(struct queue *q, const char *worker, struct job_row *job,
                                struct arena *a, struct err *e)
{
    for (;;) {
        uint64_t seen = store_job_arrivals(q->store);
        if (draining(q))
            break;
        int64_t asked = queue_now(q);
        struct job_claim claim;
        if (!store_job_claim(q->store, worker, &claim, a, e)) {
            store_job_await(q->store, seen, RETRY_MS);
            return NULL;
        }
        if (claim.lease.job) {
            *job = claim.job;
            struct ticket *t = ticket_new(q, &claim, asked);
            catch_up(q, t, a);
            return t;
        }
        store_job_await(q->store, seen, pause_before(claim.next_in));
    }
    fail(e, ERR_CANCELLED, "the daemon is stopping");
    return NULL;
}

bool queue_cancel(struct queue *q, int64_t id, struct job_row *out, struct arena *a, struct err *e)
{
    if (!store_job_cancel(q->store, id, out, a, e))
        return false;
    pthread_mutex_lock(&q->lock);
    for (struct ticket *t = q->ticket; t < q->ticket + QUEUE_TICKETS; t++)
        if (t->hands == WORKER && t->lease.job == id)
            ticket_ask_stop(t, STOP_CANCEL);
    pthread_mutex_unlock(&q->lock);
    return true;
}

void queue_drain(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->draining = true;
    for (struct ticket *t = q->ticket; t < q->ticket + QUEUE_TICKETS; t++)
        if (t->hands == WORKER)
            ticket_ask_stop(t, STOP_DRAIN);
    pthread_cond_broadcast(&q->drain);
    pthread_mutex_unlock(&q->lock);
    store_job_wake(q->store);
}

// Running and giving back ----------------------------------------------------------------------

bool queue_beat(struct queue *q, struct ticket *t, const struct job_beat *beat, struct err *e)
{
    bool cancel;
    int64_t asked = queue_now(q);
    if (!store_job_beat(q->store, &t->lease, beat, &cancel, e)) {
        if (e->kind == ERR_CONFLICT)
            ask_stop(q, t, STOP_LOST);
        return false;
    }
    queue_note_fate(q, asked, &t->lease, cancel ? LEASE_CANCEL : LEASE_HELD);
    return true;
}

// The store has the job's end, or will never take it from us; anything else leaves an orphan.
static bool queue_give_back(struct queue *q, struct ticket *t, bool ok, const struct err *why,
                            struct err *e)
{
    pthread_mutex_lock(&q->lock);
    t->hands = ok || why->kind == ERR_CONFLICT ? FREE : ORPHAN;
    pthread_mutex_unlock(&q->lock);
    return ok || err_pass(e, why);
}

// Whether to try again to finish, after a while; not when the lease is about to end.
static bool wait_to_retry(struct queue *q, struct ticket *t)
{
    struct timespec until = clock_after(RETRY_MS);
    int rc = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->draining && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&q->drain, &q->lock, &until);
    bool again = !q->draining && ticket_poll(t) == STOP_NONE &&
                 queue_now(q) < t->renewed + STORE_LEASE_MS - QUEUE_MARGIN_MS;
    pthread_mutex_unlock(&q->lock);
    return again;
}

// An end that the store would refuse each time is not left to the sweep, which would begin the run
// again for ever. What is too large stays so; what went wrong inside counts as a crash, of which
// there is a last one. Without a word from the store about that the sweep still has the job.
static bool refuse_end(struct queue *q, const struct ticket *t, const struct err *why)
{
    struct err told = {0}, ignored = {0};
    fail(&told, why->kind, "the result could not be stored: %s", why->text);
    struct job_end failed = {.state = JOB_FAILED, .why = &told};
    return (why->kind == ERR_TOO_LARGE &&
            store_job_finish(q->store, &t->lease, &failed, &ignored)) ||
           (why->kind == ERR_INTERNAL &&
            store_job_rescue(q->store, &t->lease, RUN_CRASHED, told.text, &ignored));
}

bool queue_finish(struct queue *q, struct ticket *t, struct job_end *end, struct err *e)
{
    struct err why;
    bool ok;
    do {
        why = (struct err){0};
        ok = store_job_finish(q->store, &t->lease, end, &why);
    } while (!ok && why.kind == ERR_NO_SPACE && wait_to_retry(q, t));
    queue_give_back(q, t, ok || refuse_end(q, t, &why), &why, &(struct err){0});
    return ok || err_pass(e, &why);
}

bool queue_release(struct queue *q, struct ticket *t, struct err *e)
{
    struct err why = {0};
    bool ok = store_job_release(q->store, &t->lease, &why);
    return queue_give_back(q, t, ok, &why, e);
}

bool queue_lose(struct queue *q, struct ticket *t, enum run_loss loss, const char *text,
                struct err *e)
{
    struct err why = {0};
    bool ok = store_job_rescue(q->store, &t->lease, loss, text, &why);
    return queue_give_back(q, t, ok, &why, e);
}

// The next job that somebody still has, from that slot on.
static bool next_held(struct queue *q, size_t *from, struct lease *lease)
{
    bool found = false;
    pthread_mutex_lock(&q->lock);
    while (!found && *from < QUEUE_TICKETS) {
        struct ticket *t = &q->ticket[(*from)++];
        found = t->hands != FREE && !t->taken;
        *lease = t->lease;
        t->taken = t->taken || found;
    }
    pthread_mutex_unlock(&q->lock);
    return found;
}

int64_t queue_take_back(struct queue *q)
{
    int64_t n = 0;
    struct lease lease;
    for (size_t from = 0; next_held(q, &from, &lease);)
        n += store_job_release(q->store, &lease, &(struct err){0});
    return n;
}

// The thread -----------------------------------------------------------------------------------

static bool wait_for_beat(struct queue *q)
{
    struct timespec until = clock_after(QUEUE_BEAT_MS);
    int rc = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->closing && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&q->beat, &q->lock, &until);
    bool go_on = !q->closing;
    pthread_mutex_unlock(&q->lock);
    return go_on;
}

static void *beat_main(void *arg)
{
    while (wait_for_beat(arg))
        queue_tick(arg);
    return NULL;
}

// Life -----------------------------------------------------------------------------------------

static void queue_init_locks(struct queue *q)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->drain, &attr);
    pthread_cond_init(&q->beat, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&q->lock, NULL);
}

static void queue_destroy(struct queue *q)
{
    pthread_cond_destroy(&q->drain);
    pthread_cond_destroy(&q->beat);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

struct queue *queue_new(struct store *store, const struct clock *clock, int64_t *n, struct err *e)
{
    if (!store_job_rescue_dead(store, n, e))
        return NULL;
    struct queue *q = calloc(1, sizeof *q);
    BUG(!q);
    q->store = store;
    q->clock = clock;
    queue_init_locks(q);
    int rc = pthread_create(&q->thread, NULL, beat_main, q);
    if (rc == 0)
        return q;
    fail(e, ERR_INTERNAL, "could not start the queue's thread: %s", strerror(rc));
    queue_destroy(q);
    return NULL;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->closing = true;
    pthread_cond_signal(&q->beat);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    queue_destroy(q);
}
