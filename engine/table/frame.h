// SPDX-License-Identifier: MIT
#pragma once

// A table in memory, column by column: what a dataset file holds, what preprocessing reads. Filled
// by server/files/dataset.c (from a file) or by a test; read-only afterwards, from any thread.
// Everything belongs to the arena of whoever filled it.

#include "engine/table/data_spec.h"

#include <stddef.h>
#include <stdint.h>

#define LEVEL_MISSING UINT32_MAX
enum { FRAME_MAX_COLUMNS = 16384, FRAME_MAX_LEVELS = 65535 };

struct column {
    const char *name;
    enum column_type type;
    const double *number;     // [rows], NaN where missing; numeric columns only
    const uint32_t *code;     // [rows], index into level or LEVEL_MISSING; categorical columns only
    const char *const *level; // distinct texts in order of first appearance; past
                              // FRAME_MAX_LEVELS the rest share one slot, whose text is ""
    size_t n_level;
    size_t n_missing;
    double min, max, mean, std; // of the present numbers (population std); 0 when there are none
};

struct frame {
    struct column *column;
    size_t n_column;
    size_t n_row;
};

// The column called `name`, or NULL.
const struct column *frame_find(const struct frame *f, const char *name);
