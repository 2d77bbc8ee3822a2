// SPDX-License-Identifier: MIT
// A distribution: shares of a whole, a column for each, whose sum is 1 in every row.

#include "engine/table/task_parts.h"

#include <math.h>

static const double TOLERANCE = 1e-6; // of the sum: shares are written with some digits

// Σ of the shares of a row; NaN when one is missing. `low` receives the index of a negative one.
static double sum_shares(const struct prep *p, const struct frame *f, size_t row, size_t *low)
{
    double sum = 0;
    *low = SIZE_MAX;
    for (size_t i = 0; i < p->answer.n_target; i++) {
        const struct column *c = prep_aim(&p->target[i], f);
        double share = c ? c->number[row] : NAN;
        if (share < 0)
            *low = i;
        sum += share;
    }
    return sum;
}

// Rows that lack a share do not count.
static bool distribution_check(const struct prep *p, const struct frame *f, const char *at,
                               const struct halt *halt, struct err *e)
{
    size_t low;
    for (size_t row = 0; row < f->n_row && !halt_due_row(halt, row); row++) {
        double sum = sum_shares(p, f, row, &low);
        if (isnan(sum))
            continue;
        if (low != SIZE_MAX)
            return fail_at(e, ERR_INVALID, at,
                           "row %zu of the table has a negative share in \"%s\"; shares are 0 or "
                           "more and sum to 1",
                           row + 1, p->answer.target[low]);
        if (fabs(sum - 1) > TOLERANCE)
            return fail_at(e, ERR_INVALID, at,
                           "the shares in row %zu of the table sum to %.9g, "
                           "not to 1",
                           row + 1, sum);
    }
    return halt_go_on(halt, e);
}

static bool distribution_choose(struct prep *p, const struct frame *f, const struct data_spec *s,
                                const struct halt *halt, struct arena *a, struct err *e)
{
    (void)s, (void)a;
    if (p->answer.n_target < 2)
        return fail_at(e, ERR_INVALID, "/task",
                       "a distribution needs at least two targets, a column for each share");
    size_t i = task_first_text(p, f);
    if (i < p->answer.n_target)
        return fail_at(e, ERR_INVALID, "/task",
                       "a distribution needs numbers, and \"%s\" holds text", p->answer.target[i]);
    return distribution_check(p, f, "/target", halt, e);
}

static bool distribution_fits(const double *target, size_t n, struct err *why)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (target[i] < 0)
            return fail(why, ERR_INVALID, "must be shares of 0 or more, got %.9g", target[i]);
        sum += target[i];
    }
    return fabs(sum - 1) <= TOLERANCE ||
           fail(why, ERR_INVALID, "must be shares that sum to 1, and they sum to %.9g", sum);
}

static void distribution_write(const struct answer *a, const double *answer,
                               const struct answer_sink *to)
{
    task_write_probabilities(a->target, answer, a->n_target, to);
}

const struct task task_distribution = {
    .row = {.name = "distribution", .doc = "Shares of a whole: targets sum to one."},
    .what = "a distribution",
    .forms = FORM_SHARES,
    .may_be_constant = true,
    .choose = distribution_choose,
    .bind = task_bind_numbers,
    .check = distribution_check,
    .value = task_number,
    .fits = distribution_fits,
    .write = distribution_write,
};
