// SPDX-License-Identifier: MIT
// Looking inside a model over HTTP: its graph, a pass with all its values and gradients, and
// whether the gradients are right.

#include "api/views/graph_doc.h"
#include "api/views/predict_json.h"
#include "api/views/query.h"
#include "api/views/trace_json.h"
#include "api/views/views.h"
#include "engine/model/gradcheck.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/handlers/server.h"
#include "server/jobs/cache.h"

#include <math.h>
#include <string.h>

static const double TOLERANCE = 1e-5;      // relative; in double, differences are good to 1e-8
static const double GRADCHECK_FLOPS = 1e9; // of a check: well under a second
enum { GRADCHECK_MOST = 2000, GRADCHECK_LEAST = 50 };

// The graph that the query asks for.
static const struct graph *chosen_graph(struct call *c, const struct model *m, struct err *e)
{
    const struct graph_query *q = c->query;
    if (q->graph == GRAPH_TRAIN)
        return &m->train;
    if (q->graph == GRAPH_SERVE)
        return &m->serve;
    struct inspection *v = arena_need(c->arena, 1, sizeof *v);
    return model_inspect(m, v, c->arena, e) ? &v->graph : NULL;
}

static bool inspect_no_room(struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "the graph needs more memory than one request may use");
}

bool model_graph(struct call *c, struct err *e)
{
    const struct graph_query *q = c->query;
    struct served served;
    if (!cache_take(c->server->cache, c->segment[0], q->version, 0, &served, e))
        return false;
    const struct graph *g = chosen_graph(c, &served.file->model, e);
    bool ok = g && reply_render(c, &(struct graph_doc){served.name, served.version, g}, e);
    cache_put(c->server->cache, &served);
    return ok;
}

// Rows and targets of a request, as the network sees them.
struct sample {
    real *x, *y; // y NULL: no targets
    size_t n;
};

static bool read_sample(struct call *c, const struct inspect_request *r, const struct model_file *f,
                        struct sample *s, struct err *e)
{
    size_t n = json_count(r->instances);
    s->y = NULL;
    if (n > TRACE_ROWS)
        return fail_at(e, ERR_INVALID, "/instances", "must be at most %d rows, got %zu", TRACE_ROWS,
                       n);
    if (!instances_read(r->instances, &f->prep, &s->x, &s->n, c->arena, &c->faults, e))
        return false;
    return !r->targets.at ||
           targets_read(r->targets, &f->model, s->n, &s->y, c->arena, &c->faults, e);
}

// Read the request, take the model, do the work on it, give it back.
static bool with_model(struct call *c,
                       bool (*work)(struct call *, const struct served *,
                                    const struct inspect_request *, struct err *),
                       struct err *e)
{
    struct inspect_request r;
    struct served served;
    if (!schema_read(c->route->body, c->body, c->body_len, &r, c->arena, &c->faults, e) ||
        !cache_take(c->server->cache, c->segment[0], r.version, 0, &served, e))
        return false;
    bool ok = work(c, &served, &r, e);
    cache_put(c->server->cache, &served);
    return ok;
}

static bool finite_loss(double loss, struct err *e)
{
    return isfinite(loss) ||
           fail_at(e, ERR_INVALID, "/targets",
                   "the loss of these rows is not finite; targets or inputs are far from what the "
                   "model answers");
}

static bool trace(struct call *c, const struct served *s, const struct inspect_request *r,
                  struct err *e)
{
    struct sample sample;
    struct trace t;
    if (!read_sample(c, r, s->file, &sample, e) ||
        !trace_run(&t, &s->file->model, sample.x, sample.y, sample.n, c->halt, c->arena, e))
        return false;
    if (t.gradients && !finite_loss((double)t.plan.buf[t.view.graph.n - 1].v[0], e))
        return false;
    if (trace_numbers(&t) > TRACE_NUMBERS)
        return fail_at(
            e, ERR_INVALID, "/instances",
            "the trace would have %zu numbers, at most %d are shown; send fewer rows, or "
            "look into a smaller model",
            trace_numbers(&t), TRACE_NUMBERS);
    const struct trace_reply out = {
        .model = s->name,
        .version = s->version,
        .rows = (int64_t)sample.n,
        .loss = t.gradients ? (float)t.plan.buf[t.view.graph.n - 1].v[0] : NAN,
        .nodes = trace_view_nodes(&t, c->arena),
        .n_nodes = trace_nodes(&t),
    };
    return out.nodes ? reply_view(c, &out, e) : inspect_no_room(e);
}

bool model_trace(struct call *c, struct err *e)
{
    return with_model(c, trace, e);
}

static bool reply_check(struct call *c, const struct served *s, const struct gradcheck *g,
                        struct err *e)
{
    const struct gradcheck_part *worst = &g->part[g->worst];
    struct gradcheck_part_reply *part = arena_alloc(c->arena, g->n, sizeof *part);
    if (!part)
        return inspect_no_room(e);
    for (size_t i = 0; i < g->n; i++) {
        const struct gradcheck_part *p = &g->part[i];
        part[i] = (struct gradcheck_part_reply){
            .name = p->name,
            .size = (int64_t)p->n,
            .checked = (int64_t)p->checked,
            .kinks = (int64_t)p->kinks,
            .worst_index = (int64_t)p->worst,
            .autograd = p->autograd,
            .difference = p->difference,
            .relative_error = p->error,
        };
    }
    const struct gradcheck_reply out = {
        .model = s->name,
        .version = s->version,
        .loss = g->loss,
        .passed = worst->error <= TOLERANCE,
        .tolerance = TOLERANCE,
        .worst = worst->name,
        .worst_error = worst->error,
        .parameters = part,
        .n_parameters = g->n,
    };
    return reply_view(c, &out, e);
}

static bool gradcheck(struct call *c, const struct served *s, const struct inspect_request *r,
                      struct err *e)
{
    const struct model *m = &s->file->model;
    struct sample sample;
    struct gradcheck g;
    if (!read_sample(c, r, s->file, &sample, e))
        return false;
    if (!sample.y)
        return fail_at(e, ERR_INVALID, "/targets", "must be given: gradients are of the loss");
    struct pick loss = {.row = &m->loss->op->row};
    memcpy(loss.value, m->loss_value, sizeof loss.value);
    const struct gradcheck_model model = {.spec = &m->spec,
                                          .answer = &m->answer,
                                          .n_in = m->n_in,
                                          .loss = &loss,
                                          .value = m->value,
                                          .n_value = m->n_value};
    double passes = GRADCHECK_FLOPS / (4.0 * (double)m->n_trained * (double)sample.n);
    size_t most = (size_t)fmin(fmax(passes, GRADCHECK_LEAST), GRADCHECK_MOST);
    return gradcheck_run(&model, sample.x, sample.y, sample.n, most, &g, c->halt, c->arena, e) &&
           finite_loss(g.loss, e) && reply_check(c, s, &g, e);
}

bool model_gradcheck(struct call *c, struct err *e)
{
    return with_model(c, gradcheck, e);
}
