// SPDX-License-Identifier: MIT
#pragma once

// Frames for engine tests, read from CSV text or from tests/data. They belong to the arena.

#include "engine/base/arena.h"
#include "engine/table/frame.h"

// The frame of a CSV with a header; a table that cannot be read fails the test.
struct frame table_of(const char *csv, size_t len, struct arena *a);
struct frame table_of_text(const char *csv, struct arena *a);
struct frame table_of_file(const char *path, struct arena *a);

// Regression or classification of `target` with the usual choices and no held-out rows.
struct data_spec plain_spec(const char *target);

// 0, 1, ..., n - 1
uint32_t *all_rows(size_t n, struct arena *a);
