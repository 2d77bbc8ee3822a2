// SPDX-License-Identifier: MIT
// What a learning-rate finder has found: its curve, and what lr_suggest() reads from it.

#include "api/schema/job_schema.h"
#include "engine/model/metric.h"
#include "engine/optim/optim.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/handlers/reply_series.h"
#include "server/handlers/server.h"
#include "server/jobs/lr_series.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

bool job_definition(struct call *c, int64_t id, struct job_row *job, struct job_spec *spec,
                    struct err *e)
{
    struct err why = {0};
    if (!store_job_get(c->server->store, id, job, c->arena, e))
        return false;
    if (job_spec_read_stored(job->spec, job->spec_version, spec, c->arena, &why))
        return true;
    return fail(e, why.kind == ERR_INVALID ? ERR_INTERNAL : why.kind, "job %" PRId64 ": %s", id,
                why.text);
}

static void write_job(struct jsonw *w, const struct job_spec *spec, double lr)
{
    struct job_spec next = *spec;
    if (!isfinite(lr)) {
        jsonw_null(w, "job");
        return;
    }
    next.kind = KIND_train;
    pick_set(&optimizer_table, &next.train.optimizer, "lr", lr);
    job_spec_write(w, "job", &next);
}

bool job_lr(struct call *c, struct err *e)
{
    int64_t id;
    struct job_row job;
    struct job_spec spec;
    struct series_table t;
    if (!call_id(c, 0, "job", &id, e) || !job_definition(c, id, &job, &spec, e))
        return false;
    if (spec.kind != KIND_lr_finder)
        return fail(e, ERR_CONFLICT,
                    "job %" PRId64 " is no sweep; post a job with \"kind\": \"lr_finder\"", id);
    const struct lr_sweep *sweep = job_part(&spec);
    const struct curve_part all = {0, 1, STORE_CURVE, SERIES_RUN};
    const struct lr_point *point;
    if (!store_job_series(c->server->store, id, &all, &t, c->arena, e) ||
        !(point = lr_series_points(&t, c->arena, e)))
        return false;
    uint32_t *scratch = arena_alloc(c->arena, t.n_row + 1, sizeof *scratch);
    if (!scratch)
        return fail(e, ERR_TOO_LARGE, "the sweep needs more memory than one request may use");
    struct lr_found found = lr_suggest(point, t.n_row, sweep->steps, scratch);
    struct jsonw w = reply_begin(c);
    jsonw_int(&w, "job_id", id);
    jsonw_string(&w, "status", job_state_word(job.state));
    jsonw_real(&w, "valley", found.valley);
    jsonw_real(&w, "steep", found.steep);
    jsonw_real(&w, "minimum", found.minimum);
    for (size_t k = 0; k < LR_SERIES; k++)
        reply_series(&w, lr_series_name[k], &t, series_find(&t.series, "", lr_series_name[k]));
    write_job(&w, &spec, found.valley);
    return reply_end(c, &w, e);
}
