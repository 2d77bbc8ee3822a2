// SPDX-License-Identifier: MIT
// Predictions over HTTP: scan the body, encode its rows, one pass through the network, print. The
// whole way runs on the polling thread, with a workspace of its own, unless it will take long: a
// model that must be read from disk first, or more arithmetic than a few milliseconds' worth.

#include "api/views/predict_json.h"
#include "api/views/views.h"
#include "engine/base/nearest.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"
#include "server/jobs/cache.h"

#include <string.h>

// Of one request, by how long it may take: milliseconds, some seconds.
static const double FLOPS[] = {[PACE_QUICK] = 2e8, [PACE_SECONDS] = 2e10};

static enum pace predict_pace_of(const struct model *m, size_t n)
{
    double flops = 2.0 * (double)m->n_trained * (double)n;
    return flops <= FLOPS[PACE_QUICK]     ? PACE_QUICK
           : flops <= FLOPS[PACE_SECONDS] ? PACE_SECONDS
                                          : PACE_MINUTES;
}

// Rows worked on at a time. A cell takes two bytes of the text at least, so a short text has few.
static size_t predict_block_rows(struct json_span span, const struct prep *p)
{
    size_t most = span.len / (2 * (p->n_column ? p->n_column : 1)) + 1;
    return most < PREDICT_ROWS ? most : PREDICT_ROWS;
}

// Block by block: x and out have room for `block` rows. After a fault the rest is only read.
static bool answer_blocks(struct call *c, struct instances *in, const struct served *s,
                          size_t block, real *x, double *out, struct jsonw *w, struct err *e)
{
    const struct model *m = &s->file->model;
    const struct exec may_end = {.halt = c->halt};
    size_t width = answer_width(&m->answer);
    for (size_t n; !w->full && (n = instances_next(in, x, block));) {
        if (in->f->total)
            continue;
        predictor_run(s->predictor, x, NULL, n, out, c->pace ? &may_end : NULL);
        if (c->pace && !halt_go_on(c->halt, e))
            return false;
        if (!predict_finite(out, n * width))
            return fail_at(e, ERR_INVALID, "/instances",
                           "the model's answer to one of these rows is not finite: an input is far "
                           "outside of what it was trained on");
        predictions_write(w, &in->p->answer, out, n);
    }
    return faults_none(in->f, e);
}

static bool predict_answer(struct call *c, const struct served *s, struct json_span span,
                           struct err *e)
{
    const struct prep *p = &s->file->prep;
    struct instances in;
    if (!instances_begin(&in, span, p, c->arena, &c->faults, e))
        return false;
    enum pace pace = predict_pace_of(&s->file->model, in.n);
    if (pace > c->pace)
        return call_defer(c, pace);
    size_t block = predict_block_rows(span, p);
    real *x = arena_alloc(c->arena, block, p->n_feature * sizeof *x);
    double *out = arena_alloc(c->arena, block, answer_width(&s->file->model.answer) * sizeof *out);
    if (!x || !out)
        return fail(e, ERR_TOO_LARGE, "the model is too wide for one request");
    const struct predict_reply frame = {s->name, s->version};
    struct jsonw w;
    jsonw_init(&w, c->arena);
    schema_write_to(&predict_view, &frame, "predictions", &w);
    if (!answer_blocks(c, &in, s, block, x, out, &w, e))
        return false;
    schema_write_rest(&predict_view, &frame, "predictions", &w);
    return reply_text(c, &w, e);
}

static const char *predict_nth_name(const void *list, size_t i)
{
    return ((const struct model_list *)list)->row[i].name;
}

static bool predict_no_model(struct call *c, const char *name, const char *text, struct err *e)
{
    struct model_list list;
    struct err ignored = {0};
    bool listed = store_model_list(c->server->store, STORE_PAGE, 0, &list, c->arena, &ignored);
    const char *meant = listed ? nearest(name, predict_nth_name, &list, list.n) : NULL;
    return meant && strcmp(meant, name) != 0
               ? fail(e, ERR_NOT_FOUND, "%s; did you mean \"%s\"?", text, meant)
               : fail(e, ERR_NOT_FOUND, "%s", text);
}

static bool answer_from(struct call *c, const char *name, int64_t version, int64_t job,
                        struct json_span instances, struct err *e)
{
    struct served served;
    struct err why = {0};
    bool taken = (c->pace ? cache_take : cache_take_loaded)(c->server->cache, name, version, job,
                                                            &served, &why);
    if (!taken && !why.kind)
        return call_defer(c, PACE_SECONDS);
    if (!taken)
        return name && why.kind == ERR_NOT_FOUND ? predict_no_model(c, name, why.text, e)
                                                 : err_pass(e, &why);
    bool ok = predict_answer(c, &served, instances, e);
    cache_put(c->server->cache, &served);
    return ok;
}

static bool read_request(struct call *c, struct predict_request *r, struct err *e)
{
    return schema_read(c->route->body, c->body, c->body_len, r, c->arena, &c->faults, e);
}

bool predict(struct call *c, struct err *e)
{
    struct predict_request r;
    if (!read_request(c, &r, e))
        return false;
    if (!r.model == !r.job)
        return fail_at(e, ERR_INVALID, "/model",
                       "give either \"model\" (a name) or \"job\" (a number)");
    if (r.job && r.version)
        return fail_at(e, ERR_INVALID, "/version", "a job has one model; leave the version out");
    return answer_from(c, r.model, r.version, r.job, r.instances, e);
}

bool predict_by_model(struct call *c, struct err *e)
{
    struct predict_request r;
    return read_request(c, &r, e) && answer_from(c, c->segment[0], r.version, 0, r.instances, e);
}

bool predict_by_job(struct call *c, struct err *e)
{
    struct predict_request r;
    int64_t id;
    return call_id(c, 0, "job", &id, e) && read_request(c, &r, e) &&
           answer_from(c, NULL, 0, id, r.instances, e);
}
