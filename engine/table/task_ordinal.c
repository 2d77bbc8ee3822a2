// SPDX-License-Identifier: MIT
// Ordinal: one of several classes that have an order, such as ratings or stages. Numbers have
// theirs; of texts the job must say it. What is learnt is how likely it is to be above each class
// (ops_loss_ordinal.c).

#include "engine/table/task_parts.h"

#include "engine/base/number.h"
#include "engine/table/data_spec.h"

#include <math.h>
#include <string.h>

static bool class_number(const struct answer *a, size_t k, double *value)
{
    const char *name = a->class_name[k];
    return number_parse(name, strlen(name), value) == NUMBER_FINITE;
}

static bool all_numbers(const struct answer *a)
{
    double ignored;
    for (size_t k = 0; k < a->n_class; k++)
        if (!class_number(a, k, &ignored))
            return false;
    return true;
}

static bool ordinal_choose(struct prep *p, const struct frame *f, const struct data_spec *s,
                           const struct halt *halt, struct arena *a, struct err *e)
{
    if (!task_choose_classes(p, f, s, halt, a, e))
        return false;
    return s->n_class_name || all_numbers(&p->answer) ||
           fail_at(e, ERR_INVALID, "/classes",
                   "\"%s\" holds text, whose order must be told: list the classes from the lowest "
                   "to the highest",
                   p->answer.target[0]);
}

// Σ_k p_k v_k, where v_k is the class's number, or its place in the order, from 0, where any is no
// number. The sum is known as well as single-precision probabilities are.
static void ordinal_write(const struct answer *a, const double *answer,
                          const struct answer_sink *to)
{
    bool numbers = all_numbers(a);
    double sum = 0, most = 0;
    for (size_t k = 0; k < a->n_class; k++) {
        double value = (double)k;
        if (numbers)
            class_number(a, k, &value);
        sum += answer[k] * value;
        most = fabs(value) > most ? fabs(value) : most;
    }
    task_write_class(a, answer, to);
    to->number(to->ctx, "expected", sum, most * 0x1p-24);
}

const struct task task_ordinal = {
    .row = {.name = "ordinal", .doc = "One of several classes that have an order."},
    .what = "an ordinal task",
    .forms = FORM_TWO_CLASSES | FORM_CLASSES,
    .classes = true,
    .ordered = true,
    .loss = "cumulative",
    .choose = ordinal_choose,
    .bind = task_bind_classes,
    .value = task_class_index,
    .write = ordinal_write,
};
