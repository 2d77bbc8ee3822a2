// SPDX-License-Identifier: MIT
// A job's curves over HTTP: what the store has of them becomes a chart, which comes in many forms.

#include "api/views/chart.h"
#include "api/views/query.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"

// The names of the columns; NULL when there is no memory for them.
static const char *const *column_names(const struct series_list *l, struct arena *a)
{
    const char **name = arena_alloc(a, l->n, sizeof *name);
    for (size_t k = 0; name && k < l->n; k++)
        name[k] = l->item[k].name;
    return name;
}

// The job is read before its curve, so the curve reaches as far as the best epoch.
static bool read_chart(struct call *c, int64_t id, const struct curve_part *part, struct chart *out,
                       struct err *e)
{
    struct job_row job;
    struct series_table t;
    if (!store_job_get(c->server->store, id, &job, c->arena, e) ||
        !store_job_series(c->server->store, id, part, &t, c->arena, e))
        return false;
    *out = (struct chart){.title = arena_printf(c->arena, "job %lld: %s", (long long)id, job.name),
                          .n = t.n_row,
                          .n_column = t.series.n,
                          .epoch = t.epoch,
                          .step = t.step,
                          .name = column_names(&t.series, c->arena),
                          .value = t.value,
                          .after = part->after,
                          .best = job.best_epoch};
    return out->name || arena_fail(c->arena, e, "the names of the columns");
}

bool job_metrics(struct call *c, struct err *e)
{
    const struct epochs_query *q = c->query;
    const struct curve_part part = {q->after_epoch, 1, (size_t)q->limit, SERIES_RUN};
    int64_t id;
    struct chart chart;
    return call_id(c, 0, "job", &id, e) && read_chart(c, id, &part, &chart, e) &&
           reply_render(c, &chart, e);
}
