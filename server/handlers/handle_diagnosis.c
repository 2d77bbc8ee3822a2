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
#include "server/handlers/server.h"

#include <math.h>
#include <string.h>

enum { SAMPLE = 400, LAYER_VALUES = sizeof(struct layer_stats) / sizeof(double) };

// Epochs between two that are looked at, so that `limit` are enough.
static int64_t diagnosis_stride(const struct job_row *job, int64_t limit)
{
    return job->epoch / limit + 1;
}

static const char *const *split_names(const char *names, size_t n, struct arena *a)
{
    const char **name = arena_need(a, n ? n : 1, sizeof *name);
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(names, " ");
        name[i] = arena_text(a, names, len);
        names += len + (names[len] == ' ');
    }
    return name;
}

// What is stored must be as many values for each layer as struct layer_stats has.
static bool check_layers(const struct layer_table *t, struct err *e)
{
    size_t names = *t->names != '\0';
    for (const char *at = t->names; *at; at++)
        names += *at == ' ';
    return t->n_value == names * LAYER_VALUES ||
           fail(e, ERR_INTERNAL,
                "what was stored of the layers cannot be read: another version of "
                "mlpd has written it, or it is damaged");
}

static void write_curve(struct jsonw *w, const char *key, const struct layer_table *t, size_t at)
{
    jsonw_array(w, key);
    for (size_t i = 0; i < t->n_row; i++)
        jsonw_real(w, NULL, t->value[i * t->n_value + at]);
    jsonw_end(w);
}

static void write_layer(struct jsonw *w, const char *name, const struct layer_table *t,
                        size_t layer)
{
    static const char *const member[LAYER_VALUES] = {
        "grad_norm", "weight_norm", "update_ratio", "dead", "saturated", "mean", "std"};
    jsonw_object(w, NULL);
    jsonw_string(w, "name", name);
    for (size_t k = 0; k < LAYER_VALUES; k++)
        write_curve(w, member[k], t, layer * LAYER_VALUES + k);
    jsonw_end(w);
}

bool job_layers(struct call *c, struct err *e)
{
    const struct epochs_query *q = c->query;
    int64_t id;
    struct job_row job;
    struct layer_table t;
    if (!call_id(c, 0, "job", &id, e) || !store_job_get(c->server->store, id, &job, c->arena, e))
        return false;
    const struct curve_part part = {q->after_epoch, diagnosis_stride(&job, q->limit),
                                    (size_t)q->limit + 1};
    if (!store_job_layers(c->server->store, id, &part, &t, c->arena, e) || !check_layers(&t, e))
        return false;
    size_t n = t.n_value / LAYER_VALUES;
    const char *const *name = split_names(t.names, n, c->arena);
    struct jsonw w = reply_begin(c);
    jsonw_array(&w, "epoch");
    for (size_t i = 0; i < t.n_row; i++)
        jsonw_int(&w, NULL, t.epoch[i]);
    jsonw_end(&w);
    jsonw_array(&w, "layers");
    for (size_t i = 0; i < n; i++)
        write_layer(&w, name[i], &t, i);
    jsonw_end(&w);
    return reply_end(c, &w, e);
}

// ---- Diagnosis ----

// One of the curve's columns at the epochs of the layers' table; NaN where it has none.
static const double *column(const struct metric_table *t, const char *name,
                            const struct layer_table *l, struct arena *a)
{
    double *v = arena_need(a, l->n_row + 1, sizeof *v);
    const char *const *names = split_names(t->names, t->n_name, a);
    size_t k = 0;
    while (k < t->n_name && strcmp(names[k], name) != 0)
        k++;
    for (size_t i = 0, row = 0; i < l->n_row; i++) {
        while (row < t->n_row && t->epoch[row] < l->epoch[i])
            row++;
        bool there = k < t->n_name && row < t->n_row && t->epoch[row] == l->epoch[i];
        v[i] = there ? t->value[row * t->n_name + k] : NAN;
    }
    return v;
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
    struct metric_table t;
    struct layer_table l;
    const struct curve_part part = {0, diagnosis_stride(job, SAMPLE), SAMPLE + 1};
    if (!store_job_metrics(c->server->store, job->id, &part, &t, c->arena, e) ||
        !store_job_layers(c->server->store, job->id, &part, &l, c->arena, e) ||
        !check_layers(&l, e))
        return false;
    size_t n = l.n_value / LAYER_VALUES;
    *h = (struct history){.n_epoch = l.n_row,
                          .n_layer = n,
                          .epoch = l.epoch,
                          .train_loss = column(&t, "train_loss", &l, c->arena),
                          .val_loss = column(&t, "val_loss", &l, c->arena),
                          .lr = column(&t, "lr", &l, c->arena),
                          .grad_norm = column(&t, "grad_norm", &l, c->arena),
                          .layer = (const struct layer_stats *)(const void *)l.value,
                          .layer_name = split_names(l.names, n, c->arena),
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
