// SPDX-License-Identifier: MIT
#pragma once

// Autograd against central differences, for one model and some rows. Single precision is too coarse
// for differences, so this is the engine built in double a second time (see the Makefile): one
// function of it is linked into the daemon, and its interface knows no `real`. Any thread; memory
// is the arena's.

#include "engine/base/arena.h"
#include "engine/base/halt.h"
#include "engine/model/model_spec.h"
#include "engine/table/answer.h"

// One parameter array, or the inputs.
struct gradcheck_part {
    const char *name;            // "layers.0.weight", "input"
    size_t n, checked;           // numbers in it, and how many of them were looked at
    size_t kinks;                // where the loss has a corner, so that no difference tells
    size_t worst;                // index of the largest deviation
    double autograd, difference; // there
    double error;                // |autograd - difference| / max(1e-3, |autograd|, |difference|)
};

struct gradcheck {
    struct gradcheck_part *part; // parameters in the model's order, then the inputs
    size_t n;
    size_t worst; // of them
    double loss;
};

// What a model is, without its precision.
struct gradcheck_model {
    const struct model_spec *spec;
    const struct answer *answer;
    size_t n_in;
    const struct pick *loss;
    const float *value; // parameters, then running statistics
    size_t n_value;
};

// Check at most about `most` numbers, spread evenly over all parts. x [rows, n_in], y [rows,
// n_target] as training sees them. ERR_TOO_LARGE past the arena.
bool gradcheck_run(const struct gradcheck_model *m, const float *x, const float *y, size_t rows,
                   size_t most, struct gradcheck *out, const struct halt *halt, struct arena *a,
                   struct err *e);
