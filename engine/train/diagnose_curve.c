// SPDX-License-Identifier: MIT
// Symptoms that the curves show: rates and fit. See diagnose.h. A curve of batches is noisy, so
// means over parts of it are compared, never single epochs, and each limit is wide enough that a
// healthy training on a small table does not meet it.

#include "engine/train/diagnose.h"

#include "engine/nn/role.h"
#include "engine/optim/schedule.h"

#include <math.h>

static double mean_of(const double *v, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += v[i];
    return sum / (double)(to - from);
}

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

// The largest update of any layer, in the middle of training.
static double largest_update(const struct history *h)
{
    double most = NAN;
    for (size_t k = 0; k < h->n_layer; k++) {
        double u = layer_at(h, h->n_epoch / 2, k)->update_ratio;
        most = u > most || isnan(most) ? u : most;
    }
    return most;
}

static bool find_rate_low(const struct history *h, struct finding *f)
{
    size_t n = h->n_epoch;
    if (n < 5 || !(h->train_loss[n - 1] > .8 * h->train_loss[0]))
        return false;
    *f = about_all(n / 2 + 1, 0,
                   "largest update of a layer's weights in one step, relative to their norm",
                   largest_update(h), 1e-4);
    return f->value < f->limit;
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
    *f = about_all(n, 1, "mean rise of the training loss per epoch, relative to its range",
                   rises / (double)(n - 1) / range_of(h->train_loss, n), .06);
    bool short_steps = largest_update(h) < 5e-3; // then batches and dropout make the noise
    return f->value > f->limit && !short_steps;
}

static void mend_rate_high(struct remedy *r, const struct finding *f)
{
    (void)f;
    lower_rate(r);
}

const struct symptom symptom_rate_high = {
    .row = {.name = "rate_too_high",
            .doc = "The training loss keeps jumping up: the steps are too long."},
    .advice = "Use a tenth of the learning rate, or the optimizer's default if that is even lower.",
    .find = find_rate_high,
    .mend = mend_rate_high,
};

static void mend_rate_low(struct remedy *r, const struct finding *f)
{
    (void)f;
    raise_rate(r);
}

const struct symptom symptom_rate_low = {
    .row = {.name = "rate_too_low", .doc = "The weights hardly change, and the loss hardly falls."},
    .advice = "Use ten times the learning rate, or the optimizer's default if that is even higher.",
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
    *f = about_all(n, at + 1, "validation loss, relative to its best", h->val_loss[n - 1] / best,
                   1.05);
    return f->value > f->limit && h->train_loss[n - 1] < .9 * h->train_loss[at] &&
           h->train_loss[n - 1] < .5 * h->val_loss[n - 1];
}

static void mend_overfitting(struct remedy *r, const struct finding *f)
{
    for (size_t i = 0; i < r->model->n_layer; i++)
        r->layer[i].dropout = r->layer[i].dropout < .3 ? .3 : .5;
    r->train->regularization.l2 =
        r->train->regularization.l2 < 1e-4 ? 1e-3 : 3 * r->train->regularization.l2;
    r->train->patience = 10;
    if (r->train->steps == 0 && (size_t)r->train->epochs > 4 * f->since)
        r->train->epochs = (int)(4 * f->since);
}

const struct symptom symptom_overfitting = {
    .row = {.name = "overfitting",
            .doc = "The training loss still falls while the validation loss rises: the network "
                   "memorizes the training rows."},
    .advice =
        "Use more dropout and an L2 penalty, and stop when the validation loss no longer improves.",
    .find = find_overfitting,
    .mend = mend_overfitting,
};

static bool find_underfitting(const struct history *h, struct finding *f)
{
    size_t n = h->n_epoch;
    if (n < 5 || isnan(h->chance_loss))
        return false;
    *f = about_all(n, 0, "training loss, relative to that of a constant prediction",
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
    r->train->regularization.l1 = r->train->regularization.l2 = 0;
    r->train->epochs = r->train->epochs > 50000 ? 100000 : 2 * r->train->epochs;
}

const struct symptom symptom_underfitting = {
    .row = {.name = "underfitting",
            .doc = "Even the training rows are predicted badly: the network is too small or too "
                   "regularized, or the inputs do not determine the target."},
    .advice = "Use wider layers without dropout or penalties, and train twice as long. If that "
              "does not help, the inputs do not determine the target.",
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
    *f = about_all(
        n, half + 1,
        "change of the training loss between the last two quarters, relative to its range",
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

const struct symptom symptom_plateau = {
    .row = {.name = "plateau",
            .doc =
                "The training loss has stopped falling although the learning rate is still high."},
    .advice = "Reduce the learning rate whenever there is no improvement for some epochs.",
    .find = find_plateau,
    .mend = mend_plateau,
};
