// SPDX-License-Identifier: MIT
// Models over HTTP: what there is, and how good it is on a dataset. An evaluation goes the way of
// validation: the same preparation, the same metrics, rows without a target left out and counted.

#include "api/views/query.h"
#include "api/views/views.h"
#include "engine/train/score.h"
#include "server/base/memory.h"
#include "server/base/settings.h"
#include "server/files/dataset.h"
#include "server/handlers/handlers.h"
#include "server/handlers/model_reply.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"
#include "server/jobs/cache.h"
#include "server/jobs/model_summary.h"

bool model_fill(struct call *c, const struct model_row *m, struct model_reply *out, struct err *e)
{
    *out = (struct model_reply){
        .id = m->id,
        .name = m->name,
        .version = m->version,
        .job_id = m->job ? m->job : -1,
        .task = m->task,
        .created_at = m->created_at,
        .bytes = m->bytes,
        .digest = m->digest,
        .summary = m->summary,
    };
    return reply_stored(m->summary, true, c->arena, e);
}

bool model_list(struct call *c, struct err *e)
{
    const struct page_query *q = c->query;
    struct model_list list;
    if (!reply_in_time(c, q) ||
        !store_model_list(c->server->store, (size_t)q->limit, q->after, &list, c->arena, e))
        return false;
    struct model_reply *item = reply_room(c, list.n, sizeof *item, e);
    for (size_t i = 0; item && i < list.n; i++)
        if (!model_fill(c, &list.row[i], &item[i], e))
            return false;
    return item && reply_list(c, item, list.n, list.more, e);
}

bool model_get(struct call *c, struct err *e)
{
    const struct version_query *q = c->query;
    struct model_row row;
    struct model_reply out;
    return store_model_get(c->server->store, c->segment[0], q->version, &row, c->arena, e) &&
           model_fill(c, &row, &out, e) && reply_view(c, &out, e);
}

static bool models_no_room(struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "the dataset needs more memory than a job may use");
}

// Rows of the frame that have all targets, of values the model knows; the first n of `row`.
static size_t usable(const struct prep *p, const struct frame *f, uint32_t *row)
{
    size_t n = 0;
    for (uint32_t i = 0; i < f->n_row; i++)
        if (prep_usable(p, f, i))
            row[n++] = i;
    return n;
}

static bool models_encode(const struct prep *p, const struct frame *f, struct train_rows *rows,
                          const struct halt *halt, struct arena *a, struct err *e)
{
    uint32_t *row = arena_alloc(a, f->n_row, sizeof *row);
    if (!row)
        return models_no_room(e);
    size_t n = usable(p, f, row);
    if (n == 0)
        return fail_at(e, ERR_INVALID, "/dataset",
                       "no row has a value of \"%s\"%s that the model knows", p->answer.target[0],
                       p->answer.n_target > 1 ? " and the other targets" : "");
    real *x = arena_alloc(a, n * p->n_feature, sizeof *x);
    real *y = arena_alloc(a, n * p->answer.n_target, sizeof *y);
    if (!x || !y)
        return models_no_room(e);
    prep_encode(p, f, row, n, x, halt);
    prep_encode_target(p, f, row, n, y, halt);
    *rows = (struct train_rows){.x = x, .y = y, .n = n};
    return true;
}

static bool models_score(struct call *c, const struct model_file *file, const char *digest,
                         struct train_rows *rows, struct score *s, struct arena *a, struct err *e)
{
    struct frame frame;
    struct prep bound;
    return dataset_load(c->server->files, digest, &frame, c->halt, a, e) &&
           prep_bind(&bound, &file->prep, &frame, c->halt, a, e) &&
           models_encode(&bound, &frame, rows, c->halt, a, e) &&
           score_rows(s, &file->model, rows, c->halt, a, e);
}

static bool reply_score(struct call *c, const struct served *served, const struct dataset_row *d,
                        const struct train_rows *rows, const struct score *s, struct err *e)
{
    const struct model *model = &served->file->model;
    struct measure_reply metric[METRICS_MAX];
    const struct evaluate_reply out = {
        .model = served->name,
        .version = served->version,
        .dataset = d->name,
        .rows = (int64_t)rows->n,
        .rows_skipped = d->n_row - (int64_t)rows->n,
        .loss = s->loss,
        .metrics = metric,
        .n_metrics = summary_metrics(metric, model, s),
    };
    return reply_view(c, &out, e);
}

static bool models_evaluate(struct call *c, const struct dataset_row *d, int version, struct err *e)
{
    struct served served;
    struct arena a;
    struct score s;
    struct train_rows rows;
    if (!cache_take(c->server->cache, c->segment[0], version, 0, &served, e))
        return false;
    arena_init(&a, memory_of_job(c->server->settings));
    bool ok = models_score(c, served.file, d->digest, &rows, &s, &a, e) &&
              reply_score(c, &served, d, &rows, &s, e);
    if (!ok)
        arena_correct(&a, e);
    arena_release(&a);
    cache_put(c->server->cache, &served);
    return ok;
}

bool model_evaluate(struct call *c, struct err *e)
{
    struct evaluate_request request;
    struct dataset_row dataset;
    return schema_read(&evaluate_request_schema, c->body, c->body_len, &request, c->arena,
                       &c->faults, e) &&
           store_dataset_get(c->server->store, request.dataset, 0, &dataset, c->arena, e) &&
           models_evaluate(c, &dataset, request.version, e);
}
