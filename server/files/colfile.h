// SPDX-License-Identifier: MIT
#pragma once

// The columnar file of a dataset: written once, front to back, while the CSV is read for the second
// time; read whole by jobs. Used by dataset.c only; each writer by one thread, readers from any.
//
//   head   8 words: magic, rows, columns, bytes of the CSV, place and length of the table of
//          columns, its checksum, checksum of the head
//   cells  column after column: rows * 8 bytes (double, NaN = missing) or rows * 4 (code), padded
//          to 8
//   table  per column: type, statistics, checksum of its cells, name, levels
//
// Words are in the byte order of the machine; the magic tells when that is another one. A reader
// trusts nothing: sizes are compared with the file's before anything is allocated, and every
// checksum, code and text is checked.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/halt.h"
#include "engine/table/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct infer;
struct colfile_writer;

// What the head says.
struct colfile_size {
    size_t n_row, n_column;
    uint64_t bytes; // of the CSV
};

// Write a table of in->n_row rows with the columns of `in` to an empty file. The caller owns the
// writer, keeps `fd` and `in` until it is freed; memory is charged to the budget that `in` is
// charged to. NULL on failure, ERR_BUSY when there is no memory.
struct colfile_writer *colfile_begin(int fd, const struct infer *in, struct err *e);

// The next cell of column k; `v` must be finite, or NaN where missing.
void colfile_number(struct colfile_writer *w, size_t k, double v);
void colfile_text(struct colfile_writer *w, size_t k, const char *text, size_t len);
void colfile_missing(struct colfile_writer *w, size_t k);

// The row is complete. Writes now and then.
bool colfile_row(struct colfile_writer *w, struct err *e);

// All rows are there: write the rest, for a CSV of `bytes` bytes. Does not flush the file.
bool colfile_end(struct colfile_writer *w, uint64_t bytes, struct err *e);
void colfile_free(struct colfile_writer *w); // NULL is fine

// Columns without their cells. Everything is allocated in `a`.
bool colfile_describe(int fd, struct colfile_size *size, struct column **column, struct arena *a,
                      struct err *e);

// The whole table.
bool colfile_load(int fd, struct frame *f, const struct halt *halt, struct arena *a, struct err *e);
