// SPDX-License-Identifier: MIT
#pragma once

// The safetensors container: 8 bytes little-endian header length, a JSON header {"__metadata__":
// {text: text}, name: {"dtype", "shape", "data_offsets"}}, then the tensors' bytes. Model files are
// this from the first day, so that any tool of the field reads our weights.
//
// The reader trusts nothing: lengths, offsets and shapes are checked before they are used, tensors
// must cover the data without gap or overlap, and shapes must match their spans. Values are not
// looked at. Pure functions over memory; spans point into the caller's bytes, the rest is in the
// arena.

#include "api/json/json.h"
#include "engine/base/arena.h"
#include "engine/base/err.h"

#include <stdint.h>

enum { SAFETENSORS_HEADER_MAX = 100 << 20, SAFETENSORS_MAX = 4096 };

struct tensor {
    const char *name;
    uint32_t rows, cols; // a vector has rows 1
    bool vector;
    const char *at; // rows * cols little-endian floats, not aligned
};

struct safetensors {
    struct tensor *tensor;
    size_t n;
    struct json_span metadata; // the object, or at NULL
};

// Only F32 and rank 1 or 2; bytes[len] must be NUL. ERR_INVALID tells what is wrong with the file.
bool safetensors_read(struct safetensors *s, const char *bytes, size_t len, struct arena *a,
                      struct err *e);

// A value of the metadata, decoded, the caller's to change; NULL when there is none. ERR_TOO_LARGE
// past the arena, so that what does not fit is not taken for absent.
bool safetensors_metadata(const struct safetensors *s, const char *key, char **value,
                          struct arena *a, struct err *e);

// What goes into a header.
struct tensor_entry {
    const char *name;
    uint32_t rows, cols;
    bool vector;
    size_t at; // offset of the first value, in floats
};
struct metadata_entry {
    const char *key, *value;
};

// Length prefix and header, padded with blanks so that the data start at a multiple of 8. NULL and
// ERR_TOO_LARGE when the arena is full.
const char *safetensors_header(const struct metadata_entry *meta, size_t n_meta,
                               const struct tensor_entry *tensor, size_t n, size_t *len,
                               struct arena *a, struct err *e);
