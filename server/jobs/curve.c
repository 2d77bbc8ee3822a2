// SPDX-License-Identifier: MIT
// See curve.h. A fixed number of epochs is held until the store has them. While it cannot be
// written the oldest give way, and what is missing is told: memory stays bounded, the end of a
// curve is worth more than its middle, and nobody takes a gap for a straight line.

#include "server/jobs/curve.h"

#include "engine/train/train_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LAYER_VALUES = sizeof(struct layer_stats) / sizeof(double) };
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
    for (size_t i = 0; watched && (metric = metric_for(&m->answer, i)); i++)
        name_column(c, "val_", metric->row.name);
}

// "layers.0 layers.1 output"
static void name_layers(struct curve *c, size_t hidden)
{
    size_t len = 0;
    for (size_t i = 0; i < hidden; i++)
        len += (size_t)snprintf(c->layers + len, CURVE_LAYER_NAMES - len, "layers.%zu ", i);
    snprintf(c->layers + len, CURVE_LAYER_NAMES - len, "output");
}

bool curve_init(struct curve *c, const struct model *m, const struct train_spec *s, size_t n_train,
                size_t n_val, struct arena *a, struct err *e)
{
    size_t n_layer_value = (m->spec.n_layer + 1) * LAYER_VALUES;
    uint32_t batches = train_batches(n_train, train_batch_size(s, n_train), m->by_column);
    c->names[0] = '\0';
    c->beat = (struct job_beat){.epochs = train_epochs(s, batches),
                                .steps = (int64_t)train_steps(s, batches),
                                .names = c->names,
                                .row = c->row,
                                .best_metric = s->monitor,
                                .best_value = NAN,
                                .layers = c->layers,
                                .n_layer_value = n_layer_value};
    name_columns(c, m, n_val > 0);
    name_layers(c, m->spec.n_layer);
    c->layer = arena_alloc(a, CURVE_EPOCHS, n_layer_value * sizeof *c->layer);
    return c->layer ||
           fail(e, ERR_TOO_LARGE, "the network has too many layers for the memory allowed");
}

static double *layer_place(struct curve *c, size_t i)
{
    return c->layer + i * c->beat.n_layer_value;
}

void curve_stored(struct curve *c)
{
    c->beat.n_row = 0;
    c->beat.gap_from = c->beat.gap_to = 0;
}

// Forget the oldest epoch.
static void shift(struct curve *c)
{
    c->beat.gap_to = c->row[0].epoch;
    if (!c->beat.gap_from)
        c->beat.gap_from = c->row[0].epoch;
    memmove(c->value[0], c->value[1], sizeof c->value - sizeof c->value[0]);
    memmove(layer_place(c, 0), layer_place(c, 1),
            (CURVE_EPOCHS - 1) * c->beat.n_layer_value * sizeof *c->layer);
    for (size_t i = 1; i < CURVE_EPOCHS; i++)
        c->row[i - 1] = (struct metric_row){c->row[i].epoch, c->row[i].step, c->value[i - 1],
                                            c->row[i].layer ? layer_place(c, i - 1) : NULL};
    c->beat.n_row--;
}

void curve_add(struct curve *c, const struct train_epoch *t, double seconds)
{
    struct job_beat *b = &c->beat;
    if (curve_full(c))
        shift(c);
    double *v = c->value[b->n_row], *layer = t->n_layer ? layer_place(c, b->n_row) : NULL;
    const double base[BASE] = {t->train_loss, t->lr, t->grad_norm, seconds, t->val_loss};
    memcpy(v, base, sizeof base);
    memcpy(v + BASE, t->metric, sizeof t->metric);
    BUG(layer && t->n_layer * LAYER_VALUES != b->n_layer_value);
    if (layer)
        memcpy(layer, t->layer, t->n_layer * sizeof *t->layer);
    c->row[b->n_row++] = (struct metric_row){t->epoch, (int64_t)t->step, v, layer};
    b->epoch = t->epoch;
    b->step = (int64_t)t->step;
    if (t->best) {
        b->best_epoch = t->epoch;
        b->best_value = t->watched;
    }
}

bool curve_init_sweep(struct curve *c, int steps, struct arena *a, struct err *e)
{
    static const char *const name[] = {"lr", "loss", "smoothed_loss"};
    c->names[0] = '\0';
    c->beat = (struct job_beat){.epochs = steps,
                                .steps = steps,
                                .names = c->names,
                                .row = c->row,
                                .best_value = NAN,
                                .layers = ""};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        name_column(c, "", name[i]);
    c->layer = arena_alloc(a, 1, sizeof *c->layer);
    return c->layer || fail(e, ERR_TOO_LARGE, "the sweep needs more memory than a job may use");
}

void curve_add_point(struct curve *c, const struct lr_point *p)
{
    struct job_beat *b = &c->beat;
    if (curve_full(c))
        shift(c);
    double *v = c->value[b->n_row];
    const double base[] = {p->lr, p->loss, p->smoothed};
    memcpy(v, base, sizeof base);
    c->row[b->n_row++] = (struct metric_row){(int64_t)p->step, (int64_t)p->step, v, NULL};
    b->epoch = b->step = (int64_t)p->step;
}
