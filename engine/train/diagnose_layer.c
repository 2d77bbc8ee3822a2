// SPDX-License-Identifier: MIT
// Symptoms that gradients and units show: see diagnose.h. Limits are rules of thumb of the field,
// on the safe side: a healthy training shows none of them.

#include "engine/train/diagnose.h"

#include "engine/model/init.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"

#include <math.h>
#include <string.h>

enum { LATE = 3 }; // "late" is the last third of the epochs

static size_t late(const struct history *h)
{
    return h->n_epoch - h->n_epoch / LATE - (h->n_epoch < LATE);
}

// Mean over the late epochs of one number of a layer; NaN when it has no meaning there.
static double late_mean(const struct history *h, size_t layer, size_t member)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = late(h); i < h->n_epoch; i++) {
        double v;
        memcpy(&v, (const char *)layer_at(h, i, layer) + member, sizeof v);
        if (isfinite(v)) {
            sum += v;
            n++;
        }
    }
    return n ? sum / (double)n : NAN;
}

#define LATE_MEAN(h, layer, member) late_mean(h, layer, offsetof(struct layer_stats, member))

static struct finding about_layer(const struct history *h, size_t layer, const char *measure,
                                  double value, double limit)
{
    return (struct finding){
        .layer = layer, .epoch = h->n_epoch, .measure = measure, .value = value, .limit = limit};
}

// The hidden layer where a share is largest, if that is over the limit.
static bool worst_share(const struct history *h, size_t member, const char *measure, double limit,
                        struct finding *f)
{
    double worst = limit;
    for (size_t k = 0; h->n_epoch && k + 1 < h->n_layer; k++) {
        double share = late_mean(h, k, member);
        if (share > worst) {
            worst = share;
            *f = about_layer(h, k, measure, share, limit);
        }
    }
    return worst > limit;
}

// A tenth, or the optimizer's usual rate if that is lower still.
void lower_rate(struct remedy *r)
{
    struct pick *o = &r->train->optimizer, usual = pick_row(&optimizer_table, o->row);
    double lr = pick_value(&optimizer_table, o, "lr") / 10;
    pick_set(&optimizer_table, o, "lr", fmin(lr, pick_value(&optimizer_table, &usual, "lr")));
}

// Ten times as much, or the optimizer's usual rate if that is higher still.
void raise_rate(struct remedy *r)
{
    struct pick *o = &r->train->optimizer, usual = pick_row(&optimizer_table, o->row);
    double lr = pick_value(&optimizer_table, o, "lr") * 10;
    pick_set(&optimizer_table, o, "lr", fmax(lr, pick_value(&optimizer_table, &usual, "lr")));
}

struct pick pick_of(const struct table *t, const char *name)
{
    return pick_row(t, table_find(t, name));
}

// ---- The gradient ----

// First hidden layer against the last: |g| per |w|, since layers differ in size.
static double gradient_fall(const struct history *h, size_t layer)
{
    return LATE_MEAN(h, layer, grad_norm) / LATE_MEAN(h, layer, weight_norm);
}

static bool find_vanishing(const struct history *h, struct finding *f)
{
    if (h->n_epoch == 0 || h->n_layer < 3)
        return false;
    double first = gradient_fall(h, 0), last = gradient_fall(h, h->n_layer - 1);
    *f = about_layer(h, 0, "gradient norm divided by weight norm, relative to the output layer",
                     first / last, 1e-3);
    return first / last < f->limit;
}

static void mend_vanishing(struct remedy *r, const struct finding *f)
{
    (void)f;
    for (size_t i = 0; i < r->model->n_layer; i++) {
        r->layer[i].activation = pick_of(&activation_table, "relu");
        r->layer[i].norm = pick_of(&norm_table, "batch");
        r->layer[i].init = (struct pick){0};
    }
    r->model->init = pick_of(&init_table, "kaiming_uniform");
}

const struct symptom symptom_vanishing = {
    .row = {.name = "vanishing_gradients",
            .doc = "Hardly any gradient reaches the first layers, so they do not learn."},
    .advice = "Use relu with batch normalization and Kaiming initialization, which keep the size "
              "of the gradient from layer to layer.",
    .find = find_vanishing,
    .mend = mend_vanishing,
};

static bool find_exploding(const struct history *h, struct finding *f)
{
    if (h->diverged) {
        *f = about_all(h->n_epoch, 0, "epochs until a number was not finite", (double)h->n_epoch,
                       INFINITY);
        return true;
    }
    size_t at = 0;
    double least = smallest(h->grad_norm, h->n_epoch, &at);
    for (size_t i = at; i < h->n_epoch; i++)
        if (h->grad_norm[i] > 1e3 * least && h->grad_norm[i] > 1e2) {
            *f = about_all(i + 1, at + 1,
                           "largest gradient norm of an epoch, relative to the smallest",
                           h->grad_norm[i] / least, 1e3);
            return true;
        }
    return false;
}

static void mend_exploding(struct remedy *r, const struct finding *f)
{
    (void)f;
    lower_rate(r);
    r->train->clip_norm = 1;
    r->train->schedule = pick_of(&schedule_table, "cosine");
    pick_set(&schedule_table, &r->train->schedule, "warmup", .1);
}

const struct symptom symptom_exploding = {
    .row = {.name = "exploding_gradients",
            .doc = "Gradients grow without bound, and the weights with them."},
    .advice = "Clip gradients to norm 1, use a tenth of the learning rate or less, and warm up "
              "over the first tenth of the steps.",
    .find = find_exploding,
    .mend = mend_exploding,
};

// ---- The units ----

static bool find_dead(const struct history *h, struct finding *f)
{
    return worst_share(h, offsetof(struct layer_stats, dead), "share of dead units", .3, f);
}

static void mend_dead(struct remedy *r, const struct finding *f)
{
    (void)f;
    for (size_t i = 0; i < r->model->n_layer; i++)
        if (r->layer[i].activation.row && pick_activation(&r->layer[i].activation)->dies)
            r->layer[i].activation = pick_of(&activation_table, "leaky_relu");
    lower_rate(r);
}

const struct symptom symptom_dead = {
    .row = {.name = "dead_relus",
            .doc = "Many units give 0 for every row: they get no gradient and stay dead."},
    .advice = "Use leaky_relu, whose units cannot die, and a tenth of the learning rate or less.",
    .find = find_dead,
    .mend = mend_dead,
};

static bool find_saturated(const struct history *h, struct finding *f)
{
    return worst_share(h, offsetof(struct layer_stats, saturated), "share of saturated values", .5,
                       f);
}

static void mend_saturated(struct remedy *r, const struct finding *f)
{
    (void)f;
    for (size_t i = 0; i < r->model->n_layer; i++)
        r->layer[i].norm = pick_of(&norm_table, "batch");
    r->data->numeric = NUMERIC_STANDARD;
    r->model->init = pick_of(&init_table, "xavier_uniform");
    lower_rate(r);
}

const struct symptom symptom_saturated = {
    .row = {.name = "saturated_activations",
            .doc = "Most values of a layer are in the flat parts of its activation, where the "
                   "gradient is almost 0."},
    .advice = "Standardize the inputs, use batch normalization, Xavier initialization and a tenth "
              "of the learning rate or less.",
    .find = find_saturated,
    .mend = mend_saturated,
};
