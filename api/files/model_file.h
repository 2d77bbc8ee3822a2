// SPDX-License-Identifier: MIT
#pragma once

// A model as a file: safetensors, whose metadata are all that a prediction needs besides weights.
// Three sections, each a JSON text with a version of its own: the network (network_json.h), the
// answer (answer_json.h), the preprocessing (prep_json.h). Reading builds the network by the same
// builder as training did, and never looks at the job definition, which is there for people. The
// worker writes, the cache reads; server/ does the input and output.

#include "engine/model/model.h"
#include "engine/table/prep.h"

struct model_file {
    const char *name; // of the model when the file was written; NULL: not said
    const char *job; // the definition it was trained by, as text that nobody has looked at; or NULL
    struct prep prep;
    struct model model; // its answer is prep's
};

// The bytes in front of the weights: m->value follows as it is. Name and job may be NULL. In the
// arena; NULL and ERR_TOO_LARGE when it is full.
const char *model_file_header(const struct model *m, const struct prep *p, const char *name,
                              const char *job, size_t *len, struct arena *a, struct err *e);

// Rebuild a model from a whole file, with a NUL behind it. Everything is copied to the arena.
// ERR_INVALID, saying what is wrong, for a file that is not ours, is damaged or holds values that
// are not finite.
bool model_file_read(struct model_file *f, const char *bytes, size_t len, struct arena *a,
                     struct err *e);
