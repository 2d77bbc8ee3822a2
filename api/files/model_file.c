// SPDX-License-Identifier: MIT
// Model files: see model_file.h.

#include "api/files/model_file.h"

#include "api/files/prep_json.h"
#include "api/files/safetensors.h"
#include "api/json/jsonw.h"

#include <string.h>

static const char FORMAT[] = "mlpd/1";

const char *model_file_header(const struct model *m, const struct prep *p, const char *job_json,
                              size_t *len, struct arena *a, struct err *e)
{
    struct jsonw w;
    jsonw_init(&w, a);
    prep_write(p, &w, NULL);
    const char *prep_json = jsonw_text(&w, NULL, e);
    struct tensor_entry *entry = arena_alloc(a, m->n_param, sizeof *entry);
    if (!prep_json || !entry) {
        fail(e, ERR_TOO_LARGE, "the model's header needs more memory than allowed");
        return NULL;
    }
    for (size_t i = 0; i < m->n_param; i++) {
        const struct model_param *q = &m->param[i];
        entry[i] = (struct tensor_entry){q->name, q->rows, q->cols, q->vector, q->at};
    }
    const struct metadata_entry meta[] = {
        {"format", FORMAT}, {"job", job_json}, {"preprocessing", prep_json}};
    return safetensors_header(meta, sizeof meta / sizeof *meta, entry, m->n_param, len, a, e);
}

static const struct tensor *model_file_find(const struct safetensors *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->tensor[i].name, name) == 0)
            return &s->tensor[i];
    return NULL;
}

static bool read_weights(struct model *m, const struct safetensors *s, struct err *e)
{
    for (size_t i = 0; i < m->n_param; i++) {
        const struct model_param *p = &m->param[i];
        const struct tensor *t = model_file_find(s, p->name);
        if (!t || t->rows != p->rows || t->cols != p->cols)
            return fail(e, ERR_INVALID, "the model file lacks \"%s\" with shape %u x %u", p->name,
                        p->rows, p->cols);
        for (size_t k = 0; k < (size_t)p->rows * p->cols; k++) {
            float x;
            memcpy(&x, t->at + k * sizeof x, sizeof x);
            m->value[p->at + k] = (real)x;
        }
    }
    if (s->n != m->n_param)
        return fail(e, ERR_INVALID, "the model file has %zu tensors, its network %zu", s->n,
                    m->n_param);
    const char *broken = model_first_broken(m, m->value, NULL);
    return !broken ||
           fail(e, ERR_INVALID, "the model file has a value in \"%s\" that is not finite", broken);
}

static bool read_spec(struct model_file *f, const char *json, struct arena *a, struct err *e)
{
    struct faults faults;
    faults_init(&faults, a);
    return job_spec_read_stored(json, &f->spec, a, &faults, e);
}

bool model_file_read(struct model_file *f, const char *bytes, size_t len, struct arena *a,
                     struct err *e)
{
    struct safetensors s;
    if (!safetensors_read(&s, bytes, len, a, e))
        return false;
    const char *format = safetensors_metadata(&s, "format", a);
    const char *job = safetensors_metadata(&s, "job", a);
    char *prep = safetensors_metadata(&s, "preprocessing", a);
    if (!format || strcmp(format, FORMAT) != 0 || !job || !prep)
        return fail(e, ERR_INVALID, "the file is not a model of this program (format \"%s\")",
                    FORMAT);
    if (!read_spec(f, job, a, e) || !prep_read(&f->prep, prep, a, e))
        return false;
    const struct prep *p = &f->prep;
    struct model_task task = {.task = p->task,
                              .n_in = (uint32_t)p->n_feature,
                              .n_class = p->n_class,
                              .n_target = p->n_target,
                              .y_mean = p->y_mean,
                              .y_std = p->y_std,
                              .loss = &f->spec.train.loss,
                              .label_smoothing = f->spec.train.label_smoothing};
    return model_build(&f->model, &f->spec.model, &task, a, e) && read_weights(&f->model, &s, e);
}
