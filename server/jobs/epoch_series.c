// SPDX-License-Identifier: MIT
// See epoch_series.h.

#include "server/jobs/epoch_series.h"

#include <string.h>

enum { BASE = 5, VALUES = BASE + METRICS_MAX, MORE = 8 };

// In front of the metrics; the last only with validation rows.
static const char *const base_name[BASE] = {"train_loss", "lr", "grad_norm", "seconds", "val_loss"};

static bool declare_layer(struct curve *c, const char *layer, struct arena *a, struct err *e)
{
    for (size_t i = 0; i < LAYER_STATS; i++)
        if (!curve_declare(c, SERIES_PARTS, layer, layer_stat_list[i].name, SERIES_REAL, a, e))
            return false;
    return true;
}

static bool declare_metrics(struct curve *c, const struct model *m, struct arena *a, struct err *e)
{
    const struct metric *metric;
    for (size_t i = 0; (metric = metric_for(&m->answer, i)); i++)
        if (!curve_declare(c, SERIES_RUN, "", arena_printf(a, "val_%s", metric->row.name),
                           SERIES_REAL, a, e))
            return false;
    return true;
}

bool epoch_series_declare(struct curve *c, const struct model *m, const struct train_spec *s,
                          bool watched, struct arena *a, struct err *e)
{
    for (int i = 0; i < BASE - !watched; i++)
        if (!curve_declare(c, SERIES_RUN, "", base_name[i], SERIES_REAL, a, e))
            return false;
    if (watched && !declare_metrics(c, m, a, e))
        return false;
    for (size_t i = 0; s->observe && i < m->spec.n_layer; i++)
        if (!declare_layer(c, arena_printf(a, "layers.%zu", i), a, e))
            return false;
    return !s->observe || declare_layer(c, "output", a, e);
}

// The layers' statistics in the order of their series; NULL when there are none.
static const double *layer_values(const struct curve *c, const struct train_epoch *t,
                                  double value[static(LAYERS_MAX + 1) * LAYER_STATS])
{
    BUG(t->n_layer && t->n_layer * LAYER_STATS != c->series[SERIES_PARTS].n);
    for (size_t i = 0; i < t->n_layer; i++)
        for (size_t k = 0; k < LAYER_STATS; k++)
            memcpy(&value[i * LAYER_STATS + k], (const char *)&t->layer[i] + layer_stat_list[k].at,
                   sizeof *value);
    return t->n_layer ? value : NULL;
}

void epoch_series_add(struct curve *c, const struct train_epoch *t, const struct epoch_place *at)
{
    double part[(LAYERS_MAX + 1) * LAYER_STATS];
    double value[VALUES + MORE] = {t->train_loss, t->lr, t->grad_norm, at->seconds, t->val_loss};
    BUG(at->n_more > MORE);
    memcpy(value + BASE, t->metric, sizeof t->metric);
    for (size_t i = 0; i < at->n_more; i++)
        value[c->series[SERIES_RUN].n - at->n_more + i] = at->more[i];
    curve_add(c, at->epoch, at->step, value, layer_values(c, t, part));
    if (t->best && c->beat.best_metric) {
        c->beat.best_epoch = t->epoch;
        c->beat.best_value = t->watched;
    }
}
