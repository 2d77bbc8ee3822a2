// SPDX-License-Identifier: MIT
// See model_summary.h. Written once, when a model is published, and stored as text beside it: what
// a reply says of a model later needs neither its file nor its data, which may be gone.

#include "server/jobs/model_summary.h"

#include "api/json/jsonw.h"
#include "api/views/data_view.h"
#include "engine/train/score.h"
#include "server/base/digest.h"

size_t summary_metrics(struct measure_reply *out, const struct model *m, const struct score *s)
{
    const struct metric *metric;
    size_t n = 0;
    while ((metric = metric_for(&m->answer, n))) {
        out[n] = (struct measure_reply){metric->row.name, s->metric[n]};
        n++;
    }
    return n;
}

// Rows, loss and metrics of a part of the rows; nothing of a part without rows.
static bool summary_score(const struct model_summary *o, const struct train_rows *rows,
                          const struct measure_reply **out, size_t *n, struct arena *a,
                          struct err *e)
{
    const struct model *m = &o->prepared->model;
    struct score s;
    if (rows->n == 0)
        return true;
    struct measure_reply *measure = arena_need(a, METRICS_MAX + 2, sizeof *measure);
    struct arena_mark mark = arena_mark(a);
    bool ok = score_rows(&s, m, rows, o->halt, a, e);
    arena_rewind(a, mark);
    if (!ok)
        return false;
    measure[0] = (struct measure_reply){"rows", (double)rows->n};
    measure[1] = (struct measure_reply){"loss", s.loss};
    *n = 2 + summary_metrics(measure + 2, m, &s);
    *out = measure;
    return true;
}

static const struct input_reply *summary_inputs(const struct prepared *p, struct arena *a)
{
    struct input_reply *input = arena_alloc(a, p->prep.n_column + 1, sizeof *input);
    for (size_t i = 0; input && i < p->prep.n_column; i++) {
        const struct prep_column *c = &p->prep.column[i];
        bool numeric = c->type == COLUMN_NUMERIC;
        input[i] = (struct input_reply){
            .name = c->name,
            .type = column_type_words[c->type],
            .missing = (int64_t)p->frame.column[c->source].n_missing,
            .has_mean = numeric,
            .mean = c->mean,
            .distinct = numeric ? -1 : (int64_t)c->n_level,
        };
    }
    return input;
}

// "target" too where there is one, for clients that know of no more.
bool summary_of_model(struct model_summary_reply *out, const struct model *m,
                      const struct halt *halt, struct arena *a, struct err *e)
{
    const struct answer *answer = &m->answer;
    char *digest = arena_need(a, DIGEST_TEXT, 1);
    const struct digest_part part = {m->value, m->n_value * sizeof *m->value};
    out->target = answer->n_target == 1 ? answer->target[0] : NULL;
    out->targets = answer->target;
    out->n_targets = answer->n_target;
    out->parameters = (int64_t)m->n_trained;
    out->weights_sha256 = digest;
    out->classes = answer->class_name;
    out->n_classes = answer->n_class;
    return digest_long(&part, 1, digest, halt, e);
}

const char *summary_text(const struct model_summary_reply *s, struct arena *a, struct err *e)
{
    struct jsonw w;
    jsonw_init(&w, a);
    schema_write(&model_summary_view, s, &w, NULL);
    return jsonw_text(&w, NULL, e);
}

const char *summary_write(const struct model_summary *o, struct arena *a, struct err *e)
{
    const struct prepared *p = o->prepared;
    struct model_summary_reply out = {
        .trained = true,
        .epochs = o->result->epochs,
        .best_epoch = o->result->best_epoch,
        .training_seconds = o->seconds,
        .inputs = summary_inputs(p, a),
        .n_inputs = p->prep.n_column,
    };
    if (!out.inputs) {
        fail(e, ERR_TOO_LARGE, "the inputs do not fit into the job's memory");
        return NULL;
    }
    bool ok = summary_of_model(&out, &p->model, o->halt, a, e) &&
              summary_score(o, o->val, &out.scores.validation, &out.scores.n_validation, a, e) &&
              summary_score(o, o->test, &out.scores.test, &out.scores.n_test, a, e);
    return ok ? summary_text(&out, a, e) : NULL;
}
