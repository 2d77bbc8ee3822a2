// SPDX-License-Identifier: MIT
#pragma once

// One training within a run: on the rows of a split, encoded, from first weights. A job that trains
// a model is one trial; other kinds have several, each with a split, a preparation and a network of
// its own. Called by a run on its thread.

#include "server/jobs/run.h"

struct trial {
    struct prepared *prepared;
    struct train_rows train, val, test; // of its split
    struct run_state state;             // what it needs to go on with the same bits
    struct train_result result;
};

// What training by the definition takes on the rows of the split.
struct trial_plan {
    uint32_t batch; // rows of a step
    int epochs;
    int64_t steps;
};
struct trial_plan trial_plan(const struct job_spec *s, const struct prepared *p);

// Rows and the network with its first weights, in the run's arena. Errors as prepare_rows() and
// model_room(); ERR_CANCELLED after a halt.
bool trial_begin(struct trial *t, struct prepared *p, struct run *r, struct err *e);

// Train as the definition says. Errors as train_run().
bool trial_train(struct trial *t, struct run *r, const struct train_hooks *hooks,
                 const struct exec *x, struct err *e);

// A line in the job's log: what training is about to work on.
void trial_note(const struct trial *t, struct run *r);
