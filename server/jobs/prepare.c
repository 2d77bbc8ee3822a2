// SPDX-License-Identifier: MIT
// See prepare.h. One way for the submission, which throws the result away, and for the worker,
// which trains on it: what passes the one cannot fail in the other for a reason that could have
// been known. All misspelt columns and classes are told at once.

#include "server/jobs/prepare.h"

#include "engine/base/nearest.h"
#include "engine/train/mix.h"
#include "engine/train/train.h"
#include "engine/train/train_check.h"
#include "server/files/dataset.h"
#include "server/jobs/fine_tune.h"

#include <math.h>
#include <string.h>

enum { POINTER_MAX = 512 };
enum { BESIDE = 1 << 20 }; // what a job takes beside its run: curves, the texts of its result

static const char *nth_column(const void *frame, size_t i)
{
    return ((const struct frame *)frame)->column[i].name;
}

static bool prepare_fits(const struct prepared *p, const struct job_spec *spec,
                         const struct arena *a, struct err *e)
{
    const struct split *split = &p->split;
    double need =
        BESIDE + train_memory(&p->model, &spec->train,
                              (struct train_size){split->n_train, split->n_val, split->n_test});
    double have = (double)(a->max - (a->used < a->max ? a->used : a->max));
    if (isinf(need))
        return err_no_memory(e);
    return need <= have || fail_at(e, ERR_TOO_LARGE, "/model/layers",
                                   "training needs about %.0f MB, of which a job has %.0f left "
                                   "beside its table; use fewer units or fewer rows",
                                   need / 1e6, have / 1e6);
}

static bool build(struct prepared *p, const struct job_spec *spec, struct arena *a, struct err *e)
{
    const struct prep *prep = &p->prep;
    struct model_task task = {.answer = &prep->answer,
                              .n_in = (uint32_t)prep->n_feature,
                              .loss = &spec->train.loss,
                              .label_smoothing = spec->train.label_smoothing,
                              .mixed = mix_wanted(&spec->train),
                              .weighted = prep_weighted(&spec->prep)};
    return model_shape(&p->model, &spec->model, &task, a, e) &&
           train_check(&p->model, &spec->train, p->split.n_train, e) && prepare_fits(p, spec, a, e);
}

static const char *prepare_member(struct arena *a, const char *of, const char *name)
{
    char pointer[POINTER_MAX];
    size_t n = (size_t)snprintf(pointer, sizeof pointer, "%s", of);
    return arena_text(a, pointer, pointer_add(pointer, n, sizeof pointer, name, strlen(name)));
}

static void prepare_unknown(struct faults *faults, const char *code, const char *pointer,
                            const char *what, const char *name, const char *meant)
{
    fault_add(faults, code, pointer, "the dataset has no %s \"%s\"%s%s%s", what, name,
              meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

// Every column the definition names, so that all misspelt ones are reported together.
static void check_column(const struct frame *f, const char *name, const char *pointer,
                         struct faults *faults)
{
    if (name && !frame_find(f, name))
        prepare_unknown(faults, "unknown_column", pointer, "column", name,
                        faults->total < FAULTS_SUGGESTED ? nearest(name, nth_column, f, f->n_column)
                                                         : NULL);
}

static bool prepare_check_columns(const struct frame *f, const struct data_spec *d, struct arena *a,
                                  struct faults *faults, struct err *e)
{
    for (size_t i = 0; i < d->n_target; i++)
        check_column(f, d->target[i],
                     d->n_target > 1 ? arena_printf(a, "/target/%zu", i) : "/target", faults);
    check_column(f, d->weights, "/weights", faults);
    for (size_t i = 0; i < d->n_exclude; i++)
        check_column(f, d->exclude[i], arena_printf(a, "/features/exclude/%zu", i), faults);
    for (size_t i = 0; i < d->n_type; i++)
        check_column(f, d->type[i].name, prepare_member(a, "/features/types", d->type[i].name),
                     faults);
    return faults_none(faults, e);
}

// The same for every class whose weight it gives.
static bool check_classes(const struct prep *p, const struct data_spec *d, struct arena *a,
                          struct faults *faults, struct err *e)
{
    for (size_t i = 0; i < d->n_class_weight; i++) {
        const char *name = d->class_weight[i].name;
        if (prep_class(p, name) == p->answer.n_class)
            prepare_unknown(faults, "unknown_class", prepare_member(a, "/class_weight", name),
                            "class", name,
                            faults->total < FAULTS_SUGGESTED
                                ? nearest_in(name, p->answer.class_name, p->answer.n_class)
                                : NULL);
    }
    return faults_none(faults, e);
}

bool prepare_network(struct prepared *p, const struct job_spec *spec, const struct model_file *from,
                     const struct halt *halt, struct arena *a, struct err *e)
{
    return prep_fit(&p->prep, &p->frame, &spec->prep, pick_loss(&spec->train.loss), p->split.train,
                    p->split.n_train, halt, a, e) &&
           (!spec->from || prep_adopt(&p->prep, &from->prep, &p->frame, halt, a, e)) &&
           build(p, spec, a, e) && (!spec->from || fine_tune_fits(&p->model, from, e));
}

bool prepare_job(struct prepared *p, struct files *files, const char *digest,
                 const struct job_spec *spec, const struct model_file *from,
                 const struct halt *halt, struct arena *a, struct faults *faults, struct err *e)
{
    const struct data_spec *data = &spec->prep;
    return dataset_load(files, digest, &p->frame, halt, a, e) &&
           prepare_check_columns(&p->frame, data, a, faults, e) &&
           prep_init(&p->prep, &p->frame, data, halt, a, e) &&
           check_classes(&p->prep, data, a, faults, e) &&
           prep_split(&p->prep, &p->frame, data, &p->split, halt, a, e) &&
           prepare_network(p, spec, from, halt, a, e);
}

bool prepare_rows(const struct prepared *p, const uint32_t *row, size_t n, struct train_rows *out,
                  const struct halt *halt, struct arena *a, struct err *e)
{
    const struct prep *prep = &p->prep;
    bool weighted = p->model.train_w != GRAPH_NONE;
    real *x = arena_alloc(a, n * prep->n_feature, sizeof *x);
    real *y = arena_alloc(a, n * prep->answer.n_target, sizeof *y);
    real *w = weighted ? arena_alloc(a, n, sizeof *w) : NULL;
    if (!x || !y || (weighted && !w))
        return fail(e, ERR_TOO_LARGE, "%zu rows of %zu inputs need more memory than a job may use",
                    n, prep->n_feature);
    prep_encode(prep, &p->frame, row, n, x, halt);
    prep_encode_target(prep, &p->frame, row, n, y, halt);
    if (w)
        prep_encode_weights(prep, &p->frame, row, n, w, halt);
    *out = (struct train_rows){.x = x, .y = y, .n = n, .w = w};
    return halt_go_on(halt, e);
}
