// SPDX-License-Identifier: MIT
#pragma once

// What a table of texts is: whether its first record is a header, and which columns hold numbers.
// Fed record by record while an upload arrives; one thread. A column is numeric as long as every
// present cell is a finite decimal number, and categorical otherwise, so its type is known at the
// end. Everything belongs to the arena given at the start; its size depends on the number of
// columns only.
//
// The first record is a header when none of its cells is a number; without one the columns are
// called c0, c1, ... Empty and repeated names are errors, and control characters in names.

#include "engine/base/arena.h"
#include "engine/table/data_spec.h"
#include "engine/table/csv.h"

struct infer_column {
    const char *name;
    enum column_type type;
    size_t n_missing;
    size_t infinite_line; // of the first cell that is infinite or too large; 0: none
};

struct infer {
    struct arena *arena;
    struct infer_column *column;
    size_t n_column;
    size_t n_row; // without the header
    bool header;
};

enum { INFER_MAX_NAME = 255 }; // bytes of a column's name

void infer_init(struct infer *in, struct arena *a);

// A csv_record: `infer` is a struct infer.
bool infer_record(void *infer, const struct csv_cell *cell, size_t n, size_t line, struct err *e);

// Refuses a table without rows, and numeric columns with an infinite or oversized number.
bool infer_end(struct infer *in, struct err *e);
