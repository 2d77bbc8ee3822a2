// SPDX-License-Identifier: MIT
// See job_reply.h. What the store does not know is made here: a word for where the job stands, how
// much time is left, where to go on.

#include "server/handlers/job_reply.h"

#include "server/base/clock.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"

#include <math.h>
#include <string.h>

static struct json_span job_json(const char *text)
{
    return (struct json_span){text, text ? strlen(text) : 0};
}

static double job_fraction(const struct job_row *j)
{
    return j->state == JOB_SUCCEEDED ? 1 : j->steps ? (double)j->step / (double)j->steps : 0;
}

// What is left at the pace so far. Both the steps and the time they took are the run's own report,
// so no change of the clock gets in.
static double job_eta(const struct job_row *j)
{
    if (j->state != JOB_RUNNING || j->step == 0)
        return NAN;
    return (double)j->elapsed / 1000 * (double)(j->steps - j->step) / (double)j->step;
}

// A link to every route that is one step below a job.
static void job_urls(struct job_reply *out, const struct router *r, struct arena *a)
{
    static const char below[] = "/jobs/{id}/";
    struct url_reply *url = arena_need(a, r->n + 1, sizeof *url);
    const char *self = arena_printf(a, "/jobs/%lld", (long long)out->id);
    size_t n = 0;
    url[n++] = (struct url_reply){"self", self};
    for (size_t i = 0; i < r->n; i++) {
        const char *path = r->row[i].path, *what = path + sizeof below - 1;
        if (strncmp(path, below, sizeof below - 1) == 0 && !strchr(what, '/'))
            url[n++] = (struct url_reply){what, arena_printf(a, "%s/%s", self, what)};
    }
    out->urls = url;
    out->n_urls = n;
}

bool job_fill(struct call *c, const struct job_row *j, const struct faults *notes,
              struct job_reply *out, struct err *e)
{
    bool stopping = j->state == JOB_RUNNING && j->cancel_requested;
    double eta = job_eta(j), now = (double)clock_wall(&clock_system) / 1000;
    const char *at = j->error_at && *j->error_at ? j->error_at : NULL;
    *out = (struct job_reply){
        .id = j->id,
        .name = j->name,
        .status = stopping ? "cancelling" : job_state_word(j->state),
        .dataset = j->dataset,
        .dataset_digest = j->digest,
        .created_at = j->created_at,
        .queued_at = j->queued_at,
        .started_at = j->started_at,
        .finished_at = j->finished_at,
        .run_at = j->run_at,
        .queue_position = j->position - 1,
        .attempt = j->attempt,
        .crashes = j->crashes,
        .deaths = j->deaths,
        .runs_alone = j->blame >= BLAME_SUSPECT && !job_ended(j->state),
        .progress = {job_fraction(j), j->epoch, j->epochs, j->step, j->steps},
        .elapsed_seconds = (double)j->elapsed / 1000,
        .eta_seconds = eta,
        .estimated_finish = now + eta,
        .best = {j->best_epoch ? j->best_epoch : -1, j->best_metric, j->best_value},
        .error = {j->error_kind, j->error_text, at},
        .model = {j->model, j->version},
        .priority = (int)j->priority,
        .metadata = job_json(j->metadata),
        .definition = job_json(j->spec),
        .result = job_json(j->result),
        .notes = notes && notes->n_note ? notes->note : NULL,
        .n_notes = notes ? notes->n_note : 0,
    };
    job_urls(out, &c->server->routes, c->arena);
    return reply_stored(j->metadata, false, c->arena, e) &&
           reply_stored(j->spec, true, c->arena, e) && reply_stored(j->result, true, c->arena, e);
}

bool job_reply_one(struct call *c, const struct job_row *row, struct err *e)
{
    struct job_reply out;
    return job_fill(c, row, &c->faults, &out, e) && reply_view(c, &out, e);
}
