// SPDX-License-Identifier: MIT
#pragma once

// The "network" section of a model file: layers and loss, by rows of its own rather than a job
// definition's, so that a file stays readable when settings of jobs are renamed or go.

#include "api/json/jsonw.h"
#include "engine/model/model_spec.h"

// What a network is built from, beside its answer.
struct network {
    int version;
    struct model_spec model;
    struct pick loss;
};

// The loss with its parameters as they are used.
void network_write(const struct model_spec *model, const struct pick *loss, struct jsonw *w);

// Everything is in the arena. ERR_INVALID for another version or what is none of ours.
bool network_read(struct network *n, const char *json, struct arena *a, struct err *e);
