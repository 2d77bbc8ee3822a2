// SPDX-License-Identifier: MIT
// Worker threads: see worker.h. A worker claims a job and walks the row of its kind (job_kind.h):
// what the job is for is not its business, only how it begins, with how many threads, and what
// becomes of it when it does not get to its end.

#include "server/jobs/worker.h"

#include "server/base/clock.h"
#include "server/base/thread_pool.h"
#include "server/base/memory.h"
#include "server/jobs/job_kind.h"
#include "server/jobs/fine_tune.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICENESS = 10 };

struct worker {
    pthread_t thread;
    struct workers *all;
    const struct worker_config *config;
    char name[32];
};

struct workers {
    struct worker_config config;
    pthread_mutex_t start; // held until it is known whether all threads could be had
    bool called_off;
    atomic_int helpers; // not given to any job
    size_t n;
    struct worker worker[];
};

// What the run's work asks, on all of its threads. It is also the run's sign of life.
static bool must_stop(void *ctx)
{
    const struct run *r = ctx;
    return ticket_poll(r->ticket) != STOP_NONE || r->lost;
}

static bool worker_prepare(struct run *r, struct err *e)
{
    struct faults faults;
    struct prepared *p = &r->prepared;
    const struct worker_config *c = r->config;
    faults_init(&faults, &r->arena);
    if (!job_spec_read_stored(r->job.spec, r->job.spec_version, &r->spec, &r->arena, e) ||
        !fine_tune_load(c->store, c->files, &r->spec, &r->from, &r->halt, &r->arena, e) ||
        !prepare_job(p, c->files, r->job.digest, &r->spec, &r->from, &r->halt, &r->arena, &faults,
                     e))
        return false;
    const struct job_kind *kind = job_kind_of(&r->spec);
    r->found = kind->result;
    curve_init(&r->curve);
    return (!kind->check || kind->check(&r->spec, p, &r->arena, e)) && kind->begin(r, e) &&
           curve_begin(&r->curve, &r->arena, e);
}

// What becomes of a job that did not get to its end.
enum ending { END_CANCELLED, END_RELEASED, END_LATER, END_AGAIN, END_FAILED };

static enum ending ending_of(const struct run *r, const struct err *why)
{
    if (r->stop == STOP_CANCEL)
        return END_CANCELLED;
    if (r->stop != STOP_NONE || why->kind == ERR_CANCELLED)
        return END_RELEASED;
    return why->kind == ERR_BUSY ? END_LATER : why->kind == ERR_INTERNAL ? END_AGAIN : END_FAILED;
}

static void worker_give_back(struct run *r, const struct err *why)
{
    static const char *const event[] = {
        [END_CANCELLED] = "job cancelled",
        [END_RELEASED] = "job released, to go on later",
        [END_LATER] = "job to be tried later, when there may be what it needs",
        [END_AGAIN] = "job to be tried again after a failure of the system",
        [END_FAILED] = "job failed",
    };
    const struct worker_config *c = r->config;
    struct err e = {0};
    if (r->stop == STOP_NONE)
        r->stop = ticket_poll(r->ticket);
    if (r->curve.beat.n_row)
        run_report(r);
    enum ending ending = ending_of(r, why);
    LOG(c->log, ending < END_LATER ? LEVEL_INFO : LEVEL_WARN, log_text("event", event[ending]),
        log_int("job", r->job.id), log_text("kind", err_word(why->kind)),
        log_text("reason", why->text));
    if (ending == END_CANCELLED)
        queue_finish(c->queue, r->ticket, &(struct job_end){.state = JOB_CANCELLED}, &e);
    else if (ending == END_RELEASED)
        queue_release(c->queue, r->ticket, &e);
    else if (ending == END_LATER)
        queue_lose(c->queue, r->ticket, RUN_STARVED, why->text, &e);
    else if (ending == END_AGAIN)
        queue_lose(c->queue, r->ticket, RUN_CRASHED, why->text, &e);
    else
        queue_finish(c->queue, r->ticket, &(struct job_end){.state = JOB_FAILED, .why = why}, &e);
    if (e.kind)
        LOG(c->log, LEVEL_WARN, log_text("event", "job not given back"), log_int("job", r->job.id),
            log_text("reason", e.text));
}

static int take_helpers(struct workers *all, int wanted)
{
    int left = atomic_load(&all->helpers), n;
    do
        n = wanted < left ? wanted : left;
    while (!atomic_compare_exchange_weak(&all->helpers, &left, left - n));
    return n;
}

// What the job is for, with its threads.
static bool work_off(struct workers *all, struct run *r, struct err *e)
{
    struct thread_pool pool;
    const struct exec exec = {.run = thread_pool_run, .ctx = &pool, .halt = &r->halt};
    const struct job_kind *kind = job_kind_of(&r->spec);
    r->begun = r->reported = clock_mono(&clock_system);
    int helpers = take_helpers(all, r->spec.train.threads - 1);
    bool ok = thread_pool_init(&pool, (uint32_t)helpers + 1, NICENESS, e);
    if (ok) {
        ok = kind->work(r, &exec, e);
        thread_pool_release(&pool);
    }
    atomic_fetch_add(&all->helpers, helpers);
    return ok && kind->conclude(r, e);
}

static void run_job(struct workers *all, struct run *r)
{
    struct err e = {0};
    LOG(r->config->log, LEVEL_INFO, log_text("event", "job started"), log_int("job", r->job.id),
        log_text("worker", r->worker));
    r->halt = (struct halt){must_stop, r};
    bool ok = worker_prepare(r, &e) && work_off(all, r, &e);
    if (!ok)
        arena_correct(&r->arena, &e);
    if (!ok && r->ticket)
        worker_give_back(r, &e);
    else if (!ok)
        LOG(r->config->log, LEVEL_WARN, log_text("event", "result discarded"),
            log_int("job", r->job.id), log_text("reason", e.text));
}

// Data that came with the job has no other use once it has ended; after a release the queue still
// needs it.
static void forget_data(const struct run *r)
{
    struct err e = {0};
    if (!r->job.dataset && !catalog_forget(r->config->catalog, r->job.digest, &e))
        LOG(r->config->log, LEVEL_WARN, log_text("event", "data of an ended job not removed"),
            log_int("job", r->job.id), log_text("reason", e.text));
}

static bool worker_claim(struct run *r)
{
    struct err e = {0};
    const struct worker_config *c = r->config;
    while (!(r->ticket = queue_claim_wait(c->queue, r->worker, &r->job, &r->arena, &e))) {
        if (e.kind == ERR_CANCELLED)
            return false;
        LOG(c->log, LEVEL_WARN, log_text("event", "no job could be claimed"),
            log_text("reason", e.text));
        e = (struct err){0};
    }
    return true;
}

static bool may_start(struct workers *w)
{
    pthread_mutex_lock(&w->start);
    bool yes = !w->called_off;
    pthread_mutex_unlock(&w->start);
    return yes;
}

static void *worker_work(void *arg)
{
    struct worker *w = arg;
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    struct run *r = malloc(sizeof *r);
    BUG(!r);
    for (bool more = may_start(w->all); more;) {
        *r = (struct run){.config = w->config, .worker = w->name};
        arena_init(&r->arena, memory_of_job(w->config->settings));
        more = worker_claim(r);
        if (more) {
            run_job(w->all, r);
            forget_data(r);
        }
        arena_release(&r->arena);
    }
    free(r);
    return NULL;
}

static bool worker_start_threads(struct workers *w, size_t n, struct err *e)
{
    for (; w->n < n; w->n++) {
        struct worker *one = &w->worker[w->n];
        one->all = w;
        one->config = &w->config;
        snprintf(one->name, sizeof one->name, "worker-%zu", w->n + 1);
        if (pthread_create(&one->thread, NULL, worker_work, one) != 0)
            return fail(e, ERR_INTERNAL, "could not start worker thread %zu of %zu", w->n + 1, n);
    }
    return true;
}

struct workers *workers_start(const struct worker_config *c, struct err *e)
{
    size_t n = (size_t)c->settings->workers;
    struct workers *w = calloc(1, sizeof *w + n * sizeof *w->worker);
    BUG(!w);
    w->config = *c;
    atomic_init(&w->helpers, c->helpers);
    pthread_mutex_init(&w->start, NULL);
    pthread_mutex_lock(&w->start);
    w->called_off = !worker_start_threads(w, n, e);
    bool ok = !w->called_off;
    pthread_mutex_unlock(&w->start);
    if (ok)
        return w;
    workers_join(w);
    return NULL;
}

void workers_join(struct workers *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n; i++)
        pthread_join(w->worker[i].thread, NULL);
    pthread_mutex_destroy(&w->start);
    free(w);
}
