// SPDX-License-Identifier: MIT
#pragma once

// What can be predicted: a row for each task, in a task_*.c of its own, with a line in task.def
// that also says which members its answers have. Preprocessing, the network, model files, imports,
// replies and their documents walk these rows and know no task by name. Constant data.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/halt.h"
#include "engine/base/row.h"
#include "engine/nn/role.h"
#include "engine/table/answer.h"
#include "engine/table/frame.h"

struct data_spec;
struct prep;

struct task {
    struct row row;       // name and sentence
    const char *what;     // "a regression": how a sentence calls it
    int forms;            // bits of enum target_form
    bool classes;         // its one target is a class: y is an index
    bool ordered;         // and the order of the classes means something
    bool scaled;          // targets are scaled before the loss sees them
    bool may_be_constant; // a target may have the same value in every row
    const char *loss;     // the usual one; NULL: the first of loss_table that fits
    // Whether the task is meant when a job does not say which. NULL: never, or where no other is.
    bool (*usual)(const struct prep *p, const struct frame *f, const struct halt *halt);
    // For a new model: bind the targets, list the classes, as the job says. Errors carry "/target",
    // "/task" or "/classes".
    bool (*choose)(struct prep *p, const struct frame *f, const struct data_spec *s,
                   const struct halt *halt, struct arena *a, struct err *e);
    // For a model that exists: bind target i, whose source is known, to another frame. Errors carry
    // "/dataset".
    bool (*bind)(struct prep *p, size_t i, const struct frame *f, const struct halt *halt,
                 struct arena *a, struct err *e);
    // Whether the targets of a row fit together, for all rows; at: the error's pointer. NULL: they
    // are looked at one by one.
    bool (*check)(const struct prep *p, const struct frame *f, const char *at,
                  const struct halt *halt, struct err *e);
    // Target i of a row as training sees it, from its bound column; NaN when there is none.
    double (*value)(const struct prep *p, size_t i, const struct column *c, uint32_t row);
    // Whether a job would take these n targets of a row, given in their own units; a sentence in
    // `why` if not. NULL: any number will do, or the name of any class.
    bool (*fits)(const double *target, size_t n, struct err *why);
    // The members of a row's answer [answer_width()].
    void (*write)(const struct answer *a, const double *answer, const struct answer_sink *to);
};

#define TASK(name, ...) extern const struct task task_##name;
#include "engine/table/task.def"

extern const struct task *const task_list[]; // in the order of task.def
extern const size_t task_count;

// The words of a job's "task": "auto", the tasks' names, NULL.
extern const char *const task_words[];
enum { TASK_AUTO }; // place of "auto" in them

// The task at a place of task_words, NULL for TASK_AUTO; the place of a task.
const struct task *task_at(int place);
int task_place(const struct task *t);

// The form of the targets, one bit: tasks with classes have one for two and one for more.
enum target_form answer_form(const struct answer *a);

// The i-th loss of loss_table that fits, NULL past the last; which is usual for the task.
const struct loss *answer_usual_loss(const struct answer *a);
