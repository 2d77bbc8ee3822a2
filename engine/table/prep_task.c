// SPDX-License-Identifier: MIT
// Which task it is, and whether there is anything to learn. What a task is by itself stands in its
// task_*.c.

#include "engine/table/task_parts.h"

static const struct task *usual_task(const struct prep *p, const struct frame *f,
                                     const struct halt *halt)
{
    for (size_t i = 0; i < task_count; i++)
        if (task_list[i]->usual && task_list[i]->usual(p, f, halt))
            return task_list[i];
    return task_list[0];
}

// Nothing can be learnt of a column without two different values.
static bool check_values(const struct prep *p, size_t i, const struct frame *f,
                         const struct task *told, const struct halt *halt, struct err *e)
{
    char at[PREP_PLACE];
    const char *name = p->answer.target[i];
    int values = task_count_values(prep_aim(&p->target[i], f), f->n_row, halt);
    if (!halt_go_on(halt, e))
        return false;
    if (values == 0)
        return fail_at(e, ERR_INVALID, prep_target_place(p, i, at),
                       "every value of \"%s\" is missing", name);
    return values > 1 || (told && told->may_be_constant) ||
           fail_at(e, ERR_INVALID, prep_target_place(p, i, at),
                   "\"%s\" has the same value in every row, so there is nothing to learn", name);
}

bool prep_choose_task(struct prep *p, const struct frame *f, const struct data_spec *s,
                      const struct halt *halt, struct arena *a, struct err *e)
{
    const struct task *told = task_at(s->task);
    for (size_t i = 0; i < p->answer.n_target; i++)
        if (!check_values(p, i, f, told, halt, e))
            return false;
    p->answer.task = told ? told : usual_task(p, f, halt);
    if (!halt_go_on(halt, e))
        return false;
    if (s->n_class_name && !p->answer.task->classes)
        return fail_at(e, ERR_INVALID, "/classes", "%s has no classes; leave it out",
                       p->answer.task->what);
    return p->answer.task->choose(p, f, s, halt, a, e);
}
