// SPDX-License-Identifier: MIT
// See prepare.h.

#include "prepare.h"

#include "dataset.h"
#include "train.h"

static bool build(struct prepared *p, const struct job_spec *spec, struct arena *a, struct err *e)
{
    const struct prep *prep = &p->prep;
    struct model_task task = {(uint32_t)prep->n_feature, prep->n_class, prep->y_mean, prep->y_std,
                              &spec->train.loss};
    return model_build(&p->model, &spec->model, &task, a, e) &&
           train_check(&p->model, &spec->train, p->split.n_train, e);
}

bool prepare_job(struct prepared *p, const char *data_dir, const char *digest,
                 const struct job_spec *spec, struct arena *a, struct err *e)
{
    const struct data_spec *data = &spec->prep;
    return dataset_load(data_dir, digest, &p->frame, a, e) &&
           prep_init(&p->prep, &p->frame, data, a, e) &&
           prep_split(&p->prep, &p->frame, data, &p->split, a, e) &&
           prep_fit(&p->prep, &p->frame, data, p->split.train, p->split.n_train, a, e) &&
           build(p, spec, a, e);
}
