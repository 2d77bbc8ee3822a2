// SPDX-License-Identifier: MIT
#pragma once

// How columns become features and targets: what prep.h fits, and a model file keeps.

#include "engine/base/real.h"
#include "engine/table/answer.h"
#include "engine/table/frame.h"

enum { PREP_MAX_LEVELS = 254, PREP_MAX_FEATURES = 1 << 20 };

struct prep_column {
    const char *name;
    enum column_type type;
    size_t at, width; // features [at, at + width) of a row
    // Numeric: mean and standard deviation as used (0 and 1 under NUMERIC_NONE, where a missing
    // value still becomes `fill`), the raw value that stands for a missing one, and whether
    // feature at + 1 is 1 where the value was missing.
    double mean, std, fill;
    bool indicator;
    // Categorical: level k sets feature at + k, every other value feature at + n_level.
    const char *const *level;
    size_t n_level;
    // Categorical, while a frame is at hand: frame code -> k; NULL in a model read from a file.
    const uint32_t *slot;
    size_t source;             // while a frame is at hand: index of the frame's column
    const struct column *cast; // the frame's column in this type, when its own differs; else NULL
};

struct prep_target {
    size_t source; // while a frame is at hand, as in prep_column; SIZE_MAX: it has no such column
    const struct column *cast;
    const uint32_t *slot; // texts: code -> class, or 0 and 1 of a label; past these: unknown
};

struct prep {
    struct prep_column *column; // inputs in the frame's order; targets and weights left out
    size_t n_column;
    size_t n_feature;            // width of a row of x
    struct answer answer;        // what is predicted
    struct prep_target *target;  // [answer.n_target] where the frame has it
    const struct column *weight; // while training: of the rows; NULL: all alike
    const double *class_weight;  // [n_class] while training; NULL: all alike
    double weight_unit;          // what training rows weigh in the mean: the 1 of encoded weights
    const uint32_t *index; // hash table of names and levels, made by prep_index(); NULL: search one
    size_t n_index;        // by one
    uint64_t key[2];       // of its hash: differs from process to process
};
