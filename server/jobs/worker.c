// SPDX-License-Identifier: MIT
// Worker threads: see worker.h.
//
// A run reports to the store in batches of epochs, several times a second at most, because every
// report is a flushed commit and small jobs finish hundreds of epochs a second.

#include "server/jobs/worker.h"

#include "api/files/model_file.h"
#include "engine/model/init_data.h"
#include "engine/table/task.h"
#include "engine/train/train_check.h"
#include "server/base/clock.h"
#include "server/base/crew.h"
#include "server/base/memory.h"
#include "server/files/model_store.h"
#include "server/jobs/epoch_series.h"
#include "server/jobs/lr_series.h"
#include "server/jobs/outcome.h"
#include "server/jobs/warm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REPORT_MS = 200, NICENESS = 10 };

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

// One job in a worker's hands.
struct run {
    struct worker *worker;
    struct ticket *ticket;
    struct job_row job;
    struct arena arena;
    struct job_spec spec;
    struct prepared prepared;
    struct run_state state;
    struct model_file from; // what training starts from; no parameters: from nothing
    struct train_rows train, val, test;
    int64_t begun, reported; // monotonic ms
    struct curve curve;      // epochs not yet reported
    struct halt halt;        // of everything the run does
    enum stop stop;          // why it ended, once it has
    bool lost;               // the lease has gone to another
    bool unstored;           // the last report failed
    struct err why;          // it did
    bool told;               // an epoch has been reported
};

// What the run's work asks, on all of its threads. It is also the run's sign of life.
static bool must_stop(void *ctx)
{
    const struct run *r = ctx;
    return ticket_poll(r->ticket) != STOP_NONE || r->lost;
}

static int64_t now(void)
{
    return clock_mono(&clock_system);
}

// Send what is held. A run whose lease is lost stops at its next step.
static void worker_report(struct run *r)
{
    struct err e = {0};
    r->reported = now();
    r->curve.beat.elapsed = r->reported - r->begun;
    r->curve.beat.gap_why = r->why.text;
    bool ok = queue_beat(r->worker->config->queue, r->ticket, &r->curve.beat, &e);
    if (ok)
        curve_stored(&r->curve);
    else
        r->lost = r->lost || e.kind == ERR_CONFLICT;
    if (!ok && !r->unstored)
        LOG(r->worker->config->log, LEVEL_WARN, log_text("event", "progress not stored"),
            log_int("job", r->job.id), log_text("reason", e.text));
    r->unstored = !ok;
    if (!ok)
        r->why = e;
}

// The first epoch goes out at once: from then on a death of the daemon is not held against the job.
static void report_now_and_then(struct run *r)
{
    bool first = !r->told, full = curve_full(&r->curve) && !r->unstored;
    r->told = true;
    if (first || full || now() - r->reported >= REPORT_MS)
        worker_report(r);
}

static void on_epoch(void *ctx, const struct train_epoch *t)
{
    struct run *r = ctx;
    epoch_series_add(&r->curve, t, (double)(now() - r->begun) / 1000);
    report_now_and_then(r);
}

static void on_point(void *ctx, const struct lr_point *p)
{
    struct run *r = ctx;
    lr_series_add(&r->curve, p);
    report_now_and_then(r);
}

static void on_step(void *ctx, uint64_t step)
{
    struct run *r = ctx;
    if (now() - r->reported >= 5 * REPORT_MS) {
        r->curve.beat.step = (int64_t)step;
        worker_report(r);
    }
}

// What is planned, and what will be recorded of it.
static bool declare_series(struct run *r, struct err *e)
{
    const struct model *m = &r->prepared.model;
    const struct train_spec *s = &r->spec.train;
    struct job_beat *b = &r->curve.beat;
    curve_init(&r->curve);
    if (r->spec.kind == JOB_LR_FINDER) {
        b->epochs = b->steps = r->spec.sweep.steps;
        return lr_series_declare(&r->curve, &r->arena, e);
    }
    uint32_t batches = train_batches(r->train.n, train_batch_size(s, r->train.n), m->by_column);
    b->epochs = train_epochs(s, batches);
    b->steps = (int64_t)train_steps(s, batches);
    b->best_metric = s->monitor;
    return epoch_series_declare(&r->curve, m, s, r->val.n > 0, &r->arena, e);
}

static bool prepare(struct run *r, struct err *e)
{
    struct faults faults;
    struct prepared *p = &r->prepared;
    faults_init(&faults, &r->arena);
    if (!job_spec_read_stored(r->job.spec, r->job.spec_version, &r->spec, &r->arena, e) ||
        !warm_load(r->worker->config->store, r->worker->config->files, &r->spec, &r->from, &r->halt,
                   &r->arena, e) ||
        !prepare_job(p, r->worker->config->files, r->job.digest, &r->spec, &r->from, &r->halt,
                     &r->arena, &faults, e) ||
        !prepare_rows(p, p->split.train, p->split.n_train, &r->train, &r->halt, &r->arena, e) ||
        !prepare_rows(p, p->split.val, p->split.n_val, &r->val, &r->halt, &r->arena, e) ||
        !prepare_rows(p, p->split.test, p->split.n_test, &r->test, &r->halt, &r->arena, e))
        return false;
    return declare_series(r, e) && curve_begin(&r->curve, &r->arena, e);
}

// A line in the job's log: what training is about to work on.
static void worker_note(struct run *r)
{
    const struct worker_config *c = r->worker->config;
    const struct model *m = &r->prepared.model;
    const char *text =
        arena_printf(&r->arena,
                     "%zu training rows, %zu validation rows, %zu test rows; %zu rows without a "
                     "target%s are left out; %u inputs, %zu parameters",
                     r->train.n, r->val.n, r->test.n, r->prepared.split.n_dropped,
                     r->spec.prep.weights ? " or weight" : "", m->n_in, m->n_trained);
    struct err e = {0};
    if (!store_job_note(c->store, ticket_lease(r->ticket), "info", text, &e))
        LOG(c->log, LEVEL_WARN, log_text("event", "note not stored"), log_int("job", r->job.id),
            log_text("reason", e.text));
}

// The network with its first weights.
static bool worker_start(struct run *r, struct err *e)
{
    struct model *m = &r->prepared.model;
    run_state_init(&r->state, &r->arena);
    if (!model_room(m, &r->state, e))
        return false;
    worker_note(r);
    if (!model_init_weights(m, r->spec.train.seed, &r->halt, e) ||
        !init_from_data(m, r->train.x, r->train.n, &r->halt, &r->arena, e))
        return false;
    if (r->spec.from)
        warm_copy(m, &r->prepared.prep, &r->from);
    r->begun = r->reported = now();
    return true;
}

static bool train(struct run *r, const struct exec *x, struct train_result *result, struct err *e)
{
    const struct train_hooks hooks = {.ctx = r, .epoch = on_epoch, .step = on_step};
    return train_run(&r->prepared.model, &r->spec.train, &r->train, &r->val, &hooks, x, result,
                     &r->state, e);
}

static bool worker_sweep(struct run *r, const struct exec *x, struct err *e)
{
    const struct lr_hooks hooks = {r, on_point, on_step};
    struct lr_found found;
    return lr_find(&r->prepared.model, &r->spec.train, &r->spec.sweep, &r->train, &hooks, x, &found,
                   &r->arena, e);
}

// Store the model's file. While the disk is full it waits: the result is there, and an operator can
// make room.
static bool worker_save(struct run *r, const struct digest_part file[static 2], const char *digest,
                        struct err *e)
{
    const struct worker_config *c = r->worker->config;
    for (bool waiting = false;; waiting = true) {
        struct err why = {0};
        if (model_store_save(c->files, file, digest, &r->halt, &why))
            return true;
        r->stop = ticket_poll(r->ticket);
        if (why.kind != ERR_NO_SPACE || r->stop != STOP_NONE)
            return err_pass(e, &why);
        if (!waiting)
            LOG(c->log, LEVEL_ERROR, log_text("event", "a trained model waits for disk space"),
                log_int("job", r->job.id));
        sleep(1);
    }
}

// The curve is stored before the end is. While the disk is full it waits, as save() does.
static bool worker_settle(struct run *r, struct err *e)
{
    for (worker_report(r); r->unstored && r->why.kind == ERR_NO_SPACE; worker_report(r)) {
        r->stop = ticket_poll(r->ticket);
        if (r->stop != STOP_NONE)
            return fail(e, ERR_CANCELLED, "stopped before the result was stored");
        sleep(1);
    }
    return halt_go_on(&r->halt, e);
}

// The last step, in which a cancellation may still come first. A sweep has no model.
static bool conclude(struct run *r, const struct model_new *model, struct err *e)
{
    struct job_end end = {.state = JOB_SUCCEEDED, .model = model};
    bool ok = queue_finish(r->worker->config->queue, r->ticket, &end, e);
    r->ticket = NULL;
    if (!ok)
        return false;
    if (end.state != JOB_SUCCEEDED)
        return fail(e, ERR_CANCELLED, "the job was cancelled as it ended");
    LOG(r->worker->config->log, LEVEL_INFO, log_text("event", "job succeeded"),
        log_int("job", r->job.id), log_text("model", model ? model->name : "none"),
        log_int("version", end.version), log_ms("training_ms", (double)(now() - r->begun)));
    return true;
}

static bool worker_finish(struct run *r, const struct model_new *model, struct err *e)
{
    return worker_settle(r, e) && conclude(r, model, e);
}

static bool worker_put(struct run *r, const struct digest_part file[static 2],
                       const struct model_new *model, struct err *e)
{
    const struct worker_config *c = r->worker->config;
    struct catalog_file coming;
    struct err why = {0};
    catalog_begin(c->catalog, SHELF_MODELS, model->digest, &coming);
    bool ok = worker_save(r, file, model->digest, e) && worker_finish(r, model, e);
    if (!catalog_end(c->catalog, &coming, ok ? CATALOG_STORED : CATALOG_UNSTORED, &why))
        LOG(c->log, LEVEL_WARN, log_text("event", "file of an unpublished model not removed"),
            log_int("job", r->job.id), log_text("reason", why.text));
    return ok;
}

static bool worker_publish(struct run *r, const struct train_result *result, struct err *e)
{
    const struct model *m = &r->prepared.model;
    const struct outcome outcome = {
        &r->prepared, &r->val, &r->test, result, (double)(now() - r->begun) / 1000, &r->halt};
    struct model_new model = {.name = r->job.name,
                              .task = m->answer.task->row.name,
                              .summary = outcome_summary(&outcome, &r->arena, e)};
    char digest[DIGEST_TEXT];
    size_t len;
    const char *header = model.summary ? model_file_header(m, &r->prepared.prep, r->job.name,
                                                           r->job.spec, &len, &r->arena, e)
                                       : NULL;
    if (!header)
        return false;
    const struct digest_part file[] = {{header, len}, {m->value, m->n_value * sizeof *m->value}};
    model.digest = digest;
    model.bytes = (int64_t)(file[0].len + file[1].len);
    return digest_long(file, 2, digest, &r->halt, e) && worker_put(r, file, &model, e);
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
    const struct worker_config *c = r->worker->config;
    struct err e = {0};
    if (r->stop == STOP_NONE)
        r->stop = ticket_poll(r->ticket);
    if (r->curve.beat.n_row)
        worker_report(r);
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

static int take_helpers(struct worker *w, int wanted)
{
    int left = atomic_load(&w->all->helpers), n;
    do
        n = wanted < left ? wanted : left;
    while (!atomic_compare_exchange_weak(&w->all->helpers, &left, left - n));
    return n;
}

// What the job is for, with its threads.
static bool work_off(struct run *r, struct err *e)
{
    struct crew crew;
    const struct exec exec = {.run = crew_run, .ctx = &crew, .halt = &r->halt};
    struct train_result result;
    bool finder = r->spec.kind == JOB_LR_FINDER;
    if (!worker_start(r, e))
        return false;
    int helpers = take_helpers(r->worker, r->spec.train.threads - 1);
    bool ok = crew_init(&crew, (uint32_t)helpers + 1, NICENESS, e);
    if (ok) {
        ok = finder ? worker_sweep(r, &exec, e) : train(r, &exec, &result, e);
        crew_release(&crew);
    }
    atomic_fetch_add(&r->worker->all->helpers, helpers);
    return ok &&
           (finder ? worker_settle(r, e) && conclude(r, NULL, e) : worker_publish(r, &result, e));
}

static void run_job(struct run *r)
{
    struct err e = {0};
    LOG(r->worker->config->log, LEVEL_INFO, log_text("event", "job started"),
        log_int("job", r->job.id), log_text("worker", r->worker->name));
    r->halt = (struct halt){must_stop, r};
    bool ok = prepare(r, &e) && work_off(r, &e);
    if (!ok)
        arena_correct(&r->arena, &e);
    if (!ok && r->ticket)
        worker_give_back(r, &e);
    else if (!ok)
        LOG(r->worker->config->log, LEVEL_WARN, log_text("event", "result discarded"),
            log_int("job", r->job.id), log_text("reason", e.text));
}

// Data that came with the job has no other use once it has ended; after a release the queue still
// needs it.
static void forget_data(const struct run *r)
{
    struct err e = {0};
    if (!r->job.dataset && !catalog_forget(r->worker->config->catalog, r->job.digest, &e))
        LOG(r->worker->config->log, LEVEL_WARN,
            log_text("event", "data of an ended job not removed"), log_int("job", r->job.id),
            log_text("reason", e.text));
}

static bool worker_claim(struct run *r)
{
    struct err e = {0};
    const struct worker_config *c = r->worker->config;
    while (!(r->ticket = queue_claim_wait(c->queue, r->worker->name, &r->job, &r->arena, &e))) {
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
        *r = (struct run){.worker = w};
        arena_init(&r->arena, memory_of_job(w->config->settings));
        more = worker_claim(r);
        if (more) {
            run_job(r);
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
