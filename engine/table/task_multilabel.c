// SPDX-License-Identifier: MIT
// Several labels at once: each target is 0 or 1. Labels are told by the words of label_of(), so a
// table may say no and yes; a label keeps the type its column has, since it is read from numbers
// and from words.

#include "engine/table/task_parts.h"

#include "engine/base/number.h"

#include <math.h>
#include <strings.h>

enum { NO_LABEL = 2 }; // slot of a text that is no label

// 0 or 1, or NO_LABEL.
static uint32_t label_of(const char *text)
{
    static const char *const word[][2] = {{"0", "1"}, {"no", "yes"}, {"false", "true"}};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        for (uint32_t k = 0; k < 2; k++)
            if (strcasecmp(text, word[i][k]) == 0)
                return k;
    return NO_LABEL;
}

// The first thing in a column that is no label, as text in `out` or of the column; NULL when all
// are.
static const char *not_a_label(const struct column *c, size_t n_row, char out[NUMBER_TEXT_SIZE],
                               const struct halt *halt)
{
    if (c->type == COLUMN_CATEGORICAL) {
        for (size_t i = 0; i < c->n_level; i++)
            if (label_of(c->level[i]) == NO_LABEL)
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

static bool multilabel_usual(const struct prep *p, const struct frame *f, const struct halt *halt)
{
    char text[NUMBER_TEXT_SIZE];
    for (size_t i = 0; i < p->answer.n_target; i++)
        if (not_a_label(prep_aim(&p->target[i], f), f->n_row, text, halt))
            return false;
    return p->answer.n_target > 1;
}

// The slots of a label's column: its texts to 0, 1 or NO_LABEL.
static bool map_labels(struct prep_target *t, const struct column *c, struct arena *a,
                       struct err *e)
{
    uint32_t *slot = prep_alloc(a, c->n_level, sizeof *slot, e);
    for (size_t i = 0; slot && i < c->n_level; i++)
        slot[i] = label_of(c->level[i]);
    t->slot = slot;
    return slot;
}

static bool multilabel_choose(struct prep *p, const struct frame *f, const struct data_spec *s,
                              const struct halt *halt, struct arena *a, struct err *e)
{
    char at[PREP_PLACE], text[NUMBER_TEXT_SIZE];
    (void)s;
    for (size_t i = 0; i < p->answer.n_target; i++) {
        const struct column *c = prep_aim(&p->target[i], f);
        const char *odd = not_a_label(c, f->n_row, text, halt);
        if (!halt_go_on(halt, e))
            return false;
        if (odd)
            return fail_at(e, ERR_INVALID, prep_target_place(p, i, at),
                           "a label is 0 or 1 (or no or yes, false or true), and \"%s\" holds "
                           "\"%.40s\"",
                           p->answer.target[i], odd);
        if (!map_labels(&p->target[i], c, a, e))
            return false;
    }
    return true;
}

static bool multilabel_bind(struct prep *p, size_t i, const struct frame *f,
                            const struct halt *halt, struct arena *a, struct err *e)
{
    (void)halt;
    return map_labels(&p->target[i], &f->column[p->target[i].source], a, e);
}

static double multilabel_value(const struct prep *p, size_t i, const struct column *c, uint32_t row)
{
    if (c->type == COLUMN_NUMERIC)
        return c->number[row] == 0 || c->number[row] == 1 ? c->number[row] : NAN;
    uint32_t code = c->code[row];
    return code == LEVEL_MISSING || p->target[i].slot[code] == NO_LABEL ? NAN
                                                                        : p->target[i].slot[code];
}

static bool multilabel_fits(const double *target, size_t n, struct err *why)
{
    for (size_t i = 0; i < n; i++)
        if (target[i] != 0 && target[i] != 1)
            return fail(why, ERR_INVALID, "must be 0 or 1 for every label, got %.9g", target[i]);
    return true;
}

static void multilabel_write(const struct answer *a, const double *answer,
                             const struct answer_sink *to)
{
    to->list(to->ctx, "labels");
    for (size_t i = 0; i < a->n_target; i++)
        if (answer[i] >= .5)
            to->text(to->ctx, NULL, a->target[i]);
    to->end(to->ctx);
    task_write_probabilities(a->target, answer, a->n_target, to);
}

const struct task task_multilabel = {
    .row = {.name = "multilabel", .doc = "Several yes or no at once: targets are 0 or 1."},
    .what = "several labels at once",
    .forms = FORM_LABELS,
    .usual = multilabel_usual,
    .choose = multilabel_choose,
    .bind = multilabel_bind,
    .value = multilabel_value,
    .fits = multilabel_fits,
    .write = multilabel_write,
};
