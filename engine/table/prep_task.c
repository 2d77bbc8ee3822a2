// SPDX-License-Identifier: MIT
// What is to be predicted: values, a class, labels or shares, and whether the targets are such.
// Labels are told by the words of label_of(), so a table may say 0 and 1 or no and yes.

#include "engine/table/prep_parts.h"

#include "engine/base/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// 0 or 1, or PREP_NO_LABEL.
static uint32_t label_of(const char *text)
{
    static const char *const word[][2] = {{"0", "1"}, {"no", "yes"}, {"false", "true"}};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        for (uint32_t k = 0; k < 2; k++)
            if (strcasecmp(text, word[i][k]) == 0)
                return k;
    return PREP_NO_LABEL;
}

// The first thing in a column that is no label, as text in `out` or of the column; NULL when all
// are.
static const char *not_a_label(const struct column *c, size_t n_row, char out[NUMBER_TEXT_SIZE],
                               const struct halt *halt)
{
    if (c->type == COLUMN_CATEGORICAL) {
        for (size_t i = 0; i < c->n_level; i++)
            if (label_of(c->level[i]) == PREP_NO_LABEL)
                return c->level[i];
        return NULL;
    }
    for (size_t i = 0; i < n_row && !halt_due(halt, i); i++)
        if (!isnan(c->number[i]) && c->number[i] != 0 && c->number[i] != 1) {
            number_print(out, c->number[i]);
            return out;
        }
    return NULL;
}

// How many different values there are: 0, 1, 2, or 3 for more.
static int count_values(const struct column *c, size_t n_row, const struct halt *halt)
{
    if (c->type == COLUMN_CATEGORICAL)
        return c->n_level < 3 ? (int)c->n_level : 3;
    double seen[2] = {0};
    int n = 0;
    for (size_t i = 0; i < n_row && n < 3 && !halt_due(halt, i); i++) {
        double v = c->number[i];
        if (!isnan(v) && !(n > 0 && v == seen[0]) && !(n > 1 && v == seen[1])) {
            if (n < 2)
                seen[n] = v;
            n++;
        }
    }
    return n;
}

static bool all_labels(const struct prep *p, const struct frame *f, const struct halt *halt)
{
    char text[NUMBER_TEXT_SIZE];
    for (size_t i = 0; i < p->n_target; i++)
        if (not_a_label(prep_aim(&p->target[i], f), f->n_row, text, halt))
            return false;
    return true;
}

static enum task usual_task(const struct prep *p, const struct frame *f, const struct halt *halt)
{
    if (p->n_target > 1)
        return all_labels(p, f, halt) ? TASK_MULTILABEL : TASK_REGRESSION;
    const struct column *c = prep_aim(p->target, f);
    bool classes = c->type == COLUMN_CATEGORICAL || count_values(c, f->n_row, halt) == 2;
    return classes ? TASK_CLASSIFICATION : TASK_REGRESSION;
}

// Nothing can be learnt of a column without two different values; a share may be always the same.
static bool check_values(const struct prep *p, size_t i, const struct frame *f, enum task wanted,
                         const struct halt *halt, struct err *e)
{
    char at[PREP_PLACE];
    int values = count_values(prep_aim(&p->target[i], f), f->n_row, halt);
    if (!halt_go_on(halt, e))
        return false;
    if (values == 0)
        return fail_at(e, ERR_INVALID, prep_target_place(p, i, at),
                       "every value of \"%s\" is missing", p->target[i].name);
    return values > 1 || wanted == TASK_DISTRIBUTION ||
           fail_at(e, ERR_INVALID, prep_target_place(p, i, at),
                   "\"%s\" has the same value in every row, so there is nothing to learn",
                   p->target[i].name);
}

static bool task_check_numbers(const struct prep *p, const struct frame *f, enum task wanted,
                               struct err *e)
{
    char at[PREP_PLACE];
    for (size_t i = 0; i < p->n_target; i++) {
        const char *name = p->target[i].name;
        if (prep_aim(&p->target[i], f)->type == COLUMN_NUMERIC)
            continue;
        if (wanted == TASK_AUTO)
            return fail_at(e, ERR_INVALID, prep_target_place(p, i, at),
                           "several targets must all be numbers, or all be labels (0 and 1, no and "
                           "yes), and \"%s\" holds text",
                           name);
        return fail_at(e, ERR_INVALID, "/task", "%s needs numbers, and \"%s\" holds text",
                       wanted == TASK_REGRESSION ? "regression" : "a distribution", name);
    }
    return true;
}

struct class
{
    const char *name;
    double value;
    uint32_t code;
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

static void sort_classes(struct class *class, size_t n, const struct column *target)
{
    bool numbers = true;
    for (size_t i = 0; i < n; i++) {
        class[i] = (struct class){.name = target->level[i], .code = (uint32_t)i};
        numbers &=
            number_parse(class[i].name, strlen(class[i].name), &class[i].value) == NUMBER_FINITE;
    }
    qsort(class, n, sizeof *class, numbers ? task_by_value : task_by_name);
}

static bool list_classes(struct prep *p, const struct column *target, struct arena *a,
                         struct err *e)
{
    size_t n = target->n_level;
    if (n > PREP_MAX_CLASSES)
        return fail_at(e, ERR_INVALID, "/target",
                       "\"%s\" has %zu different values; a classification can have %d classes",
                       p->target->name, n, PREP_MAX_CLASSES);
    struct class *class = prep_alloc(a, n, sizeof *class, e);
    const char **name = prep_alloc(a, n, sizeof *name, e);
    uint32_t *slot = prep_alloc(a, n, sizeof *slot, e);
    if (!class || !name || !slot)
        return false;
    sort_classes(class, n, target);
    for (size_t i = 0; i < n; i++) {
        name[i] = class[i].name;
        slot[class[i].code] = (uint32_t)i;
    }
    p->class_name = name;
    p->n_class = n;
    p->target->slot = slot;
    return true;
}

static bool take_classes(struct prep *p, const struct frame *f, const struct halt *halt,
                         struct arena *a, struct err *e)
{
    if (p->n_target > 1)
        return fail_at(e, ERR_INVALID, "/task",
                       "a classification has one target, got %zu; columns of 0 and 1 are a "
                       "\"multilabel\" task",
                       p->n_target);
    struct prep_target *t = p->target;
    return prep_cast(f, t->source, COLUMN_CATEGORICAL, "/target", &t->cast, halt, a, e) &&
           list_classes(p, prep_aim(t, f), a, e);
}

bool prep_map_labels(struct prep_target *t, const struct column *c, struct arena *a, struct err *e)
{
    uint32_t *slot = prep_alloc(a, c->n_level, sizeof *slot, e);
    for (size_t i = 0; slot && i < c->n_level; i++)
        slot[i] = label_of(c->level[i]);
    t->slot = slot;
    return slot;
}

static bool take_labels(struct prep *p, const struct frame *f, const struct halt *halt,
                        struct arena *a, struct err *e)
{
    char at[PREP_PLACE], text[NUMBER_TEXT_SIZE];
    for (size_t i = 0; i < p->n_target; i++) {
        const struct column *c = prep_aim(&p->target[i], f);
        const char *odd = not_a_label(c, f->n_row, text, halt);
        if (!halt_go_on(halt, e))
            return false;
        if (odd)
            return fail_at(e, ERR_INVALID, prep_target_place(p, i, at),
                           "a label is 0 or 1 (or no or yes, false or true), and \"%s\" holds "
                           "\"%.40s\"",
                           p->target[i].name, odd);
        if (!prep_map_labels(&p->target[i], c, a, e))
            return false;
    }
    return true;
}

// Σ of the shares of a row; NaN when one is missing. `low` receives the index of a negative one.
static double sum_shares(const struct prep *p, const struct frame *f, size_t row, size_t *low)
{
    double sum = 0;
    *low = SIZE_MAX;
    for (size_t i = 0; i < p->n_target; i++) {
        const struct column *c = prep_aim(&p->target[i], f);
        double share = c ? c->number[row] : NAN;
        if (share < 0)
            *low = i;
        sum += share;
    }
    return sum;
}

bool prep_check_shares(const struct prep *p, const struct frame *f, const char *at,
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
                           row + 1, p->target[low].name);
        if (fabs(sum - 1) > 1e-6)
            return fail_at(e, ERR_INVALID, at,
                           "the shares in row %zu of the table sum to %.9g, "
                           "not to 1",
                           row + 1, sum);
    }
    return halt_go_on(halt, e);
}

static bool take_shares(const struct prep *p, const struct frame *f, const struct halt *halt,
                        struct err *e)
{
    if (p->n_target < 2)
        return fail_at(e, ERR_INVALID, "/task",
                       "a distribution needs at least two targets, a column for each share");
    return task_check_numbers(p, f, TASK_DISTRIBUTION, e) &&
           prep_check_shares(p, f, "/target", halt, e);
}

bool prep_choose_task(struct prep *p, const struct frame *f, enum task wanted,
                      const struct halt *halt, struct arena *a, struct err *e)
{
    for (size_t i = 0; i < p->n_target; i++)
        if (!check_values(p, i, f, wanted, halt, e))
            return false;
    p->task = wanted == TASK_AUTO ? usual_task(p, f, halt) : wanted;
    if (!halt_go_on(halt, e))
        return false;
    if (p->task == TASK_CLASSIFICATION)
        return take_classes(p, f, halt, a, e);
    if (p->task == TASK_MULTILABEL)
        return take_labels(p, f, halt, a, e);
    return p->task == TASK_DISTRIBUTION ? take_shares(p, f, halt, e)
                                        : task_check_numbers(p, f, wanted, e);
}
