// SPDX-License-Identifier: MIT
#pragma once

// What import.c's readers hand over: a stack of linear layers with their numbers, from JSON or a
// file, to be made into a model. Internal to the two files.

#include "api/files/model_file.h"
#include "api/files/safetensors.h"
#include "api/json/fault.h"
#include "api/json/json.h"
#include "api/schema/job_spec.h"

enum {
    IMPORT_LAYERS = LAYERS_MAX + 1, // the output layer included
    PLACE = 160,                    // bytes of a pointer
};

// Numbers where they came from, found to be sound: they are copied once, into the model.
struct numbers {
    struct json_span json; // an array, or an array of arrays
    const char *raw;       // little-endian floats; both NULL: none
};

struct piece {
    struct layer_spec spec; // units 0: as many as the weight has rows
    struct numbers weight;  // [rows, cols]; none: the identity
    uint32_t rows, cols;
    struct numbers bias; // [rows]; none: zeros
    // Of norm and activation by name: {"norm.weight": [...]}; or at NULL.
    struct json_span parameters;
};

struct stack {
    struct piece *piece; // one more than n has room
    size_t n;
    const char *name;
    const char *const *input; // NULL: x0, x1, ...
    size_t n_input;
    struct answer answer; // what was said of it: task NULL: by the classes; no targets: y, or y0,
                          // y1, ...; no classes: "0", "1", ...
    struct pick loss;     // row NULL: by task
};

// Look through an array of `n` finite numbers, or a matrix of them, in JSON; false with faults at
// `pointer` or below it.
bool numbers_check(struct json_span span, const char *pointer, uint32_t *n, struct faults *f);
bool numbers_check_matrix(struct json_span span, const char *pointer, uint32_t *rows,
                          uint32_t *cols, struct faults *f);

// Copy all n of them.
void numbers_copy(const struct numbers *from, real *to, size_t n);

// The linear layers of a file, in the natural order of their names, `activation` (NULL: relu)
// between them. ERR_INVALID names the tensor.
bool stack_from_tensors(struct stack *s, struct safetensors *file, const char *name,
                        const char *activation, struct err *e);

// Widths that a definition can say, outputs that a target can have. False with faults.
bool import_check_units(const struct stack *s, struct faults *f);
bool import_check_outputs(const struct stack *s, struct faults *f);

// Of every form, once it is a model: names of inputs and targets that are neither empty nor with
// control characters, names that tell inputs, targets and classes apart, no variance below 0.
bool import_check(const struct model_file *m, struct faults *f, struct err *e);

// Make the model. Faults are placed under /layers.
bool stack_build(struct stack *s, struct model_file *out, struct arena *a, struct faults *f,
                 struct err *e);
