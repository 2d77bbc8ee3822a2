// SPDX-License-Identifier: MIT
// The symptoms: see diagnose.h. Limits are rules of thumb of the field, on the safe side: a healthy
// training shows none of them.

#include "diagnose.h"

#include "op.h"
#include "optim.h"
#include "tables.h"

#include <math.h>
#include <string.h>

enum { LATE = 3 }; // "late" is the last third of the epochs

static size_t late(const struct history *h)
{
    return h->n_epoch - h->n_epoch / LATE - (h->n_epoch < LATE);
}

static const struct layer_stats *stats(const struct history *h, size_t epoch, size_t layer)
{
    return &h->layer[epoch * h->n_layer + layer];
}

// Mean over the late epochs of one number of a layer; NaN when it has no meaning there.
static double late_mean(const struct history *h, size_t layer, size_t member)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = late(h); i < h->n_epoch; i++) {
        double v;
        memcpy(&v, (const char *)stats(h, i, layer) + member, sizeof v);
        if (isfinite(v)) {
            sum += v;
            n++;
        }
    }
    return n ? sum / (double)n : NAN;
}

#define LATE_MEAN(h, layer, member) late_mean(h, layer, offsetof(struct layer_stats, member))

static double smallest(const double *v, size_t n, size_t *at)
{
    double least = NAN;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i]) && !(v[i] >= least)) {
            least = v[i];
            *at = i;
        }
    return least;
}

static double mean_of(const double *v, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += v[i];
    return sum / (double)(to - from);
}

static struct finding about_layer(const struct history *h, size_t layer, const char *measure,
                                  double value, double limit)
{
    return (struct finding){
        .layer = layer, .epoch = h->n_epoch, .measure = measure, .value = value, .limit = limit};
}

static struct finding about_all(size_t epoch, size_t since, const char *measure, double value,
                                double limit)
{
    return (struct finding){.layer = SIZE_MAX,
                            .epoch = epoch,
                            .since = since,
                            .measure = measure,
                            .value = value,
                            .limit = limit};
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
static void lower_rate(struct remedy *r)
{
    struct pick *o = &r->train->optimizer, usual = pick_row(&optimizer_table, o->row);
    double lr = pick_value(&optimizer_table, o, "lr") / 10;
    pick_set(&optimizer_table, o, "lr", fmin(lr, pick_value(&optimizer_table, &usual, "lr")));
}

// Ten times as much, or the optimizer's usual rate if that is higher still.
static void raise_rate(struct remedy *r)
{
    struct pick *o = &r->train->optimizer, usual = pick_row(&optimizer_table, o->row);
    double lr = pick_value(&optimizer_table, o, "lr") * 10;
    pick_set(&optimizer_table, o, "lr", fmax(lr, pick_value(&optimizer_table, &usual, "lr")));
}

static struct pick pick_of(const struct table *t, const char *name)
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
    *f = about_layer(h, 0, "gradient per weight here, as a share of the output layer's",
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

static const struct symptom vanishing = {
    .row = {.name = "vanishing_gradients",
            .doc = "Hardly any gradient reaches the first layers, so they do not learn."},
    .advice = "Use relu with batch normalisation and Kaiming's initial weights, which keep the "
              "gradient's size from layer to layer.",
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
            *f = about_all(i + 1, at + 1, "longest gradient of an epoch, against its smallest",
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

static const struct symptom exploding = {
    .row = {.name = "exploding_gradients",
            .doc = "Gradients grow without bound, and the weights with them."},
    .advice = "Clip gradients to length 1, take a tenth of the rate or less and warm up over the "
              "first tenth of the steps.",
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
        if (r->layer[i].activation.row && pick_op(&r->layer[i].activation)->dies)
            r->layer[i].activation = pick_of(&activation_table, "leaky_relu");
    lower_rate(r);
}

static const struct symptom dead = {
    .row = {.name = "dead_relus",
            .doc = "Many units give 0 for every row, get no gradient and will stay that way."},
    .advice = "Use leaky_relu, whose units cannot die, and a tenth of the rate or less.",
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

static const struct symptom saturated = {
    .row = {.name = "saturated_activations",
            .doc = "Most values of a layer sit at the flat ends of its activation, where there is "
                   "no gradient."},
    .advice = "Standardise the inputs, normalise in front of the activation, start from Glorot's "
              "weights and take a tenth of the rate or less.",
    .find = find_saturated,
    .mend = mend_saturated,
};

// ---- The rate ----

static double range_of(const double *v, size_t n)
{
    double least = v[0], most = v[0];
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, v[i]);
        most = fmax(most, v[i]);
    }
    return most - least;
}

// How much the loss rises in an epoch on average, against all that it ever rose and fell.
static bool find_rate_high(const struct history *h, struct finding *f)
{
    double rises = 0;
    size_t n = h->n_epoch;
    for (size_t i = 1; i < n; i++)
        rises += fmax(h->train_loss[i] - h->train_loss[i - 1], 0);
    if (n < 5)
        return false;
    *f = about_all(n, 1, "mean rise of the training loss an epoch, as a share of its whole range",
                   rises / (double)(n - 1) / range_of(h->train_loss, n), .06);
    return f->value > f->limit;
}

static void mend_rate_high(struct remedy *r, const struct finding *f)
{
    (void)f;
    lower_rate(r);
}

static const struct symptom rate_high = {
    .row = {.name = "rate_too_high",
            .doc = "The training loss keeps jumping up: steps are longer than the valley is wide."},
    .advice = "Take a tenth of the rate, or the usual one if that is lower still.",
    .find = find_rate_high,
    .mend = mend_rate_high,
};

// The largest update of any layer, in the middle of training.
static double largest_update(const struct history *h)
{
    double most = NAN;
    for (size_t k = 0; k < h->n_layer; k++) {
        double u = stats(h, h->n_epoch / 2, k)->update_ratio;
        most = u > most || isnan(most) ? u : most;
    }
    return most;
}

static bool find_rate_low(const struct history *h, struct finding *f)
{
    size_t n = h->n_epoch;
    if (n < 5 || !(h->train_loss[n - 1] > .8 * h->train_loss[0]))
        return false;
    *f =
        about_all(n / 2 + 1, 0, "largest share of its size by which a step moved a layer's weights",
                  largest_update(h), 1e-4);
    return f->value < f->limit;
}

static void mend_rate_low(struct remedy *r, const struct finding *f)
{
    (void)f;
    raise_rate(r);
}

static const struct symptom rate_low = {
    .row = {.name = "rate_too_low",
            .doc = "A step hardly moves the weights, and the loss hardly falls."},
    .advice = "Take ten times the rate, or the usual one if that is higher still.",
    .find = find_rate_low,
    .mend = mend_rate_low,
};

// ---- The fit ----

static bool find_overfitting(const struct history *h, struct finding *f)
{
    size_t at = 0, n = h->n_epoch;
    double best = smallest(h->val_loss, n, &at);
    if (!isfinite(best) || n - at <= 20) // early stopping ends sooner, and keeps the best epoch
        return false;
    *f = about_all(n, at + 1, "validation loss, against its best", h->val_loss[n - 1] / best, 1.05);
    return f->value > f->limit && h->train_loss[n - 1] < .9 * h->train_loss[at] &&
           h->train_loss[n - 1] < .5 * h->val_loss[n - 1];
}

static void mend_overfitting(struct remedy *r, const struct finding *f)
{
    for (size_t i = 0; i < r->model->n_layer; i++)
        r->layer[i].dropout = r->layer[i].dropout < .3 ? .3 : .5;
    r->train->l2 = r->train->l2 < 1e-4 ? 1e-3 : 3 * r->train->l2;
    r->train->patience = 10;
    if (r->train->steps == 0 && (size_t)r->train->epochs > 4 * f->since)
        r->train->epochs = (int)(4 * f->since);
}

static const struct symptom overfitting = {
    .row = {.name = "overfitting",
            .doc = "The training loss still falls while the validation loss rises: rows are "
                   "learnt by heart."},
    .advice = "Use more dropout, a penalty on large weights, and stop when the validation rows "
              "show no more progress.",
    .find = find_overfitting,
    .mend = mend_overfitting,
};

static bool find_underfitting(const struct history *h, struct finding *f)
{
    size_t n = h->n_epoch;
    if (n < 5 || isnan(h->chance_loss))
        return false;
    *f = about_all(n, 0, "training loss, as a share of what knowing nothing gives",
                   h->train_loss[n - 1] / h->chance_loss, .7);
    struct finding other;
    bool still_falls = h->train_loss[n - 1] < .9 * h->train_loss[n / 2];
    return f->value > f->limit && !still_falls && !find_rate_low(h, &other) &&
           !find_rate_high(h, &other);
}

static void mend_underfitting(struct remedy *r, const struct finding *f)
{
    (void)f;
    if (r->model->n_layer == 0)
        r->layer[r->model->n_layer++] =
            (struct layer_spec){.units = 64, .activation = pick_of(&activation_table, "relu")};
    for (size_t i = 0; i < r->model->n_layer; i++) {
        r->layer[i].units = r->layer[i].units < 128 ? 256 : 2 * r->layer[i].units;
        r->layer[i].dropout = 0;
    }
    r->train->l1 = r->train->l2 = 0;
    r->train->epochs = r->train->epochs > 50000 ? 100000 : 2 * r->train->epochs;
}

static const struct symptom underfitting = {
    .row = {.name = "underfitting",
            .doc = "Even the training rows are predicted badly: the network is too small or held "
                   "back, or the inputs do not tell."},
    .advice = "Use wider layers without dropout or penalties, and train twice as long; if that "
              "changes nothing, the columns do not hold the answer.",
    .find = find_underfitting,
    .mend = mend_underfitting,
};

// Flat over the second half, at a rate that is still high.
static bool find_plateau(const struct history *h, struct finding *f)
{
    size_t n = h->n_epoch, half = n / 2, quarter = half + (n - half) / 2;
    if (n < 12)
        return false;
    double peak = 0, third = mean_of(h->train_loss, half, quarter),
           fourth = mean_of(h->train_loss, quarter, n);
    for (size_t i = 0; i < n; i++)
        peak = h->lr[i] > peak ? h->lr[i] : peak;
    *f = about_all(n, half + 1,
                   "change of the training loss between the last two quarters, as a share of its "
                   "whole range",
                   fabs(fourth - third) / range_of(h->train_loss, n), .003);
    struct finding other;
    return f->value < f->limit && h->lr[n - 1] > .5 * peak && !find_rate_low(h, &other) &&
           !find_underfitting(h, &other);
}

static void mend_plateau(struct remedy *r, const struct finding *f)
{
    (void)f;
    r->train->schedule = pick_of(&schedule_table, "plateau");
}

static const struct symptom plateau = {
    .row = {.name = "plateau",
            .doc = "The training loss has stopped falling although the rate is still high."},
    .advice = "Lower the rate whenever nothing improves for some epochs.",
    .find = find_plateau,
    .mend = mend_plateau,
};

const struct symptom *const symptom_list[] = {
    &exploding, &rate_high,   &vanishing,    &dead,    &saturated,
    &rate_low,  &overfitting, &underfitting, &plateau,
};
const size_t symptom_count = sizeof symptom_list / sizeof *symptom_list;

struct remedy remedy_begin(struct data_spec *data, struct model_spec *model,
                           struct train_spec *train, struct arena *a)
{
    struct layer_spec *layer = arena_need(a, model->n_layer + 1, sizeof *layer);
    if (model->n_layer)
        memcpy(layer, model->layer, model->n_layer * sizeof *layer);
    model->layer = layer;
    return (struct remedy){data, model, layer, train};
}
