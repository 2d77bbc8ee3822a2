// SPDX-License-Identifier: MIT
// See curve.h.

#include "curve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BASE = 5 }; // columns in front of the metrics, the last of them only with validation rows

static void name_column(struct curve *c, const char *prefix, const char *name)
{
    size_t len = strlen(c->names);
    int more = snprintf(c->names + len, CURVE_NAMES - len, "%s%s%s", len ? " " : "", prefix, name);
    BUG(len + (size_t)more >= CURVE_NAMES || c->beat.n_name == CURVE_VALUES);
    c->beat.n_name++;
}

// Losses, rate, gradient and time, then the task's metrics on the validation rows.
static void name_columns(struct curve *c, const struct model *m, bool watched)
{
    static const char *const base[BASE] = {"train_loss", "lr", "grad_norm", "seconds", "val_loss"};
    const struct metric *metric;
    for (int i = 0; i < BASE - !watched; i++)
        name_column(c, "", base[i]);
    for (size_t i = 0; watched && (metric = metric_for(metric_task(m->n_class), i)); i++)
        name_column(c, "val_", metric->row.name);
}

void curve_init(struct curve *c, const struct model *m, const struct train_spec *s, size_t n_train,
                size_t n_val)
{
    uint32_t batches = train_batches(n_train, train_batch_size(s, n_train), m->by_column);
    c->names[0] = '\0';
    c->beat = (struct job_beat){.epochs = train_epochs(s, batches),
                                .steps = (int64_t)train_steps(s, batches),
                                .names = c->names,
                                .row = c->row,
                                .best_metric = s->monitor,
                                .best_value = NAN};
    name_columns(c, m, n_val > 0);
}

static double *next_place(struct curve *c)
{
    if (curve_full(c)) {
        memmove(c->value[0], c->value[1], sizeof c->value - sizeof c->value[0]);
        for (size_t i = 1; i < CURVE_EPOCHS; i++)
            c->row[i - 1] = (struct metric_row){c->row[i].epoch, c->row[i].step, c->value[i - 1]};
        c->beat.n_row--;
    }
    return c->value[c->beat.n_row];
}

void curve_add(struct curve *c, const struct train_epoch *t, double seconds)
{
    struct job_beat *b = &c->beat;
    double *v = next_place(c);
    const double base[BASE] = {t->train_loss, t->lr, t->grad_norm, seconds, t->val_loss};
    memcpy(v, base, sizeof base);
    memcpy(v + BASE, t->metric, sizeof t->metric);
    c->row[b->n_row++] = (struct metric_row){t->epoch, (int64_t)t->step, v};
    b->epoch = t->epoch;
    b->step = (int64_t)t->step;
    if (t->best) {
        b->best_epoch = t->epoch;
        b->best_value = t->watched;
    }
}
