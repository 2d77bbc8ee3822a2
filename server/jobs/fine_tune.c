// SPDX-License-Identifier: MIT
// See fine_tune.h. Parameters are matched by name and shape; only the output layer may differ, and
// it is taken over only where both models answer the same question, since equal shapes of other
// classes would be noise that looks like knowledge.

#include "server/jobs/fine_tune.h"

#include "engine/base/nearest.h"
#include "server/files/model_store.h"
#include "server/jobs/model_stored.h"

#include <string.h>

static const char *fine_tune_nth_name(const void *list, size_t i)
{
    return ((const struct model_list *)list)->row[i].name;
}

static bool fine_tune_no_model(struct store *store, const char *name, const char *why,
                               struct arena *a, struct err *e)
{
    struct model_list list;
    struct err ignored = {0};
    bool listed = store_model_list(store, STORE_PAGE, 0, &list, a, &ignored);
    const char *meant = listed ? nearest(name, fine_tune_nth_name, &list, list.n) : NULL;
    if (meant && strcmp(meant, name) != 0)
        return fail_at(e, ERR_INVALID, "/init/from", "%s; did you mean \"%s\"?", why, meant);
    return fail_at(e, ERR_INVALID, meant ? "/init/version" : "/init/from", "%s", why);
}

bool fine_tune_load(struct store *store, struct files *files, struct job_spec *spec,
                    struct model_file *out, const struct halt *halt, struct arena *a, struct err *e)
{
    struct model_row row;
    struct err why = {0};
    size_t len;
    *out = (struct model_file){0};
    if (!spec->from)
        return true;
    if (!store_model_get(store, spec->from, spec->from_version, &row, a, &why))
        return why.kind == ERR_NOT_FOUND ? fine_tune_no_model(store, spec->from, why.text, a, e)
                                         : err_pass(e, &why);
    spec->from_version = (int)row.version;
    const char *bytes = model_store_load(files, row.digest, &len, halt, a, e);
    return bytes && model_stored_read(out, &row, bytes, len, a, e);
}

static const struct model_param *twin(const struct model *m, const struct model_param *p)
{
    for (size_t i = 0; i < m->n_param; i++)
        if (strcmp(m->param[i].name, p->name) == 0)
            return &m->param[i];
    return NULL;
}

static bool fine_tune_same_shape(const struct model_param *p, const struct model_param *q)
{
    return p && q && p->rows == q->rows && p->cols == q->cols;
}

static bool fine_tune_misfit(const struct model_param *mine, const struct model_param *its,
                             const char *name, struct err *e)
{
    static const char advice[] = "only the output layer may differ; leave \"model\" out to take "
                                 "its layers";
    if (!mine || !its)
        return fail_at(e, ERR_INVALID, "/model/layers", "only one of them has \"%s\": %s", name,
                       advice);
    return fail_at(e, ERR_INVALID, "/model/layers",
                   "\"%s\" is %u x %u here and %u x %u in the model to start from: %s", name,
                   mine->rows, mine->cols, its->rows, its->cols, advice);
}

bool fine_tune_fits(const struct model *m, const struct model_file *from, struct err *e)
{
    const struct model *other = &from->model;
    for (size_t i = 0; i < m->n_param; i++) {
        const struct model_param *p = &m->param[i], *q = twin(other, p);
        if (!p->output && !fine_tune_same_shape(p, q))
            return fine_tune_misfit(p, q, p->name, e);
    }
    for (size_t i = 0; i < other->n_param; i++)
        if (!other->param[i].output && !twin(m, &other->param[i]))
            return fine_tune_misfit(NULL, &other->param[i], other->param[i].name, e);
    return true;
}

// The same question has the same answers in the same order.
static bool same_question(const struct prep *p, const struct prep *q)
{
    bool same = prep_same_targets(p, q) && p->answer.n_class == q->answer.n_class;
    for (size_t i = 0; same && i < p->answer.n_class; i++)
        same = strcmp(p->answer.class_name[i], q->answer.class_name[i]) == 0;
    return same;
}

void fine_tune_copy(struct model *m, const struct prep *p, const struct model_file *from)
{
    bool output = same_question(p, &from->prep);
    for (size_t i = 0; i < m->n_param; i++) {
        const struct model_param *mine = &m->param[i], *its = twin(&from->model, mine);
        if (fine_tune_same_shape(mine, its) && (output || !mine->output))
            memcpy(m->value + mine->at, from->model.value + its->at,
                   (size_t)mine->rows * mine->cols * sizeof *m->value);
    }
}
