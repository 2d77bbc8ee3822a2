// SPDX-License-Identifier: MIT
// Learning scales and levels from training rows. Sums are taken in double and in row order, so a
// fit has the same bits everywhere.

#include "engine/table/prep.h"

#include "engine/table/prep_parts.h"
#include "engine/table/task.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct scale {
    double mean, std;
    size_t n; // present values
};

// `at`: where to say that the numbers cannot be scaled.
static bool numeric_scale(const struct column *c, const uint32_t *row, size_t n, struct scale *out,
                          const char *at, const struct halt *halt, struct err *e)
{
    double sum = 0, square = 0, first = NAN;
    bool constant = true;
    *out = (struct scale){.std = 1};
    for (size_t i = 0; i < n && !halt_due(halt, i); i++) {
        double v = c->number[row[i]];
        if (isnan(v))
            continue;
        first = out->n++ ? first : v;
        constant &= v == first;
        sum += v;
    }
    if (!out->n)
        return halt_go_on(halt, e);
    out->mean = constant ? first : sum / (double)out->n;
    for (size_t i = 0; i < n && !constant && !halt_due(halt, i); i++) {
        double d = c->number[row[i]] - out->mean;
        square += isnan(d) ? 0 : d * d;
    }
    if (!halt_go_on(halt, e))
        return false;
    double std = sqrt(square / (double)out->n);
    out->std = std > 0 ? std : 1;
    return (isfinite(out->mean) && isfinite(out->std)) ||
           fail_at(e, ERR_INVALID, at, "the numbers of column \"%s\" are too large to be scaled",
                   c->name);
}

static bool fit_numeric(struct prep_column *c, const struct column *from, const struct data_spec *s,
                        const uint32_t *row, size_t n, const struct halt *halt, struct err *e)
{
    struct scale scale;
    if (!numeric_scale(from, row, n, &scale, "/dataset", halt, e))
        return false;
    bool standard = s->numeric == NUMERIC_STANDARD;
    c->fill = scale.mean;
    c->mean = standard ? scale.mean : 0;
    c->std = standard ? scale.std : 1;
    c->indicator = s->missing == MISSING_MEAN_INDICATOR && scale.n < n;
    c->width = 1 + c->indicator;
    return true;
}

struct tally {
    uint32_t code;
    size_t n;
};

static int by_frequency(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return (x->code > y->code) - (x->code < y->code);
}

// Levels that occur in the rows, the most frequent first; not the slot that rare ones share.
static size_t count_levels(const struct column *c, const uint32_t *row, size_t n, struct tally *t,
                           const struct halt *halt)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n_level; i++)
        t[i] = (struct tally){.code = (uint32_t)i};
    for (size_t i = 0; i < n && !halt_due(halt, i); i++)
        if (c->code[row[i]] != LEVEL_MISSING)
            t[c->code[row[i]]].n++;
    for (size_t i = 0; i < c->n_level; i++)
        if (t[i].n && *c->level[i])
            t[kept++] = t[i];
    qsort(t, kept, sizeof *t, by_frequency);
    return kept < PREP_MAX_LEVELS ? kept : PREP_MAX_LEVELS;
}

static bool fit_categorical(struct prep_column *c, const struct column *from, const uint32_t *row,
                            size_t n, const struct halt *halt, struct arena *a, struct err *e)
{
    uint32_t *slot = prep_alloc(a, from->n_level, sizeof *slot, e);
    size_t most = from->n_level < PREP_MAX_LEVELS ? from->n_level : PREP_MAX_LEVELS;
    const char **level = prep_alloc(a, most, sizeof *level, e);
    struct arena_mark mark = arena_mark(a);
    struct tally *t = prep_alloc(a, from->n_level, sizeof *t, e);
    if (!slot || !level || !t)
        return false;
    c->n_level = count_levels(from, row, n, t, halt);
    for (size_t i = 0; i < from->n_level; i++)
        slot[i] = (uint32_t)c->n_level;
    for (size_t k = 0; k < c->n_level; k++) {
        slot[t[k].code] = (uint32_t)k;
        level[k] = from->level[t[k].code];
    }
    arena_rewind(a, mark);
    c->slot = slot;
    c->level = level;
    c->width = c->n_level + 1;
    return true;
}

// A loss of positive targets is told of the smallest, wherever its row is.
static bool check_least(const struct column *c, size_t n_row, const struct loss *loss,
                        const char *at, const struct halt *halt, struct err *e)
{
    double least = INFINITY;
    for (size_t i = 0; i < n_row && !halt_due(halt, i); i++)
        least = c->number[i] < least ? c->number[i] : least;
    if (!halt_go_on(halt, e))
        return false;
    bool good = loss->target_above_min ? least > loss->target_min : least >= loss->target_min;
    return good || fail_at(e, ERR_INVALID, at,
                           "loss \"%s\" needs targets %s %.9g, and the smallest of \"%s\" is "
                           "%.9g",
                           loss->op->row.name, loss->target_above_min ? "above" : "of at least",
                           loss->target_min, c->name, least);
}

static bool fit_target(struct prep *p, size_t i, const struct frame *f, const struct loss *loss,
                       const uint32_t *row, size_t n, const struct halt *halt, struct err *e)
{
    struct scale scale;
    char at[PREP_PLACE];
    const struct column *c = prep_aim(&p->target[i], f);
    bool by_mean = loss && loss->scale == TARGET_MEAN;
    if ((by_mean && !check_least(c, f->n_row, loss, prep_target_place(p, i, at), halt, e)) ||
        !numeric_scale(c, row, n, &scale, prep_target_place(p, i, at), halt, e))
        return false;
    p->answer.mean[i] = by_mean ? 0 : scale.mean;
    p->answer.std[i] = !by_mean ? scale.std : scale.mean >= DBL_MIN ? scale.mean : 1;
    return true;
}

static bool fit_targets(struct prep *p, const struct frame *f, const struct loss *loss,
                        const uint32_t *row, size_t n, const struct halt *halt, struct err *e)
{
    for (size_t i = 0; p->answer.task->scaled && i < p->answer.n_target; i++)
        if (!fit_target(p, i, f, loss, row, n, halt, e))
            return false;
    return true;
}

bool prep_fit(struct prep *p, const struct frame *f, const struct data_spec *s,
              const struct loss *loss, const uint32_t *row, size_t n, const struct halt *halt,
              struct arena *a, struct err *e)
{
    p->n_feature = 0;
    for (size_t k = 0; k < p->n_column; k++) {
        struct prep_column *c = &p->column[k];
        const struct column *from = prep_input(c, f);
        c->at = p->n_feature;
        if (!(c->type == COLUMN_NUMERIC ? fit_numeric(c, from, s, row, n, halt, e)
                                        : fit_categorical(c, from, row, n, halt, a, e)))
            return false;
        p->n_feature += c->width;
        if (p->n_feature > PREP_MAX_FEATURES)
            return fail_at(e, ERR_TOO_LARGE, "/features", "the columns make more than %d features",
                           PREP_MAX_FEATURES);
    }
    if (!fit_targets(p, f, loss, row, n, halt, e) ||
        !prep_fit_weights(p, f, s, row, n, halt, a, e) || !halt_go_on(halt, e))
        return false;
    return prep_index(p, halt, a, e);
}
