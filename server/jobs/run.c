// SPDX-License-Identifier: MIT
// See run.h.
//
// A run reports to the store in batches of points, several times a second at most, because every
// report is a flushed commit and small jobs finish hundreds of epochs a second. Rows that it has
// found are stored block by block at its end, when there is nothing left that could change them.

#include "server/jobs/run.h"

#include "server/base/clock.h"

#include <unistd.h>

enum { REPORT_MS = 200 };

static int64_t run_now(void)
{
    return clock_mono(&clock_system);
}

double run_seconds(const struct run *r)
{
    return (double)(run_now() - r->begun) / 1000;
}

void run_report(struct run *r)
{
    struct err e = {0};
    r->reported = run_now();
    r->curve.beat.elapsed = r->reported - r->begun;
    r->curve.beat.gap_why = r->why.text;
    bool ok = queue_beat(r->config->queue, r->ticket, &r->curve.beat, &e);
    if (ok)
        curve_stored(&r->curve);
    else
        r->lost = r->lost || e.kind == ERR_CONFLICT;
    if (!ok && !r->unstored)
        LOG(r->config->log, LEVEL_WARN, log_text("event", "progress not stored"),
            log_int("job", r->job.id), log_text("reason", e.text));
    r->unstored = !ok;
    if (!ok)
        r->why = e;
}

// The first point goes out at once: from then on a death of the daemon is not held against the job.
void run_told(struct run *r)
{
    bool first = !r->told, full = curve_full(&r->curve) && !r->unstored;
    r->told = true;
    if (first || full || run_now() - r->reported >= REPORT_MS)
        run_report(r);
}

void run_step(void *run, uint64_t step)
{
    struct run *r = run;
    if (run_now() - r->reported >= 5 * REPORT_MS) {
        r->curve.beat.step = (int64_t)step;
        run_report(r);
    }
}

void run_note(struct run *r, const char *text)
{
    struct err e = {0};
    if (!store_job_note(r->config->store, ticket_lease(r->ticket), "info", text, &e))
        LOG(r->config->log, LEVEL_WARN, log_text("event", "note not stored"),
            log_int("job", r->job.id), log_text("reason", e.text));
}

// After a failure for `why`: whether to try again, after a pause.
static bool wait_for_room(struct run *r, const struct err *why, struct err *e)
{
    r->stop = ticket_poll(r->ticket);
    if (r->stop != STOP_NONE)
        return fail(e, ERR_CANCELLED, "stopped before the result was stored");
    if (why->kind != ERR_NO_SPACE)
        return err_pass(e, why);
    sleep(1);
    return true;
}

static bool settle_curve(struct run *r, struct err *e)
{
    for (run_report(r); r->unstored && r->why.kind == ERR_NO_SPACE; run_report(r))
        if (!wait_for_room(r, &r->why, e))
            return false;
    return true;
}

static bool settle_rows(struct run *r, struct err *e)
{
    const struct row_table *t = &r->rows;
    for (size_t first = 0; t->series.n && first < t->n;) {
        struct err why = {0};
        if (!halt_go_on(&r->halt, e))
            return false;
        if (store_job_put_rows(r->config->store, ticket_lease(r->ticket), t, first, &why))
            first += STORE_BLOCK;
        else if (!wait_for_room(r, &why, e))
            return false;
    }
    return true;
}

bool run_settle(struct run *r, struct err *e)
{
    return settle_curve(r, e) && settle_rows(r, e) && halt_go_on(&r->halt, e);
}

// What was found, as text; NULL when that is nothing, and with e when there is no room for it.
static const char *result_text(struct run *r, struct err *e)
{
    struct jsonw w;
    if (!r->result)
        return NULL;
    jsonw_init(&w, &r->arena);
    schema_write(r->found, r->result, &w, NULL);
    return jsonw_text(&w, NULL, e);
}

bool run_end(struct run *r, const struct model_new *model, struct err *e)
{
    struct job_end end = {.state = JOB_SUCCEEDED, .model = model, .result = result_text(r, e)};
    if (r->result && !end.result)
        return false;
    bool ok = queue_finish(r->config->queue, r->ticket, &end, e);
    r->ticket = NULL;
    if (!ok)
        return false;
    if (end.state != JOB_SUCCEEDED)
        return fail(e, ERR_CANCELLED, "the job was cancelled as it ended");
    LOG(r->config->log, LEVEL_INFO, log_text("event", "job succeeded"), log_int("job", r->job.id),
        log_text("model", model ? model->name : "none"), log_int("version", end.version),
        log_ms("training_ms", (double)(run_now() - r->begun)));
    return true;
}

bool run_conclude(struct run *r, struct err *e)
{
    return run_settle(r, e) && run_end(r, NULL, e);
}
