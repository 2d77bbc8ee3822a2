// SPDX-License-Identifier: MIT
// Choosing what to learn from what: prep_init() for a new model, prep_bind() for one that exists.
// Targets are in prep_target.c, weights in prep_weight.c, fitting in prep_fit.c, encoding in
// prep_encode.c, dividing the rows in split.c. A column whose type the job overrides is converted
// once (cast.c), so everything after sees the type it wants.

#include "engine/table/prep.h"

#include "engine/table/prep_parts.h"
#include "engine/table/task.h"

#include "engine/base/nearest.h"
#include "engine/table/cast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool read_wishes(const struct frame *f, const struct data_spec *s, struct prep_wish *w,
                        struct err *e)
{
    size_t at = 0;
    for (size_t i = 0; i < f->n_column; i++)
        w[i] = (struct prep_wish){.type = f->column[i].type};
    for (size_t i = 0; i < s->n_exclude; i++) {
        if (!prep_column_index(f, s->exclude[i], "/features/exclude", &at, e))
            return false;
        w[at].exclude = true;
    }
    for (size_t i = 0; i < s->n_type; i++) {
        if (!prep_column_index(f, s->type[i].name, "/features/types", &at, e))
            return false;
        w[at].type = s->type[i].type;
    }
    return true;
}

static bool choose_inputs(struct prep *p, const struct frame *f, const struct prep_wish *w,
                          const struct halt *halt, struct arena *a, struct err *e)
{
    size_t taken = p->answer.n_target + (p->weight != NULL);
    p->column = prep_alloc(a, f->n_column, sizeof *p->column, e);
    if (!p->column)
        return false;
    for (size_t i = 0; i < f->n_column; i++) {
        if (w[i].exclude)
            continue;
        struct prep_column *c = &p->column[p->n_column++];
        *c = (struct prep_column){.name = f->column[i].name, .type = w[i].type, .source = i};
        if (!prep_cast(f, i, w[i].type, "/features/types", &c->cast, halt, a, e))
            return false;
    }
    return p->n_column ||
           fail_at(e, ERR_INVALID, f->n_column > taken ? "/features/exclude" : "/dataset",
                   "there is no column besides the target to use as an input");
}

bool prep_init(struct prep *p, const struct frame *f, const struct data_spec *s,
               const struct halt *halt, struct arena *a, struct err *e)
{
    *p = (struct prep){0};
    struct prep_wish *w = prep_alloc(a, f->n_column, sizeof *w, e);
    if (!w || !read_wishes(f, s, w, e) || !prep_choose_targets(p, f, s, w, halt, a, e) ||
        !prep_choose_weights(p, f, s, w, halt, a, e))
        return false;
    for (size_t i = 0; i < p->answer.n_target; i++)
        w[p->target[i].source].exclude = true;
    if (s->weights)
        w[frame_find(f, s->weights) - f->column].exclude = true;
    return choose_inputs(p, f, w, halt, a, e);
}

// Frame code -> kept level, for a frame the levels did not come from.
static bool bind_levels(struct prep *p, size_t k, const struct frame *f, struct arena *a,
                        struct err *e)
{
    struct prep_column *c = &p->column[k];
    const struct column *source = prep_input(c, f);
    uint32_t *slot = prep_alloc(a, source->n_level, sizeof *slot, e);
    for (size_t i = 0; slot && i < source->n_level; i++)
        slot[i] = (uint32_t)prep_level(p, k, source->level[i], strlen(source->level[i]));
    c->slot = slot;
    return slot;
}

static bool bind_column(struct prep *p, size_t k, const struct frame *f, const struct halt *halt,
                        struct arena *a, struct err *e)
{
    struct prep_column *c = &p->column[k];
    if (c->source == SIZE_MAX)
        return fail_at(e, ERR_INVALID, "/dataset", "the dataset has no column \"%s\"", c->name);
    return prep_cast(f, c->source, c->type, "/dataset", &c->cast, halt, a, e) &&
           (c->type == COLUMN_NUMERIC || bind_levels(p, k, f, a, e));
}

bool prep_bind(struct prep *bound, const struct prep *p, const struct frame *f,
               const struct halt *halt, struct arena *a, struct err *e)
{
    *bound = *p;
    bound->weight = NULL;
    bound->class_weight = NULL;
    bound->column = prep_alloc(a, p->n_column, sizeof *p->column, e);
    if (!bound->column)
        return false;
    memcpy(bound->column, p->column, p->n_column * sizeof *p->column);
    for (size_t k = 0; k < p->n_column; k++)
        bound->column[k].source = SIZE_MAX;
    for (size_t i = 0; i < f->n_column; i++) {
        size_t k = prep_find(p, f->column[i].name, strlen(f->column[i].name));
        if (k < p->n_column)
            bound->column[k].source = i;
    }
    for (size_t k = 0; k < p->n_column; k++)
        if (!bind_column(bound, k, f, halt, a, e))
            return false;
    return prep_bind_targets(bound, f, halt, a, e);
}

bool prep_same_targets(const struct prep *p, const struct prep *q)
{
    bool same = p->answer.task == q->answer.task && p->answer.n_target == q->answer.n_target;
    for (size_t i = 0; same && i < p->answer.n_target; i++)
        same = strcmp(p->answer.target[i], q->answer.target[i]) == 0;
    return same;
}

bool prep_adopt(struct prep *p, const struct prep *from, const struct frame *f,
                const struct halt *halt, struct arena *a, struct err *e)
{
    struct prep bound;
    if (!prep_bind(&bound, from, f, halt, a, e))
        return false;
    for (size_t i = 0; i < p->answer.n_target; i++)
        if (prep_find(&bound, p->answer.target[i], strlen(p->answer.target[i])) < bound.n_column)
            return fail_at(e, ERR_INVALID, "/target",
                           "\"%s\" is an input of the model that training starts from",
                           p->answer.target[i]);
    p->column = bound.column;
    p->n_column = bound.n_column;
    p->n_feature = bound.n_feature;
    if (p->answer.task->scaled && prep_same_targets(p, from)) {
        p->answer.mean = from->answer.mean;
        p->answer.std = from->answer.std;
    }
    return prep_index(p, halt, a, e);
}
