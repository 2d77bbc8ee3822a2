// SPDX-License-Identifier: MIT
#pragma once

// The training loop: batches, epochs, validation, early stopping, the best epoch's weights. Called
// by a worker (or a test) on its own thread; tells what happens through hooks, and ends when the
// executor's halt says so: between two tiles of a step, two rows of a table, two evaluations of a
// line search.
//
// Everything random is a function of the seed and the position, everything summed has a fixed
// order, so the resulting bits do not depend on the executor's threads.

#include "engine/base/exec.h"
#include "engine/model/model.h"
#include "engine/train/train_report.h"
#include "engine/train/train_rows.h"
#include "engine/train/train_spec.h"

struct train_result {
    int epochs, best_epoch; // run; whose weights the model now has
    uint64_t steps;         // taken
    double best_value;      // of the watched metric; NaN without validation rows
    bool stopped_early;
};

// Train m, whose weights are initialised, on `train`; watch `val` (n may be 0: then the last epoch
// is kept). Rows have weights exactly if m was built for them. Under ema and swa the averaged
// weights are the ones that are validated and kept. ERR_DIVERGED names step and layer,
// ERR_CANCELLED after a stop; then m's weights may be those of half a step.
//
// m's values belong to `run`, where everything else that is kept is registered for as long as
// this call takes. What was written of it in the epoch hook, and is read in the resume hook of a
// run with the same spec and rows, goes on to the same bits.
bool train_run(struct model *m, const struct train_spec *s, const struct train_rows *train,
               const struct train_rows *val, const struct train_hooks *hooks, const struct exec *x,
               struct train_result *result, struct run_state *run, struct err *e);

// Bytes that training m on so many rows takes: the rows encoded, the run's state with the model's
// values, the scores afterwards. To be compared with the memory there is before anything is
// allocated; infinite when the system has none to find out. s must have passed train_check().
struct train_size {
    size_t train, val, test;
};
double train_memory(const struct model *m, const struct train_spec *s, struct train_size rows);
