// SPDX-License-Identifier: MIT
#pragma once

// The layout that the writer and the reader of columnar files share.

#include "engine/table/frame.h"

#include <stdint.h>

#define COLFILE_MAGIC UINT64_C(0x316C6F6364706C6D) // "mlpdcol1"

struct colfile_head {
    uint64_t magic, n_row, n_column, bytes;
    uint64_t table_at, table_len, table_sum; // the table ends the file
    uint64_t sum;                            // of the words above
};

// One column in the table; its name, then its levels follow, each a length (uint32_t), the bytes
// and a NUL. The table is padded with zeros to whole words.
struct colfile_column {
    uint64_t type, n_level, n_missing;
    double min, max, mean, std;
    uint64_t sum; // of the cells
};

static inline uint64_t colfile_cells(enum column_type type, uint64_t n_row)
{
    return type == COLUMN_NUMERIC ? n_row * 8 : (n_row * 4 + 7) / 8 * 8;
}

// Checksums start at 1 and take in one word after another. Each step is a bijection of the sum, so
// any single wrong word is found, and others escape with a chance of 2^-64.
static inline uint64_t colfile_mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 32;
}

uint64_t colfile_sum(uint64_t sum, const uint64_t *word, size_t n);
uint64_t colfile_sum_cells(uint64_t sum, enum column_type type, const void *cell, size_t n);
