// SPDX-License-Identifier: MIT
// What all symptoms use: see diagnose.h.

#include "engine/train/diagnose.h"

#include <math.h>
#include <string.h>

double smallest(const double *v, size_t n, size_t *at)
{
    double least = NAN;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i]) && !(v[i] >= least)) {
            least = v[i];
            *at = i;
        }
    return least;
}

struct finding about_all(size_t epoch, size_t since, const char *measure, double value,
                         double limit)
{
    return (struct finding){.layer = SIZE_MAX,
                            .epoch = epoch,
                            .since = since,
                            .measure = measure,
                            .value = value,
                            .limit = limit};
}

struct remedy remedy_begin(struct data_spec *data, struct model_spec *model,
                           struct train_spec *train, struct arena *a)
{
    struct layer_spec *layer = arena_need(a, model->n_layer + 1, sizeof *layer);
    if (model->n_layer)
        memcpy(layer, model->layer, model->n_layer * sizeof *layer);
    model->layer = layer;
    return (struct remedy){data, model, layer, train};
}
