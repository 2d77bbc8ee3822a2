// SPDX-License-Identifier: MIT
// Classification: one of several classes, which are the distinct texts of the target. Numbers are
// taken by the shortest text that reads back as them, and sorted by value; texts by their bytes.

#include "engine/table/task_parts.h"

#include "engine/base/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool classification_usual(const struct prep *p, const struct frame *f,
                                 const struct halt *halt)
{
    if (p->answer.n_target > 1)
        return false;
    const struct column *c = prep_aim(p->target, f);
    return c->type == COLUMN_CATEGORICAL || task_count_values(c, f->n_row, halt) == 2;
}

struct class
{
    const char *name;
    double value;
};

static int task_by_value(const void *a, const void *b)
{
    double x = ((const struct class *)a)->value, y = ((const struct class *)b)->value;
    return (x > y) - (x < y);
}

static int task_by_name(const void *a, const void *b)
{
    return strcmp(((const struct class *)a)->name, ((const struct class *)b)->name);
}

// The texts that occur.
static bool found_classes(struct prep *p, const struct column *target, struct arena *a,
                          struct err *e)
{
    size_t n = target->n_level;
    const char **name = prep_alloc(a, n, sizeof *name, e);
    struct arena_mark mark = arena_mark(a);
    struct class *class = prep_alloc(a, n, sizeof *class, e);
    bool numbers = true;
    if (!name || !class)
        return false;
    for (size_t i = 0; i < n; i++) {
        class[i].name = target->level[i];
        numbers &=
            number_parse(class[i].name, strlen(class[i].name), &class[i].value) == NUMBER_FINITE;
    }
    qsort(class, n, sizeof *class, numbers ? task_by_value : task_by_name);
    for (size_t i = 0; i < n; i++)
        name[i] = class[i].name;
    arena_rewind(a, mark);
    p->answer.class_name = name;
    p->answer.n_class = n;
    return true;
}

// The user's list, which may have classes that no row has, and must have all that rows have.
static bool told_classes(struct prep *p, const struct column *target, const struct data_spec *s,
                         struct err *e)
{
    p->answer.class_name = s->class_name;
    p->answer.n_class = s->n_class_name;
    for (size_t i = 0; i < s->n_class_name; i++)
        if (prep_class(p, s->class_name[i]) < i)
            return fail_at(e, ERR_INVALID, "/classes", "\"%s\" is there twice", s->class_name[i]);
    for (size_t i = 0; i < target->n_level; i++)
        if (prep_class(p, target->level[i]) == p->answer.n_class)
            return fail_at(e, ERR_INVALID, "/classes",
                           "\"%s\" occurs in \"%s\" and is not among them; add it",
                           target->level[i], p->answer.target[0]);
    return true;
}

static bool list_classes(struct prep *p, const struct column *target, const struct data_spec *s,
                         struct arena *a, struct err *e)
{
    if (target->n_level > PREP_MAX_CLASSES)
        return fail_at(
            e, ERR_INVALID, "/target", "\"%s\" has %zu different values; %s can have %d classes",
            p->answer.target[0], target->n_level, p->answer.task->what, PREP_MAX_CLASSES);
    return s->n_class_name ? told_classes(p, target, s, e) : found_classes(p, target, a, e);
}

// The classes of a column's texts; past them: none.
static bool map_classes(struct prep *p, struct prep_target *t, const struct column *c,
                        struct arena *a, struct err *e)
{
    uint32_t *slot = prep_alloc(a, c->n_level, sizeof *slot, e);
    for (size_t i = 0; slot && i < c->n_level; i++)
        slot[i] = (uint32_t)prep_class(p, c->level[i]);
    t->slot = slot;
    return slot;
}

bool task_choose_classes(struct prep *p, const struct frame *f, const struct data_spec *s,
                         const struct halt *halt, struct arena *a, struct err *e)
{
    struct prep_target *t = p->target;
    if (p->answer.n_target > 1)
        return fail_at(e, ERR_INVALID, "/task",
                       "%s has one target, got %zu; columns of 0 and 1 are a \"multilabel\" task",
                       p->answer.task->what, p->answer.n_target);
    return prep_cast(f, t->source, COLUMN_CATEGORICAL, "/target", &t->cast, halt, a, e) &&
           list_classes(p, prep_aim(t, f), s, a, e) && map_classes(p, t, prep_aim(t, f), a, e);
}

bool task_bind_classes(struct prep *p, size_t i, const struct frame *f, const struct halt *halt,
                       struct arena *a, struct err *e)
{
    struct prep_target *t = &p->target[i];
    return prep_cast(f, t->source, COLUMN_CATEGORICAL, "/dataset", &t->cast, halt, a, e) &&
           map_classes(p, t, prep_aim(t, f), a, e);
}

double task_class_index(const struct prep *p, size_t i, const struct column *c, uint32_t row)
{
    uint32_t code = c->code[row];
    if (code == LEVEL_MISSING || p->target[i].slot[code] >= p->answer.n_class)
        return NAN;
    return p->target[i].slot[code];
}

void task_write_class(const struct answer *a, const double *answer, const struct answer_sink *to)
{
    size_t best = 0;
    for (size_t c = 1; c < a->n_class; c++)
        best = answer[c] > answer[best] ? c : best;
    to->text(to->ctx, "class", a->class_name[best]);
    task_write_probabilities(a->class_name, answer, a->n_class, to);
}

const struct task task_classification = {
    .row = {.name = "classification", .doc = "One of several classes."},
    .what = "a classification",
    .forms = FORM_TWO_CLASSES | FORM_CLASSES,
    .classes = true,
    .usual = classification_usual,
    .choose = task_choose_classes,
    .bind = task_bind_classes,
    .value = task_class_index,
    .write = task_write_class,
};
