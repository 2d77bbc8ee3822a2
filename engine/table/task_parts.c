// SPDX-License-Identifier: MIT
// See task_parts.h. Nothing here knows the list of tasks, whose rows call it.

#include "engine/table/task_parts.h"

#include <math.h>

size_t task_first_text(const struct prep *p, const struct frame *f)
{
    size_t i = 0;
    while (i < p->answer.n_target && prep_aim(&p->target[i], f)->type == COLUMN_NUMERIC)
        i++;
    return i;
}

int task_count_values(const struct column *c, size_t n_row, const struct halt *halt)
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

bool task_bind_numbers(struct prep *p, size_t i, const struct frame *f, const struct halt *halt,
                       struct arena *a, struct err *e)
{
    struct prep_target *t = &p->target[i];
    return prep_cast(f, t->source, COLUMN_NUMERIC, "/dataset", &t->cast, halt, a, e);
}

double task_number(const struct prep *p, size_t i, const struct column *c, uint32_t row)
{
    return prep_clamp((c->number[row] - p->answer.mean[i]) / p->answer.std[i]);
}

void task_write_probabilities(const char *const *name, const double *probability, size_t n,
                              const struct answer_sink *to)
{
    to->object(to->ctx, "probabilities");
    for (size_t i = 0; i < n; i++)
        to->number(to->ctx, name[i], probability[i], 0);
    to->end(to->ctx);
}
