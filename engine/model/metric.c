// SPDX-License-Identifier: MIT
// Metric rows: see metric.h. Sums are in double, over answers in the targets' own units. The order
// of the rows in the table is the order in which replies list them; the first of a task is what its
// training is judged by unless the job says otherwise.

#include "engine/model/metric.h"

#include "engine/base/sort.h"
#include "engine/table/task.h"

// Σ_i (ŷ - y)² of target t
static double square_error(const struct scored *s, size_t t)
{
    double sum = 0;
    for (size_t r = 0; r < s->n && !halt_due(s->halt, r); r++) {
        double d = s->answer[r * s->k + t] - s->target[r * s->k + t];
        sum += d * d;
    }
    return sum;
}

// √(Σ (ŷ - y)² / n)
static double rmse(const struct scored *s)
{
    double sum = 0;
    for (size_t t = 0; t < s->k; t++)
        sum += sqrt(square_error(s, t) / (double)s->n);
    return sum / (double)s->k;
}

static double mae(const struct scored *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n * s->k && !halt_due(s->halt, i); i++)
        sum += fabs(s->answer[i] - s->target[i]);
    return sum / (double)(s->n * s->k);
}

// 1 - Σ (ŷ - y)² / Σ (y - ȳ)²; 0 where all targets are equal
static double r2_of(const struct scored *s, size_t t)
{
    double mean = 0, spread = 0;
    for (size_t r = 0; r < s->n && !halt_due(s->halt, r); r++)
        mean += s->target[r * s->k + t] / (double)s->n;
    for (size_t r = 0; r < s->n && !halt_due(s->halt, r); r++) {
        double d = s->target[r * s->k + t] - mean;
        spread += d * d;
    }
    return spread > 0 ? 1 - square_error(s, t) / spread : 0;
}

static double r2(const struct scored *s)
{
    double sum = 0;
    for (size_t t = 0; t < s->k; t++)
        sum += r2_of(s, t);
    return sum / (double)s->k;
}

static bool said(double probability)
{
    return probability >= .5;
}

static double label_accuracy(const struct scored *s)
{
    size_t right = 0;
    for (size_t i = 0; i < s->n * s->k && !halt_due(s->halt, i); i++)
        right += said(s->answer[i]) == said(s->target[i]);
    return (double)right / (double)(s->n * s->k);
}

static size_t most_likely(const double *p, size_t k)
{
    size_t best = 0;
    for (size_t c = 1; c < k; c++)
        best = p[c] > p[best] ? c : best;
    return best;
}

static double accuracy(const struct scored *s)
{
    size_t right = 0;
    if (s->n_target == s->k)
        return label_accuracy(s);
    for (size_t i = 0; i < s->n && !halt_due(s->halt, i); i++)
        right += most_likely(s->answer + i * s->k, s->k) == (size_t)s->target[i];
    return (double)right / (double)s->n;
}

// Σ |places between the most likely class and the right one| / n
static double rank_mae(const struct scored *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n && !halt_due(s->halt, i); i++)
        sum += fabs((double)most_likely(s->answer + i * s->k, s->k) - s->target[i]);
    return sum / (double)s->n;
}

// Cohen's kappa with quadratic weights: 1 - Σ (a - b)² over the rows / its mean when answers and
// targets were paired at random, which is the sum of their variances and of their means' squared
// distance; 0 where that is 0.
static double quadratic_kappa(const struct scored *s)
{
    double off = 0, a = 0, b = 0, aa = 0, bb = 0, n = (double)s->n;
    for (size_t i = 0; i < s->n && !halt_due(s->halt, i); i++) {
        double x = (double)most_likely(s->answer + i * s->k, s->k), y = s->target[i];
        off += (x - y) * (x - y) / n;
        a += x / n;
        b += y / n;
        aa += x * x / n;
        bb += y * y / n;
    }
    double chance = aa + bb - 2 * a * b;
    return chance > 0 ? 1 - off / chance : 0;
}

// No smaller than single precision can tell from 0 next to 1.
static double log_of(double p)
{
    return log(fmax(p, 1e-7));
}

// -Σ y log p + (1 - y) log(1 - p), per label
static double label_log_loss(const struct scored *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n * s->k && !halt_due(s->halt, i); i++)
        sum -= log_of(said(s->target[i]) ? s->answer[i] : 1 - s->answer[i]);
    return sum / (double)(s->n * s->k);
}

// -Σ log p_y / n
static double log_loss(const struct scored *s)
{
    double sum = 0;
    if (s->n_target == s->k)
        return label_log_loss(s);
    for (size_t i = 0; i < s->n && !halt_due(s->halt, i); i++)
        sum -= log_of(s->answer[i * s->k + (size_t)s->target[i]]);
    return sum / (double)s->n;
}

// 2 tp / (2 tp + fp + fn); 0 for a label that is neither there nor said to be
static double f1_of(const struct scored *s, size_t t)
{
    double hits = 0, both = 0;
    for (size_t r = 0; r < s->n && !halt_due(s->halt, r); r++) {
        size_t i = r * s->k + t;
        bool there = said(s->target[i]), told = said(s->answer[i]);
        hits += there && told;
        both += there + told;
    }
    return both > 0 ? 2 * hits / both : 0;
}

static double f1(const struct scored *s)
{
    double sum = 0;
    for (size_t t = 0; t < s->k; t++)
        sum += f1_of(s, t);
    return sum / (double)s->k;
}

// Σ q (log q - log p) / n
static double kl_divergence(const struct scored *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n * s->k && !halt_due(s->halt, i); i++)
        if (s->target[i] > 0)
            sum += s->target[i] * (log(s->target[i]) - log_of(s->answer[i]));
    return sum / (double)s->n;
}

static int by_score(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

// Area under the ROC curve: the chance that a positive row scores above a negative one, ties
// counting half. Pairs (score, class) are sorted; each run of equal scores adds its positives times
// the negatives below it plus half of those in it.
static double auc(const struct scored *s)
{
    double *pair = s->scratch;
    for (size_t i = 0; i < s->n && !halt_due(s->halt, i); i++) {
        pair[2 * i] = s->answer[i * 2 + 1];
        pair[2 * i + 1] = s->target[i];
    }
    sort(pair, s->n, 2 * sizeof *pair, by_score, s->halt);
    double below = 0, area = 0, positives = 0;
    for (size_t i = 0, run = 0; i < s->n && !halt_due(s->halt, run); run++) {
        double plus = 0, minus = 0;
        size_t j = i;
        for (; j < s->n && pair[2 * j] <= pair[2 * i]; j++)
            *(pair[2 * j + 1] > 0 ? &plus : &minus) += 1;
        area += plus * (below + minus / 2);
        below += minus;
        positives += plus;
        i = j;
    }
    return positives > 0 && below > 0 ? area / (positives * below) : .5;
}

static const struct metric metric_rmse = {
    .row = {.name = "rmse", .doc = "Root mean squared error, in the target's units."},
    .forms = FORM_VALUES,
    .value = rmse,
};
static const struct metric metric_mae = {
    .row = {.name = "mae", .doc = "Mean absolute error, in the target's units."},
    .forms = FORM_VALUES | FORM_SHARES,
    .value = mae,
};
static const struct metric metric_r2 = {
    .row = {.name = "r2",
            .doc =
                "Coefficient of determination: share of the target's variance that is explained."},
    .forms = FORM_VALUES,
    .larger_better = true,
    .value = r2,
};
static const struct metric metric_accuracy = {
    .row =
        {.name = "accuracy",
         .doc =
             "Share of rows whose most likely class is right; for labels, share of labels that are "
             "right at threshold 0.5."},
    .forms = FORM_TWO_CLASSES | FORM_CLASSES | FORM_LABELS,
    .larger_better = true,
    .value = accuracy,
};
static const struct metric metric_log_loss = {
    .row = {.name = "log_loss",
            .doc = "Mean negative log likelihood of the true class, or of the true value of every "
                   "label."},
    .forms = FORM_TWO_CLASSES | FORM_CLASSES | FORM_LABELS,
    .value = log_loss,
};
static const struct metric metric_rank_mae = {
    .row = {.name = "rank_mae",
            .doc =
                "Ordinal: mean number of places between the most likely class and the right one."},
    .forms = FORM_TWO_CLASSES | FORM_CLASSES,
    .ordered = true,
    .value = rank_mae,
};
static const struct metric metric_quadratic_kappa = {
    .row =
        {.name = "quadratic_kappa",
         .doc =
             "Ordinal: Cohen's kappa with quadratic weights, 1 for right answers, 0 for chance."},
    .forms = FORM_TWO_CLASSES | FORM_CLASSES,
    .larger_better = true,
    .ordered = true,
    .value = quadratic_kappa,
};
static const struct metric metric_auc = {
    .row = {.name = "auc", .doc = "Area under the ROC curve of the second class."},
    .forms = FORM_TWO_CLASSES,
    .larger_better = true,
    .value = auc,
};
static const struct metric metric_f1 = {
    .row =
        {.name = "f1",
         .doc =
             "Harmonic mean of precision and recall at threshold 0.5, averaged over the labels."},
    .forms = FORM_LABELS,
    .larger_better = true,
    .value = f1,
};
static const struct metric metric_kl_divergence = {
    .row = {.name = "kl_divergence",
            .doc = "Mean Kullback-Leibler divergence between true and predicted proportions."},
    .forms = FORM_SHARES,
    .value = kl_divergence,
};

static const struct row *const metric_row[] = {
    &metric_rmse.row,     &metric_kl_divergence.row,  &metric_mae.row, &metric_r2.row,
    &metric_accuracy.row, &metric_log_loss.row,       &metric_f1.row,  &metric_auc.row,
    &metric_rank_mae.row, &metric_quadratic_kappa.row};
const struct table metric_table = {
    "metric", metric_row, sizeof metric_row / sizeof *metric_row, {{0}}};

const struct metric *metric_for(const struct answer *a, size_t i)
{
    enum target_form form = answer_form(a);
    for (size_t k = 0; k < metric_table.n; k++) {
        const struct metric *m = (const struct metric *)(const void *)metric_table.row[k];
        bool fits = m->forms & form && (!m->ordered || a->task->ordered);
        if (fits && i-- == 0)
            return m;
    }
    return NULL;
}
