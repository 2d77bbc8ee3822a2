// SPDX-License-Identifier: MIT
// How much rows count in training: a column's numbers, classes, or both multiplied. A row that
// weighs nothing is left out by the split, so it is as if it were not in the table.

#include "engine/table/prep.h"

#include "engine/table/prep_parts.h"
#include "engine/table/task.h"

#include <math.h>

bool prep_weighted(const struct data_spec *s)
{
    return s->weights || s->balanced || s->n_class_weight;
}

static bool check_weights(const struct column *c, size_t n_row, const struct halt *halt,
                          struct err *e)
{
    double most = 0;
    for (size_t i = 0; i < n_row && !halt_due(halt, i); i++) {
        double w = c->number[i];
        if (isnan(w))
            return fail_at(e, ERR_INVALID, "/weights",
                           "row %zu of the table has no weight in \"%s\"; 0 leaves a row out",
                           i + 1, c->name);
        if (w < 0)
            return fail_at(e, ERR_INVALID, "/weights",
                           "row %zu of the table weighs %.9g; a weight is 0 or more", i + 1, w);
        most = w > most ? w : most;
    }
    if (!halt_go_on(halt, e))
        return false;
    return most > 0 || fail_at(e, ERR_INVALID, "/weights", "every weight in \"%s\" is 0", c->name);
}

static bool find_weights(struct prep *p, const struct frame *f, const char *name,
                         const struct prep_wish *wish, const struct halt *halt, struct arena *a,
                         struct err *e)
{
    size_t at = 0;
    const struct column *cast;
    if (!prep_column_index(f, name, "/weights", &at, e))
        return false;
    for (size_t i = 0; i < p->answer.n_target; i++)
        if (p->target[i].source == at)
            return fail_at(e, ERR_INVALID, "/weights",
                           "\"%s\" is predicted, so it cannot be the weight", name);
    if (wish[at].type != COLUMN_NUMERIC)
        return fail_at(e, ERR_INVALID, "/weights", "weights must be numbers, and \"%s\" holds text",
                       name);
    if (!prep_cast(f, at, COLUMN_NUMERIC, "/weights", &cast, halt, a, e))
        return false;
    p->weight = cast ? cast : &f->column[at];
    return check_weights(p->weight, f->n_row, halt, e);
}

bool prep_choose_weights(struct prep *p, const struct frame *f, const struct data_spec *s,
                         const struct prep_wish *wish, const struct halt *halt, struct arena *a,
                         struct err *e)
{
    bool by_class = s->balanced || s->n_class_weight;
    if (by_class && !p->answer.task->classes)
        return fail_at(e, ERR_INVALID, "/class_weight",
                       "only a classification has classes to weigh; leave it out");
    return !s->weights || find_weights(p, f, s->weights, wish, halt, a, e);
}

static size_t class_of(const struct prep *p, const struct frame *f, uint32_t row)
{
    return (size_t)prep_target_value(p, 0, f, row);
}

// n / (K n_c); 1 for a class that none of the rows has.
static void balance(const struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                    double *weight, const struct halt *halt)
{
    for (size_t c = 0; c < p->answer.n_class; c++)
        weight[c] = 0;
    for (size_t i = 0; i < n && !halt_due(halt, i); i++)
        weight[class_of(p, f, row[i])]++;
    for (size_t c = 0; c < p->answer.n_class; c++)
        weight[c] = weight[c] > 0 ? (double)n / ((double)p->answer.n_class * weight[c]) : 1;
}

static void as_told(const struct prep *p, const struct data_spec *s, double *weight)
{
    for (size_t c = 0; c < p->answer.n_class; c++)
        weight[c] = 1;
    for (size_t i = 0; i < s->n_class_weight; i++) {
        size_t c = prep_class(p, s->class_weight[i].name);
        if (c < p->answer.n_class)
            weight[c] = s->class_weight[i].weight;
    }
}

static double weight_of(const struct prep *p, const struct frame *f, uint32_t row)
{
    double own = p->weight ? p->weight->number[row] : 1;
    return p->class_weight ? own * p->class_weight[class_of(p, f, row)] : own;
}

static bool weigh_rows(struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                       const struct halt *halt, struct err *e)
{
    double sum = 0;
    for (size_t i = 0; i < n && !halt_due(halt, i); i++)
        sum += weight_of(p, f, row[i]);
    if (!halt_go_on(halt, e))
        return false;
    p->weight_unit = sum / (double)n;
    return (isfinite(sum) && p->weight_unit > 0) ||
           fail_at(e, ERR_INVALID, "/weights", "the weights are too %s to be added up",
                   isfinite(sum) ? "small" : "large");
}

bool prep_fit_weights(struct prep *p, const struct frame *f, const struct data_spec *s,
                      const uint32_t *row, size_t n, const struct halt *halt, struct arena *a,
                      struct err *e)
{
    p->class_weight = NULL;
    if (s->balanced || s->n_class_weight) {
        double *weight = prep_alloc(a, p->answer.n_class, sizeof *weight, e);
        if (!weight)
            return false;
        if (s->balanced)
            balance(p, f, row, n, weight, halt);
        else
            as_told(p, s, weight);
        p->class_weight = weight;
    }
    return !prep_weighted(s) || weigh_rows(p, f, row, n, halt, e);
}

void prep_encode_weights(const struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                         real *w, const struct halt *halt)
{
    for (size_t i = 0; i < n && !halt_due(halt, i); i++)
        w[i] = (real)prep_clamp(weight_of(p, f, row[i]) / p->weight_unit);
}
