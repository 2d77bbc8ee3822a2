// SPDX-License-Identifier: MIT
// Targets: which columns they are, in a new model's table and in another, and what a row's are to
// training. What may be predicted of them is in prep_task.c.

#include "engine/table/prep.h"

#include "engine/table/prep_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool twice(const struct prep *p, size_t i, struct err *e)
{
    char at[PREP_PLACE];
    for (size_t k = 0; k < i; k++)
        if (p->target[k].source == p->target[i].source)
            return !fail_at(e, ERR_INVALID, prep_target_place(p, i, at), "\"%s\" is named twice",
                            p->target[i].name);
    return false;
}

static bool find_targets(struct prep *p, const struct frame *f, const struct data_spec *s,
                         const struct prep_wish *wish, const struct halt *halt, struct arena *a,
                         struct err *e)
{
    char at[PREP_PLACE];
    for (size_t i = 0; i < p->n_target; i++) {
        struct prep_target *t = &p->target[i];
        prep_target_place(p, i, at);
        *t = (struct prep_target){0};
        if (!prep_column_index(f, s->target[i], at, &t->source, e))
            return false;
        t->name = f->column[t->source].name;
        if (twice(p, i, e) ||
            !prep_cast(f, t->source, wish[t->source].type, "/features/types", &t->cast, halt, a, e))
            return false;
    }
    return true;
}

bool prep_choose_targets(struct prep *p, const struct frame *f, const struct data_spec *s,
                         const struct prep_wish *wish, const struct halt *halt, struct arena *a,
                         struct err *e)
{
    size_t n = p->n_target = s->n_target;
    if (n == 0)
        return fail_at(e, ERR_INVALID, "/target", "a column to predict is needed");
    p->target = prep_alloc(a, n, sizeof *p->target, e);
    p->y_mean = prep_alloc(a, n, sizeof *p->y_mean, e);
    p->y_std = prep_alloc(a, n, sizeof *p->y_std, e);
    if (!p->target || !p->y_mean || !p->y_std)
        return false;
    for (size_t i = 0; i < n; i++) {
        p->y_mean[i] = 0;
        p->y_std[i] = 1;
    }
    return find_targets(p, f, s, wish, halt, a, e) && prep_choose_task(p, f, s->task, halt, a, e);
}

size_t prep_class(const struct prep *p, const char *name)
{
    size_t k = 0;
    while (k < p->n_class && strcmp(p->class_name[k], name) != 0)
        k++;
    return k;
}

static bool map_classes(const struct prep *p, struct prep_target *t, const struct column *c,
                        struct arena *a, struct err *e)
{
    uint32_t *slot = prep_alloc(a, c->n_level, sizeof *slot, e);
    for (size_t i = 0; slot && i < c->n_level; i++)
        slot[i] = (uint32_t)prep_class(p, c->level[i]);
    t->slot = slot;
    return slot;
}

// A label is read from numbers and from words, so it keeps the type it has.
static bool bind_target(const struct prep *p, struct prep_target *t, const struct frame *f,
                        const struct halt *halt, struct arena *a, struct err *e)
{
    const struct column *own = frame_find(f, t->name);
    *t = (struct prep_target){.name = t->name, .source = SIZE_MAX};
    if (!own)
        return true;
    t->source = (size_t)(own - f->column);
    if (p->task == TASK_MULTILABEL)
        return prep_map_labels(t, own, a, e);
    bool classes = p->task == TASK_CLASSIFICATION;
    enum column_type type = classes ? COLUMN_CATEGORICAL : COLUMN_NUMERIC;
    return prep_cast(f, t->source, type, "/dataset", &t->cast, halt, a, e) &&
           (!classes || map_classes(p, t, prep_aim(t, f), a, e));
}

bool prep_bind_targets(struct prep *p, const struct frame *f, const struct halt *halt,
                       struct arena *a, struct err *e)
{
    struct prep_target *t = prep_alloc(a, p->n_target, sizeof *t, e);
    if (!t)
        return false;
    memcpy(t, p->target, p->n_target * sizeof *t);
    p->target = t;
    for (size_t i = 0; i < p->n_target; i++)
        if (!bind_target(p, &t[i], f, halt, a, e))
            return false;
    return p->task != TASK_DISTRIBUTION || prep_check_shares(p, f, "/dataset", halt, e);
}

static double number_value(const struct prep *p, size_t i, double v)
{
    if (p->task == TASK_MULTILABEL && v != 0 && v != 1)
        return NAN;
    return prep_clamp((v - p->y_mean[i]) / p->y_std[i]);
}

double prep_target_value(const struct prep *p, size_t i, const struct frame *f, uint32_t row)
{
    const struct column *c = prep_aim(&p->target[i], f);
    if (!c)
        return NAN;
    if (c->type == COLUMN_NUMERIC)
        return number_value(p, i, c->number[row]);
    size_t known = p->task == TASK_CLASSIFICATION ? p->n_class : PREP_NO_LABEL;
    uint32_t code = c->code[row];
    if (code == LEVEL_MISSING || p->target[i].slot[code] >= known)
        return NAN;
    return p->target[i].slot[code];
}

void prep_encode_target(const struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                        real *y, const struct halt *halt)
{
    for (size_t r = 0; r < n && !halt_due_row(halt, r); r++)
        for (size_t i = 0; i < p->n_target; i++)
            *y++ = (real)prep_target_value(p, i, f, row[r]);
}

bool prep_usable(const struct prep *p, const struct frame *f, uint32_t row)
{
    for (size_t i = 0; i < p->n_target; i++)
        if (isnan(prep_target_value(p, i, f, row)))
            return false;
    return !p->weight || p->weight->number[row] > 0;
}
