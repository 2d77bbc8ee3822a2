// SPDX-License-Identifier: MIT
// Targets: which columns they are, in a new model's table and in another, and what a row's are to
// training. What may be predicted of them is in prep_task.c.

#include "engine/table/prep.h"

#include "engine/table/prep_parts.h"
#include "engine/table/task.h"

#include <math.h>

static bool twice(const struct prep *p, size_t i, struct err *e)
{
    char at[PREP_PLACE];
    for (size_t k = 0; k < i; k++)
        if (p->target[k].source == p->target[i].source)
            return !fail_at(e, ERR_INVALID, prep_target_place(p, i, at), "\"%s\" is named twice",
                            p->answer.target[i]);
    return false;
}

static bool find_targets(struct prep *p, const char **name, const struct frame *f,
                         const struct data_spec *s, const struct prep_wish *wish,
                         const struct halt *halt, struct arena *a, struct err *e)
{
    char at[PREP_PLACE];
    for (size_t i = 0; i < p->answer.n_target; i++) {
        struct prep_target *t = &p->target[i];
        prep_target_place(p, i, at);
        *t = (struct prep_target){0};
        if (!prep_column_index(f, s->target[i], at, &t->source, e))
            return false;
        name[i] = f->column[t->source].name;
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
    size_t n = p->answer.n_target = s->n_target;
    if (n == 0)
        return fail_at(e, ERR_INVALID, "/target", "a column to predict is needed");
    const char **name = prep_alloc(a, n, sizeof *name, e);
    p->answer.target = name;
    p->target = prep_alloc(a, n, sizeof *p->target, e);
    p->answer.mean = prep_alloc(a, n, sizeof *p->answer.mean, e);
    p->answer.std = prep_alloc(a, n, sizeof *p->answer.std, e);
    if (!name || !p->target || !p->answer.mean || !p->answer.std)
        return false;
    for (size_t i = 0; i < n; i++) {
        p->answer.mean[i] = 0;
        p->answer.std[i] = 1;
    }
    return find_targets(p, name, f, s, wish, halt, a, e) && prep_choose_task(p, f, s, halt, a, e);
}

static bool bind_target(struct prep *p, size_t i, const struct frame *f, const struct halt *halt,
                        struct arena *a, struct err *e)
{
    const struct column *own = frame_find(f, p->answer.target[i]);
    p->target[i] = (struct prep_target){.source = own ? (size_t)(own - f->column) : SIZE_MAX};
    return !own || p->answer.task->bind(p, i, f, halt, a, e);
}

bool prep_bind_targets(struct prep *p, const struct frame *f, const struct halt *halt,
                       struct arena *a, struct err *e)
{
    const struct task *task = p->answer.task;
    p->target = prep_alloc(a, p->answer.n_target, sizeof *p->target, e);
    for (size_t i = 0; p->target && i < p->answer.n_target; i++)
        if (!bind_target(p, i, f, halt, a, e))
            return false;
    return p->target && (!task->check || task->check(p, f, "/dataset", halt, e));
}

double prep_target_value(const struct prep *p, size_t i, const struct frame *f, uint32_t row)
{
    const struct column *c = prep_aim(&p->target[i], f);
    return c ? p->answer.task->value(p, i, c, row) : NAN;
}

void prep_encode_target(const struct prep *p, const struct frame *f, const uint32_t *row, size_t n,
                        real *y, const struct halt *halt)
{
    for (size_t r = 0; r < n && !halt_due_row(halt, r); r++)
        for (size_t i = 0; i < p->answer.n_target; i++)
            *y++ = (real)prep_target_value(p, i, f, row[r]);
}

bool prep_usable(const struct prep *p, const struct frame *f, uint32_t row)
{
    for (size_t i = 0; i < p->answer.n_target; i++)
        if (isnan(prep_target_value(p, i, f, row)))
            return false;
    return !p->weight || p->weight->number[row] > 0;
}
