// SPDX-License-Identifier: MIT
#pragma once

// A model as a file: safetensors, whose metadata hold the resolved job definition and the
// preprocessing, so that one file is all a prediction needs. Reading goes through the same job
// schema and the same network builder as training did. The worker writes, the cache reads; server/
// does the input and output.

#include "api/schema/job_schema.h"
#include "engine/model/model.h"
#include "engine/table/prep.h"

struct model_file {
    struct job_spec spec;
    struct prep prep;
    struct model model;
};

// The bytes in front of the weights: m->value follows as it is. In the arena; NULL and
// ERR_TOO_LARGE when it is full.
const char *model_file_header(const struct model *m, const struct prep *p, const char *job_json,
                              size_t *len, struct arena *a, struct err *e);

// Rebuild a model from a whole file, with a NUL behind it. Everything is copied to the arena.
// ERR_INVALID, saying what is wrong, for a file that is not ours, is damaged or holds values that
// are not finite.
bool model_file_read(struct model_file *f, const char *bytes, size_t len, struct arena *a,
                     struct err *e);
