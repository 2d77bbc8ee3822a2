// SPDX-License-Identifier: MIT
// Regression: one or more numbers, scaled by the training rows' mean and standard deviation.

#include "engine/table/task_parts.h"

static bool regression_choose(struct prep *p, const struct frame *f, const struct data_spec *s,
                              const struct halt *halt, struct arena *a, struct err *e)
{
    (void)halt, (void)a;
    size_t i = task_first_text(p, f);
    if (i == p->answer.n_target)
        return true;
    if (s->task != TASK_AUTO)
        return fail_at(e, ERR_INVALID, "/task", "regression needs numbers, and \"%s\" holds text",
                       p->answer.target[i]);
    char at[PREP_PLACE];
    return fail_at(e, ERR_INVALID, prep_target_place(p, i, at),
                   "several targets must all be numbers, or all be labels (0 and 1, no and "
                   "yes), and \"%s\" holds text",
                   p->answer.target[i]);
}

// The digits that mean something: a float's, of what the network gives.
static void write_number(const struct answer *a, const char *key, size_t i, double v,
                         const struct answer_sink *to)
{
    bool scaled = a->mean && (a->mean[i] != 0 || a->std[i] != 1);
    to->number(to->ctx, key, v, scaled ? a->std[i] * 0x1p-24 : 0);
}

static void regression_write(const struct answer *a, const double *answer,
                             const struct answer_sink *to)
{
    if (a->n_target == 1) {
        write_number(a, "value", 0, answer[0], to);
        return;
    }
    to->object(to->ctx, "values");
    for (size_t i = 0; i < a->n_target; i++)
        write_number(a, a->target[i], i, answer[i], to);
    to->end(to->ctx);
}

const struct task task_regression = {
    .row = {.name = "regression", .doc = "One or more numbers."},
    .what = "a regression",
    .forms = FORM_VALUES,
    .scaled = true,
    .choose = regression_choose,
    .bind = task_bind_numbers,
    .value = task_number,
    .write = regression_write,
};
