// SPDX-License-Identifier: MIT
// The inside of a training over HTTP: what the layers did, and what that means. Both are read from
// what the run stored, a running one included; of a long run as many epochs are looked at as can be
// shown, evenly spread.

#include "api/json/json_in.h"
#include "api/schema/job_schema.h"
#include "api/views/query.h"
#include "engine/model/metric.h"
#include "engine/nn/role.h"
#include "engine/train/diagnose.h"
#include "server/handlers/handlers.h"
#include "server/handlers/reply.h"
#include "server/handlers/reply_series.h"
#include "server/handlers/server.h"

#include <math.h>
#include <string.h>

enum { SAMPLE = 400 };

// Epochs between two that are looked at, so that `limit` are enough.
static int64_t diagnosis_stride(const struct job_row *job, int64_t limit)
{
    return job->epoch / limit + 1;
}

// The scopes of a table's series: the layers in their order.
struct scopes {
    const char **name; // [n], the table's own
    size_t n;
};

static struct scopes scopes_of(const struct series_table *t, struct arena *a)
{
    struct scopes s = {arena_need(a, t->series.n + 1, sizeof *s.name), 0};
    for (size_t i = 0; i < t->series.n; i++)
        if (!s.n || strcmp(s.name[s.n - 1], t->series.item[i].scope) != 0)
            s.name[s.n++] = t->series.item[i].scope;
    return s;
}

static void write_layer(struct jsonw *w, const char *name, const struct series_table *t)
{
    jsonw_object(w, NULL);
    jsonw_string(w, "name", name);
    for (size_t k = 0; k < LAYER_STATS; k++)
        reply_series(w, layer_stat_list[k].name, t,
                     series_find(&t->series, name, layer_stat_list[k].name));
    jsonw_end(w);
}

bool job_layers(struct call *c, struct err *e)
{
    const struct epochs_query *q = c->query;
    int64_t id;
    struct job_row job;
    struct series_table t;
    if (!call_id(c, 0, "job", &id, e) || !store_job_get(c->server->store, id, &job, c->arena, e))
        return false;
    const struct curve_part part = {q->after_epoch, diagnosis_stride(&job, q->limit),
                                    (size_t)q->limit + 1, SERIES_PARTS};
    if (!store_job_series(c->server->store, id, &part, &t, c->arena, e))
        return false;
    const struct scopes layer = scopes_of(&t, c->arena);
    struct jsonw w = reply_begin(c);
    reply_points(&w, "epoch", t.epoch, t.n_row);
    jsonw_array(&w, "layers");
    for (size_t i = 0; i < layer.n; i++)
        write_layer(&w, layer.name[i], &t);
    jsonw_end(&w);
    return reply_end(c, &w, e);
}

// ---- Diagnosis ----

// One of the run's series at the epochs of the layers' table; NaN where it has none.
static const double *column(const struct series_table *t, const char *name,
                            const struct series_table *l, struct arena *a)
{
    double *v = arena_need(a, l->n_row + 1, sizeof *v);
    size_t k = series_find(&t->series, "", name);
    for (size_t i = 0, row = 0; i < l->n_row; i++) {
        while (row < t->n_row && t->epoch[row] < l->epoch[i])
            row++;
        bool there = k < t->series.n && row < t->n_row && t->epoch[row] == l->epoch[i];
        v[i] = there ? t->value[row * t->series.n + k] : NAN;
    }
    return v;
}

// One statistic of a layer, of all epochs.
static void recall_stat(const struct series_table *t, size_t series, struct layer_stats *to,
                        size_t n_layer, size_t at)
{
    for (size_t i = 0; i < t->n_row; i++) {
        double v = series < t->series.n ? t->value[i * t->series.n + series] : NAN;
        memcpy((char *)(to + i * n_layer) + at, &v, sizeof v);
    }
}

// Statistics [n_row, layer->n], NaN what was not recorded; NULL when there is no room.
static const struct layer_stats *recall_layers(const struct series_table *t,
                                               const struct scopes *layer, struct arena *a)
{
    struct layer_stats *all = arena_alloc(a, t->n_row + 1, (layer->n + 1) * sizeof *all);
    for (size_t i = 0; all && i < layer->n; i++)
        for (size_t k = 0; k < LAYER_STATS; k++)
            recall_stat(t, series_find(&t->series, layer->name[i], layer_stat_list[k].name),
                        all + i, layer->n, layer_stat_list[k].at);
    return all;
}

// Elements of an array member of a JSON object.
static size_t diagnosis_elements(const char *json, const char *key, struct arena *a)
{
    struct json_in in = json_in((struct json_span){json, strlen(json)});
    struct json_text k;
    size_t n = 0;
    for (json_enter(&in); json_key(&in, &k, a);) {
        bool mine = k.at && strlen(key) == k.len && memcmp(key, k.at, k.len) == 0;
        if (!mine || json_kind(&in) != JSON_ARRAY)
            json_skip(&in);
        else
            for (json_enter(&in); json_more(&in); n++)
                json_skip(&in);
    }
    return n;
}

// Classes of the model that came out; 0 when there is none yet.
static size_t classes(struct call *c, int64_t id)
{
    struct model_row model;
    struct err ignored = {0};
    if (!store_model_of_job(c->server->store, id, &model, c->arena, &ignored) ||
        !reply_stored(model.summary, true, c->arena, &ignored))
        return 0;
    return diagnosis_elements(model.summary, "classes", c->arena);
}

static double chance_loss(const struct pick *pick, size_t n_class)
{
    const struct loss *loss = pick_loss(pick);
    return loss && loss->chance ? loss->chance(n_class) : NAN;
}

static bool recall(struct call *c, const struct job_row *job, const struct job_spec *spec,
                   struct history *h, struct err *e)
{
    struct series_table t, l;
    int64_t stride = diagnosis_stride(job, SAMPLE);
    const struct curve_part part = {0, stride, SAMPLE + 1, SERIES_RUN},
                            parts = {0, stride, SAMPLE + 1, SERIES_PARTS};
    if (!store_job_series(c->server->store, job->id, &part, &t, c->arena, e) ||
        !store_job_series(c->server->store, job->id, &parts, &l, c->arena, e))
        return false;
    const struct scopes layer = scopes_of(&l, c->arena);
    const struct layer_stats *stats = recall_layers(&l, &layer, c->arena);
    if (!stats)
        return fail(e, ERR_TOO_LARGE, "the curves need more memory than one request may use");
    *h = (struct history){.n_epoch = l.n_row,
                          .n_layer = layer.n,
                          .epoch = l.epoch,
                          .train_loss = column(&t, "train_loss", &l, c->arena),
                          .val_loss = column(&t, "val_loss", &l, c->arena),
                          .lr = column(&t, "lr", &l, c->arena),
                          .grad_norm = column(&t, "grad_norm", &l, c->arena),
                          .layer = stats,
                          .layer_name = layer.name,
                          .chance_loss = chance_loss(&spec->train.loss, classes(c, job->id)),
                          .diverged = job->error_kind &&
                                      strcmp(job->error_kind, err_word(ERR_DIVERGED)) == 0};
    return true;
}

static void write_evidence(struct jsonw *w, const struct history *h, const struct finding *f)
{
    jsonw_object(w, "evidence");
    jsonw_string(w, "measure", f->measure);
    jsonw_real(w, "value", f->value);
    jsonw_real(w, "limit", f->limit);
    jsonw_int(w, "epoch", f->epoch ? h->epoch[f->epoch - 1] : 0);
    if (f->since)
        jsonw_int(w, "since_epoch", h->epoch[f->since - 1]);
    else
        jsonw_null(w, "since_epoch");
    jsonw_end(w);
}

static void write_finding(struct jsonw *w, const struct symptom *s, const struct history *h,
                          const struct finding *f, const struct job_spec *spec, struct arena *a)
{
    struct job_spec mended = *spec;
    struct remedy r = remedy_begin(&mended.prep, &mended.model, &mended.train, a);
    s->mend(&r, f);
    mended.from = NULL; // its layers may no longer be those of the model it started from
    mended.from_version = 0;
    jsonw_object(w, NULL);
    jsonw_string(w, "code", s->row.name);
    jsonw_string(w, "text", s->row.doc);
    if (f->layer == SIZE_MAX)
        jsonw_null(w, "layer");
    else
        jsonw_string(w, "layer", h->layer_name[f->layer]);
    write_evidence(w, h, f);
    jsonw_string(w, "advice", s->advice);
    job_spec_write(w, "job", &mended);
    jsonw_end(w);
}

bool job_diagnosis(struct call *c, struct err *e)
{
    int64_t id;
    struct job_row job;
    struct job_spec spec;
    struct history h;
    bool healthy = true;
    if (!call_id(c, 0, "job", &id, e) || !job_definition(c, id, &job, &spec, e) ||
        !recall(c, &job, &spec, &h, e))
        return false;
    struct jsonw w = reply_begin(c);
    jsonw_int(&w, "job_id", job.id);
    jsonw_string(&w, "status", job_state_word(job.state));
    jsonw_int(&w, "epochs", (int64_t)h.n_epoch);
    jsonw_array(&w, "findings");
    for (size_t i = 0; i < symptom_count; i++) {
        struct finding f = {0};
        if (symptom_list[i]->find(&h, &f)) {
            write_finding(&w, symptom_list[i], &h, &f, &spec, c->arena);
            healthy = false;
        }
    }
    jsonw_end(&w);
    if (h.n_epoch || !healthy)
        jsonw_bool(&w, "healthy", healthy);
    else
        jsonw_null(&w, "healthy");
    jsonw_array(&w, "job_lacks");
    if (!job.dataset)
        jsonw_string(&w, NULL, "data");
    jsonw_end(&w);
    return reply_end(c, &w, e);
}
