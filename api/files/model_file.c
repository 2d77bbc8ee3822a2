// SPDX-License-Identifier: MIT
// See model_file.h. A model is stored as what it needs to answer, in sections that change each at
// its own pace, rather than as the job that made it: jobs get new settings all the time, and a file
// must be readable when its job's words are gone. What is read is believed only after the network
// has been built from it and every tensor has the shape and the finite values that this wants.
// A section that does not fit into the arena comes out as NULL.

#include "api/files/model_file.h"

#include "api/files/answer_json.h"
#include "api/files/network_json.h"
#include "api/files/prep_json.h"
#include "api/files/safetensors.h"
#include "api/json/jsonw.h"

#include <string.h>

// Of the container; sections have versions of their own.
static const char FORMAT[] = "mlpd/2";

static const char *network_text(const struct model *m, struct arena *a)
{
    struct jsonw w;
    struct err ignored;
    struct pick loss = {.row = &m->loss->op->row};
    memcpy(loss.value, m->loss_value, sizeof loss.value);
    jsonw_init(&w, a);
    network_write(&m->spec, &loss, &w);
    return jsonw_text(&w, NULL, &ignored);
}

static const char *answer_text(const struct answer *answer, struct arena *a)
{
    struct jsonw w;
    struct err ignored;
    jsonw_init(&w, a);
    answer_write(answer, &w);
    return jsonw_text(&w, NULL, &ignored);
}

static const char *prep_text(const struct prep *p, struct arena *a)
{
    struct jsonw w;
    struct err ignored;
    jsonw_init(&w, a);
    prep_write(p, &w);
    return jsonw_text(&w, NULL, &ignored);
}

const char *model_file_header(const struct model *m, const struct prep *p, const char *name,
                              const char *job, size_t *len, struct arena *a, struct err *e)
{
    const struct metadata_entry section[] = {{"format", FORMAT},
                                             {"network", network_text(m, a)},
                                             {"answer", answer_text(&p->answer, a)},
                                             {"preprocessing", prep_text(p, a)},
                                             {"name", name},
                                             {"job", job}};
    enum { NEEDED = 4, ALL = sizeof section / sizeof *section };
    struct metadata_entry meta[ALL];
    struct tensor_entry *entry = arena_alloc(a, m->n_param, sizeof *entry);
    bool full = !entry;
    size_t n = 0;
    for (size_t i = 0; i < ALL; i++)
        if (section[i].value)
            meta[n++] = section[i];
        else
            full = full || i < NEEDED;
    if (full) {
        fail(e, ERR_TOO_LARGE, "the model's header needs more memory than allowed");
        return NULL;
    }
    for (size_t i = 0; i < m->n_param; i++) {
        const struct model_param *q = &m->param[i];
        entry[i] = (struct tensor_entry){q->name, q->rows, q->cols, q->vector, q->at};
    }
    return safetensors_header(meta, n, entry, m->n_param, len, a, e);
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

// The metadata that a model file may have.
enum {
    META_FORMAT,
    META_NETWORK,
    META_ANSWER,
    META_PREP,
    META_NEEDED,
    META_NAME = META_NEEDED,
    META_JOB,
    META_ALL
};

static bool read_metadata(const struct safetensors *s, char *text[static META_ALL], struct arena *a,
                          struct err *e)
{
    static const char *const key[META_ALL] = {"format",        "network", "answer",
                                              "preprocessing", "name",    "job"};
    for (int i = 0; i < META_ALL; i++)
        if (!safetensors_metadata(s, key[i], &text[i], a, e))
            return false;
    bool whole = true;
    for (int i = 0; i < META_NEEDED; i++)
        whole = whole && text[i];
    return (whole && strcmp(text[META_FORMAT], FORMAT) == 0) ||
           fail(e, ERR_INVALID, "the file is not a model of this program (format \"%s\")", FORMAT);
}

bool model_file_read(struct model_file *f, const char *bytes, size_t len, struct arena *a,
                     struct err *e)
{
    struct safetensors s;
    struct network network;
    char *text[META_ALL];
    if (!safetensors_read(&s, bytes, len, a, e) || !read_metadata(&s, text, a, e) ||
        !network_read(&network, text[META_NETWORK], a, e) ||
        !prep_read(&f->prep, text[META_PREP], a, e) ||
        !answer_read(&f->prep.answer, text[META_ANSWER], a, e))
        return false;
    f->name = text[META_NAME];
    f->job = text[META_JOB];
    const struct model_task task = {
        .answer = &f->prep.answer, .n_in = (uint32_t)f->prep.n_feature, .loss = &network.loss};
    return model_build(&f->model, &network.model, &task, a, e) && read_weights(&f->model, &s, e);
}
