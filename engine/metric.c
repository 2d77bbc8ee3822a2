// SPDX-License-Identifier: MIT
// Metric rows: see metric.h. Sums are in double.

#include "metric.h"

#include "tables.h"

#include <stdlib.h>

static double square_error(const struct scored *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        double d = s->answer[i] - s->target[i];
        sum += d * d;
    }
    return sum;
}

// √(Σ (ŷ - y)² / n)
static double rmse(const struct scored *s)
{
    return sqrt(square_error(s) / (double)s->n);
}

static double mae(const struct scored *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n; i++)
        sum += fabs(s->answer[i] - s->target[i]);
    return sum / (double)s->n;
}

// 1 - Σ (ŷ - y)² / Σ (y - ȳ)²; 0 where all targets are equal
static double r2(const struct scored *s)
{
    double mean = 0, spread = 0;
    for (size_t i = 0; i < s->n; i++)
        mean += s->target[i] / (double)s->n;
    for (size_t i = 0; i < s->n; i++)
        spread += (s->target[i] - mean) * (s->target[i] - mean);
    return spread > 0 ? 1 - square_error(s) / spread : 0;
}

static double accuracy(const struct scored *s)
{
    size_t right = 0;
    for (size_t i = 0; i < s->n; i++) {
        const double *p = s->answer + i * s->k;
        size_t best = 0;
        for (size_t c = 1; c < s->k; c++)
            best = p[c] > p[best] ? c : best;
        right += best == (size_t)s->target[i];
    }
    return (double)right / (double)s->n;
}

// -Σ log p_y / n, with p no smaller than single precision can tell from 0 next to 1
static double log_loss(const struct scored *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n; i++)
        sum -= log(fmax(s->answer[i * s->k + (size_t)s->target[i]], 1e-7));
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
    for (size_t i = 0; i < s->n; i++) {
        pair[2 * i] = s->answer[i * 2 + 1];
        pair[2 * i + 1] = s->target[i];
    }
    qsort(pair, s->n, 2 * sizeof *pair, by_score);
    double below = 0, area = 0, positives = 0;
    for (size_t i = 0; i < s->n;) {
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
    {.name = "rmse", .doc = "Root of the mean squared error, in the target's units."},
    LOSS_REGRESSION,
    false,
    rmse};
static const struct metric metric_mae = {
    {.name = "mae", .doc = "Mean absolute error, in the target's units."},
    LOSS_REGRESSION,
    false,
    mae};
static const struct metric metric_r2 = {
    {.name = "r2", .doc = "Share of the target's variance that is explained."},
    LOSS_REGRESSION,
    true,
    r2};
static const struct metric metric_accuracy = {
    {.name = "accuracy", .doc = "Share of rows whose most likely class is right."},
    LOSS_BINARY | LOSS_MULTICLASS,
    true,
    accuracy};
static const struct metric metric_log_loss = {
    {.name = "log_loss", .doc = "Mean negative logarithm of the right class's probability."},
    LOSS_BINARY | LOSS_MULTICLASS,
    false,
    log_loss};
static const struct metric metric_auc = {
    {.name = "auc", .doc = "Area under the ROC curve of the second class."},
    LOSS_BINARY,
    true,
    auc};

static const struct row *const metric_row[] = {&metric_rmse.row,     &metric_mae.row,
                                               &metric_r2.row,       &metric_accuracy.row,
                                               &metric_log_loss.row, &metric_auc.row};
const struct table metric_table = {
    "metric", metric_row, sizeof metric_row / sizeof *metric_row, {{0}}};

int metric_task(size_t n_class)
{
    return n_class == 0 ? LOSS_REGRESSION : n_class == 2 ? LOSS_BINARY : LOSS_MULTICLASS;
}

const struct metric *metric_for(int task, size_t i)
{
    for (size_t k = 0; k < metric_table.n; k++) {
        const struct metric *m = (const struct metric *)(const void *)metric_table.row[k];
        if (m->tasks & task && i-- == 0)
            return m;
    }
    return NULL;
}
