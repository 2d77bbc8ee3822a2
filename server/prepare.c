// SPDX-License-Identifier: MIT
// See prepare.h.

#include "prepare.h"

#include "dataset.h"
#include "nearest.h"
#include "train.h"
#include "warm.h"

#include <string.h>

enum { POINTER_MAX = 512 };

static const char *nth_column(const void *frame, size_t i)
{
    return ((const struct frame *)frame)->column[i].name;
}

static bool fits(const struct prepared *p, const struct job_spec *spec, const struct arena *a,
                 struct err *e)
{
    const struct split *split = &p->split;
    double need = train_memory(&p->model, &spec->train,
                               split->n_train + split->n_val + split->n_test, split->n_train);
    double have = (double)(a->max - (a->used < a->max ? a->used : a->max));
    return need <= have || fail_at(e, ERR_TOO_LARGE, "/model/layers",
                                   "training needs about %.0f MB, of which a job has %.0f left "
                                   "beside its table; use fewer units or fewer rows",
                                   need / 1e6, have / 1e6);
}

static bool build(struct prepared *p, const struct job_spec *spec, struct arena *a, struct err *e)
{
    const struct prep *prep = &p->prep;
    struct model_task task = {.task = prep->task,
                              .n_in = (uint32_t)prep->n_feature,
                              .n_class = prep->n_class,
                              .n_target = 1,
                              .y_mean = &prep->y_mean,
                              .y_std = &prep->y_std,
                              .loss = &spec->train.loss};
    return model_shape(&p->model, &spec->model, &task, a, e) &&
           train_check(&p->model, &spec->train, p->split.n_train, e) &&
           (spec->kind != JOB_LR_FINDER || lr_check(&spec->sweep, "/lr_finder", e)) &&
           fits(p, spec, a, e);
}

// Every column the definition names, so that all misspelt ones are reported together.
static void check_column(const struct frame *f, const char *name, const char *pointer,
                         struct faults *faults)
{
    if (!name || frame_find(f, name))
        return;
    const char *meant = nearest(name, nth_column, f, f->n_column);
    fault_add(faults, "unknown_column", pointer, "the dataset has no column \"%s\"%s%s%s", name,
              meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

static bool check_columns(const struct frame *f, const struct data_spec *d, struct arena *a,
                          struct faults *faults, struct err *e)
{
    check_column(f, d->target, "/target", faults);
    for (size_t i = 0; i < d->n_exclude; i++)
        check_column(f, d->exclude[i], arena_printf(a, "/features/exclude/%zu", i), faults);
    for (size_t i = 0; i < d->n_type; i++) {
        char pointer[POINTER_MAX] = "/features/types";
        const char *name = d->type[i].name;
        pointer_add(pointer, strlen(pointer), sizeof pointer, name, strlen(name));
        check_column(f, name, arena_text(a, pointer, strlen(pointer)), faults);
    }
    return faults_none(faults, e);
}

bool prepare_job(struct prepared *p, const char *data_dir, const char *digest,
                 const struct job_spec *spec, const struct model_file *from, struct arena *a,
                 struct faults *faults, struct err *e)
{
    const struct data_spec *data = &spec->prep;
    return dataset_load(data_dir, digest, &p->frame, a, e) &&
           check_columns(&p->frame, data, a, faults, e) &&
           prep_init(&p->prep, &p->frame, data, a, e) &&
           prep_split(&p->prep, &p->frame, data, &p->split, a, e) &&
           prep_fit(&p->prep, &p->frame, data, p->split.train, p->split.n_train, a, e) &&
           (!spec->from || prep_adopt(&p->prep, &from->prep, &p->frame, a, e)) &&
           build(p, spec, a, e) && (!spec->from || warm_fits(&p->model, from, e));
}
