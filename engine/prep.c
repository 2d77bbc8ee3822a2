// SPDX-License-Identifier: MIT
// Choosing what to learn from what: prep_init() for a new model, prep_bind() for one that exists.
// Fitting is in prep_fit.c, encoding in prep_encode.c, dividing the rows in split.c. A column
// whose type the job overrides is converted once (cast.c), so everything after sees the type it
// wants.

#include "prep_own.h"

#include "cast.h"
#include "nearest.h"
#include "number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void *prep_alloc(struct arena *a, size_t n, size_t size, struct err *e)
{
    void *p = arena_alloc(a, n, size);
    if (!p)
        fail(e, ERR_TOO_LARGE, "preparing the data needs more memory than a job may take");
    return p;
}

static const char *column_name(const void *column, size_t i)
{
    return ((const struct column *)column)[i].name;
}

// Index of the column, or an error at the given place that suggests what was meant.
static bool find(const struct frame *f, const char *name, const char *at, size_t *index,
                 struct err *e)
{
    const struct column *c = name ? frame_find(f, name) : NULL;
    if (c)
        return *index = (size_t)(c - f->column), true;
    if (!name)
        return fail_at(e, ERR_INVALID, at, "a column to predict is needed");
    const char *meant = nearest(name, column_name, f->column, f->n_column);
    if (meant)
        return fail_at(e, ERR_INVALID, at, "the dataset has no column \"%s\"; did you mean \"%s\"?",
                       name, meant);
    return fail_at(e, ERR_INVALID, at, "the dataset has no column \"%s\"", name);
}

// What the job says about each column of the frame.
struct wish {
    bool exclude;
    enum column_type type;
};

static bool read_wishes(const struct frame *f, const struct data_spec *s, struct wish *w,
                        struct err *e)
{
    size_t at;
    for (size_t i = 0; i < f->n_column; i++)
        w[i] = (struct wish){.type = f->column[i].type};
    for (size_t i = 0; i < s->n_exclude; i++) {
        if (!find(f, s->exclude[i], "/features/exclude", &at, e))
            return false;
        w[at].exclude = true;
    }
    for (size_t i = 0; i < s->n_type; i++) {
        if (!find(f, s->type[i].name, "/features/types", &at, e))
            return false;
        w[at].type = s->type[i].type;
    }
    return true;
}

// `cast` stays NULL when the frame's own column will do. A failure gets the place `at`.
static bool cast(const struct frame *f, size_t source, enum column_type type, const char *at,
                 const struct column **out, struct arena *a, struct err *e)
{
    struct err why = {0};
    const struct column *own = &f->column[source], *c = column_cast(own, f->n_row, type, a, &why);
    *out = c == own ? NULL : c;
    return c || fail_at(e, why.kind, at, "%s", why.text);
}

static bool choose_inputs(struct prep *p, const struct frame *f, const struct wish *w,
                          struct arena *a, struct err *e)
{
    p->column = prep_alloc(a, f->n_column, sizeof *p->column, e);
    if (!p->column)
        return false;
    for (size_t i = 0; i < f->n_column; i++) {
        if (w[i].exclude || i == p->target_source)
            continue;
        struct prep_column *c = &p->column[p->n_column++];
        *c = (struct prep_column){.name = f->column[i].name, .type = w[i].type, .source = i};
        if (!cast(f, i, w[i].type, "/features/types", &c->cast, a, e))
            return false;
    }
    return p->n_column ||
           fail_at(e, ERR_INVALID, f->n_column > 1 ? "/features/exclude" : "/dataset",
                   "no column is left to learn from beside the target");
}

// How many different values there are: 0, 1, 2, or 3 for more.
static int count_values(const struct column *c, size_t n_row)
{
    if (c->type == COLUMN_CATEGORICAL)
        return c->n_level < 3 ? (int)c->n_level : 3;
    double seen[2] = {0};
    int n = 0;
    for (size_t i = 0; i < n_row && n < 3; i++) {
        double v = c->number[i];
        if (!isnan(v) && !(n > 0 && v == seen[0]) && !(n > 1 && v == seen[1])) {
            if (n < 2)
                seen[n] = v;
            n++;
        }
    }
    return n;
}

static bool choose_task(struct prep *p, const struct column *target, size_t n_row, enum task wanted,
                        struct err *e)
{
    int values = count_values(target, n_row);
    if (values == 0)
        return fail_at(e, ERR_INVALID, "/target", "every value of \"%s\" is missing", p->target);
    if (values == 1)
        return fail_at(e, ERR_INVALID, "/target",
                       "\"%s\" has the same value in every row, so there is nothing to learn",
                       p->target);
    bool text = target->type == COLUMN_CATEGORICAL;
    if (wanted == TASK_REGRESSION && text)
        return fail_at(e, ERR_INVALID, "/task", "regression needs numbers, and \"%s\" holds text",
                       p->target);
    p->task = wanted != TASK_AUTO   ? wanted
              : text || values == 2 ? TASK_CLASSIFICATION
                                    : TASK_REGRESSION;
    return true;
}

struct class
{
    const char *name;
    double value;
    uint32_t code;
};

static int by_value(const void *a, const void *b)
{
    double x = ((const struct class *)a)->value, y = ((const struct class *)b)->value;
    return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct class *)a)->name, ((const struct class *)b)->name);
}

static bool list_classes(struct prep *p, const struct column *target, struct arena *a,
                         struct err *e)
{
    size_t n = target->n_level;
    if (n > PREP_MAX_CLASSES)
        return fail_at(e, ERR_INVALID, "/target",
                       "\"%s\" has %zu different values; a classification can have %d classes",
                       p->target, n, PREP_MAX_CLASSES);
    struct class *class = prep_alloc(a, n, sizeof *class, e);
    const char **name = prep_alloc(a, n, sizeof *name, e);
    uint32_t *slot = prep_alloc(a, n, sizeof *slot, e);
    if (!class || !name || !slot)
        return false;
    bool numbers = true;
    for (size_t i = 0; i < n; i++) {
        class[i] = (struct class){.name = target->level[i], .code = (uint32_t)i};
        numbers &=
            number_parse(class[i].name, strlen(class[i].name), &class[i].value) == NUMBER_FINITE;
    }
    qsort(class, n, sizeof *class, numbers ? by_value : by_name);
    for (size_t i = 0; i < n; i++) {
        name[i] = class[i].name;
        slot[class[i].code] = (uint32_t)i;
    }
    p->class_name = name;
    p->n_class = n;
    p->target_slot = slot;
    return true;
}

static bool choose_target(struct prep *p, const struct frame *f, const struct data_spec *s,
                          enum column_type type, struct arena *a, struct err *e)
{
    if (!cast(f, p->target_source, type, "/features/types", &p->target_cast, a, e) ||
        !choose_task(p, prep_target(p, f), f->n_row, s->task, e))
        return false;
    if (p->task == TASK_REGRESSION)
        return true;
    return cast(f, p->target_source, COLUMN_CATEGORICAL, "/target", &p->target_cast, a, e) &&
           list_classes(p, prep_target(p, f), a, e);
}

bool prep_init(struct prep *p, const struct frame *f, const struct data_spec *s, struct arena *a,
               struct err *e)
{
    *p = (struct prep){.y_std = 1};
    struct wish *w = prep_alloc(a, f->n_column, sizeof *w, e);
    if (!w || !find(f, s->target, "/target", &p->target_source, e) || !read_wishes(f, s, w, e))
        return false;
    p->target = f->column[p->target_source].name;
    return choose_target(p, f, s, w[p->target_source].type, a, e) && choose_inputs(p, f, w, a, e);
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

static size_t class_of(const struct prep *p, const char *name)
{
    size_t k = 0;
    while (k < p->n_class && strcmp(p->class_name[k], name) != 0)
        k++;
    return k;
}

static bool bind_target(struct prep *p, const struct frame *f, struct arena *a, struct err *e)
{
    const struct column *own = frame_find(f, p->target);
    p->target_source = own ? (size_t)(own - f->column) : SIZE_MAX;
    p->target_cast = NULL;
    p->target_slot = NULL;
    if (!own)
        return true;
    bool classes = p->task == TASK_CLASSIFICATION;
    if (!cast(f, p->target_source, classes ? COLUMN_CATEGORICAL : COLUMN_NUMERIC, "/dataset",
              &p->target_cast, a, e))
        return false;
    const struct column *target = prep_target(p, f);
    uint32_t *slot = prep_alloc(a, target->n_level, sizeof *slot, e);
    for (size_t i = 0; slot && i < target->n_level; i++)
        slot[i] = (uint32_t)class_of(p, target->level[i]);
    p->target_slot = slot;
    return slot;
}

static bool bind_column(struct prep *p, size_t k, const struct frame *f, struct arena *a,
                        struct err *e)
{
    struct prep_column *c = &p->column[k];
    if (c->source == SIZE_MAX)
        return fail_at(e, ERR_INVALID, "/dataset", "the dataset has no column \"%s\"", c->name);
    return cast(f, c->source, c->type, "/dataset", &c->cast, a, e) &&
           (c->type == COLUMN_NUMERIC || bind_levels(p, k, f, a, e));
}

bool prep_bind(struct prep *bound, const struct prep *p, const struct frame *f, struct arena *a,
               struct err *e)
{
    *bound = *p;
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
        if (!bind_column(bound, k, f, a, e))
            return false;
    return bind_target(bound, f, a, e);
}

bool prep_adopt(struct prep *p, const struct prep *from, const struct frame *f, struct arena *a,
                struct err *e)
{
    struct prep bound;
    if (!prep_bind(&bound, from, f, a, e))
        return false;
    if (prep_find(&bound, p->target, strlen(p->target)) < bound.n_column)
        return fail_at(e, ERR_INVALID, "/target",
                       "\"%s\" is an input of the model that training starts from", p->target);
    p->column = bound.column;
    p->n_column = bound.n_column;
    p->n_feature = bound.n_feature;
    if (p->task == TASK_REGRESSION && from->task == p->task &&
        strcmp(p->target, from->target) == 0) {
        p->y_mean = from->y_mean;
        p->y_std = from->y_std;
    }
    prep_index(p, a);
    return true;
}
