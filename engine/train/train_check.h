// SPDX-License-Identifier: MIT
#pragma once

// What can be told about a run before it begins: sizes, memory, choices that do not go together.
// Any thread.

#include "engine/model/metric.h"
#include "engine/model/model.h"
#include "engine/train/train_spec.h"

// The batch size used: as asked, or by the number of rows (64 up to 1,024 rows, 128 up to 8,192,
// 256 up to 30,000, 512 up to 100,000, else 1,024; all of them for an optimizer that compares
// losses with each other), at most n.
uint32_t train_batch_size(const struct train_spec *s, size_t n);

// Steps in an epoch of n rows. A last batch of one row joins the one before when a norm needs
// columns of more.
uint32_t train_batches(size_t n, uint32_t batch, bool by_column);

// Steps in all, and epochs they take (the last one may be partial), with so many batches an epoch.
uint64_t train_steps(const struct train_spec *s, uint32_t batches);
int train_epochs(const struct train_spec *s, uint32_t batches);

// Everything about the job that can be told without training: an unknown metric to watch, batches
// too small for what is done with them, choices that exclude each other. ERR_INVALID with the
// pointer of the field.
bool train_check(const struct model *m, const struct train_spec *s, size_t n, struct err *e);

// The metric called `monitor` ("val_rmse"), and which of the task's it is; NULL: none.
const struct metric *train_metric(const char *monitor, const struct model *m, size_t *at);

// A last batch of one row that joins the one before.
bool train_lone_row(size_t n, uint32_t batch, bool by_column);
