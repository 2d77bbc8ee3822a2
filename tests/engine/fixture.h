// SPDX-License-Identifier: MIT
#pragma once

// Trajectories of PyTorch, from tests/data/torch_<table>.json (see tests/data/torch/make.py): what
// is trained, on which rows, from which weights, and the numbers that came out. What a case says in
// words becomes specs here; replay.h runs it. Everything is the test's own; a file that does not
// make sense fails the test.

#include "engine/model/model_spec.h"
#include "engine/optim/optimizer.h"
#include "tests/engine/train/trainlab.h"

#include <cJSON.h>

enum { FIXTURE_LAYERS = 4, FIXTURE_GROUPS = 4 };

struct fixture {
    const cJSON *start;    // weights by name; the others are as initialised
    const cJSON *expect;   // losses, rates and weights
    const char *row;       // what it is about
    const char *about;     // which hyperparameters
    const char *reference; // PyTorch's full name, or "formula"
    struct layer_spec layer[FIXTURE_LAYERS];
    struct param_group group[FIXTURE_GROUPS];
    struct model_spec model;
    struct train_spec train;
    struct model_task task;
    struct train_rows rows; // w NULL: all alike
    bool trained;           // by train_run(); else step by step
    bool serve;             // through the graph that predicts
    uint32_t per_epoch, steps;
};

// The file of a table; to be given to cJSON_Delete().
cJSON *fixture_file(const char *table);

// The next case about `row` (NULL: about any) after `from` (NULL: the first), or NULL.
const cJSON *fixture_next(const cJSON *file, const char *row, const cJSON *from);

// Specs and rows, in the arena. `f` must stay where it is.
void fixture_read(struct fixture *f, const cJSON *file, const cJSON *json, struct arena *a);
