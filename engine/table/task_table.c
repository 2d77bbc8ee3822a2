// SPDX-License-Identifier: MIT
// The tasks, from task.def: see task.h.

#include "engine/table/task.h"

#include <string.h>

const struct task *const task_list[] = {
#define TASK(name, ...) &task_##name,
#include "engine/table/task.def"
};
const size_t task_count = sizeof task_list / sizeof *task_list;

const char *const task_words[] = {"auto",
#define TASK(name, ...) #name,
#include "engine/table/task.def"
                                  NULL};

const struct task *task_at(int place)
{
    return place == TASK_AUTO ? NULL : task_list[place - 1];
}

int task_place(const struct task *t)
{
    int place = 1;
    while (task_list[place - 1] != t)
        place++;
    return place;
}

enum target_form answer_form(const struct answer *a)
{
    int forms = a->task->forms;
    if (a->task->classes)
        forms &= a->n_class == 2 ? FORM_TWO_CLASSES : FORM_CLASSES;
    return (enum target_form)forms;
}

const struct loss *answer_usual_loss(const struct answer *a)
{
    enum target_form form = answer_form(a);
    for (size_t i = 0; i < loss_table.n; i++) {
        const struct loss *loss = loss_list[i];
        bool named = !a->task->loss || strcmp(a->task->loss, loss->op->row.name) == 0;
        if (named && loss->forms & form)
            return loss;
    }
    BUG(!"a loss for every task");
    return NULL;
}
