// SPDX-License-Identifier: MIT
// See outcome.h. Written once, when a model is published, and stored as text beside it: what a
// reply says of a model later needs neither its file nor its data, which may be gone.

#include "server/jobs/outcome.h"

#include "api/json/jsonw.h"
#include "engine/train/score.h"
#include "server/base/digest.h"

// Metrics of a part of the rows; null for a part without rows.
static bool write_scores(struct jsonw *w, const char *key, const struct model *m,
                         const struct train_rows *rows, const struct halt *halt, struct arena *a,
                         struct err *e)
{
    struct score s;
    if (rows->n == 0) {
        jsonw_null(w, key);
        return true;
    }
    struct arena_mark mark = arena_mark(a);
    bool ok = score_rows(&s, m, rows, halt, a, e);
    arena_rewind(a, mark);
    if (!ok)
        return false;
    jsonw_object(w, key);
    jsonw_int(w, "rows", (int64_t)rows->n);
    jsonw_real(w, "loss", s.loss);
    const struct metric *metric;
    for (size_t i = 0; (metric = metric_for(&m->answer, i)); i++)
        jsonw_real(w, metric->row.name, s.metric[i]);
    jsonw_end(w);
    return true;
}

static void write_input(struct jsonw *w, const struct prep_column *c, size_t missing)
{
    bool numeric = c->type == COLUMN_NUMERIC;
    jsonw_object(w, NULL);
    jsonw_string(w, "name", c->name);
    jsonw_string(w, "type", numeric ? "numeric" : "categorical");
    jsonw_int(w, "missing", (int64_t)missing);
    if (numeric)
        jsonw_real(w, "mean", c->mean);
    else
        jsonw_int(w, "distinct", (int64_t)c->n_level);
    jsonw_end(w);
}

static void outcome_write_inputs(struct jsonw *w, const struct prepared *p)
{
    jsonw_array(w, "inputs");
    for (size_t i = 0; i < p->prep.n_column; i++) {
        const struct prep_column *c = &p->prep.column[i];
        write_input(w, c, p->frame.column[c->source].n_missing);
    }
    jsonw_end(w);
}

// "target" too where there is one, for clients that know of no more.
void outcome_targets(struct jsonw *w, const struct answer *a)
{
    if (a->n_target == 1)
        jsonw_string(w, "target", a->target[0]);
    jsonw_array(w, "targets");
    for (size_t i = 0; i < a->n_target; i++)
        jsonw_string(w, NULL, a->target[i]);
    jsonw_end(w);
}

bool outcome_weights_digest(struct jsonw *w, const struct model *m, const struct halt *halt,
                            struct err *e)
{
    char digest[DIGEST_TEXT];
    const struct digest_part part = {m->value, m->n_value * sizeof *m->value};
    if (!digest_long(&part, 1, digest, halt, e))
        return false;
    jsonw_string(w, "weights_sha256", digest);
    return true;
}

const char *outcome_summary(const struct outcome *o, struct arena *a, struct err *e)
{
    const struct prepared *p = o->prepared;
    struct jsonw w;
    jsonw_init(&w, a);
    jsonw_object(&w, NULL);
    outcome_targets(&w, &p->prep.answer);
    jsonw_int(&w, "parameters", (int64_t)p->model.n_trained);
    if (!outcome_weights_digest(&w, &p->model, o->halt, e))
        return NULL;
    jsonw_int(&w, "epochs", o->result->epochs);
    jsonw_int(&w, "best_epoch", o->result->best_epoch);
    jsonw_real(&w, "training_seconds", o->seconds);
    outcome_write_inputs(&w, p);
    jsonw_array(&w, "classes");
    for (size_t i = 0; i < p->prep.answer.n_class; i++)
        jsonw_string(&w, NULL, p->prep.answer.class_name[i]);
    jsonw_end(&w);
    jsonw_object(&w, "scores");
    if (!write_scores(&w, "validation", &p->model, o->val, o->halt, a, e) ||
        !write_scores(&w, "test", &p->model, o->test, o->halt, a, e))
        return NULL;
    jsonw_end(&w);
    jsonw_end(&w);
    return jsonw_text(&w, NULL, e);
}
