// SPDX-License-Identifier: MIT
#pragma once

// What tasks (task_*.c) have in common. Constant functions over bound preps, for any thread.

#include "engine/table/prep.h"
#include "engine/table/prep_parts.h"
#include "engine/table/task.h"

// The first target whose column holds text; n_target when none does.
size_t task_first_text(const struct prep *p, const struct frame *f);

// How many different values there are: 0, 1, 2, or 3 for more.
int task_count_values(const struct column *c, size_t n_row, const struct halt *halt);

// For struct task: targets that are numbers.
bool task_bind_numbers(struct prep *p, size_t i, const struct frame *f, const struct halt *halt,
                       struct arena *a, struct err *e);
double task_number(const struct prep *p, size_t i, const struct column *c, uint32_t row);

// For struct task: a target that is one of several classes (task_classification.c).
bool task_choose_classes(struct prep *p, const struct frame *f, const struct data_spec *s,
                         const struct halt *halt, struct arena *a, struct err *e);
bool task_bind_classes(struct prep *p, size_t i, const struct frame *f, const struct halt *halt,
                       struct arena *a, struct err *e);
double task_class_index(const struct prep *p, size_t i, const struct column *c, uint32_t row);
void task_write_class(const struct answer *a, const double *answer, const struct answer_sink *to);

// The member "probabilities": n of them by name.
void task_write_probabilities(const char *const *name, const double *probability, size_t n,
                              const struct answer_sink *to);
