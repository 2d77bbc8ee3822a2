// SPDX-License-Identifier: MIT
#pragma once

// Sorting what may be very long, in place, with a question in between: see halt.h. qsort() cannot
// be left. Equal elements come in any order.

#include "engine/base/halt.h"

// Put v[0..n), elements of `size` <= SORT_SIZE bytes, into the order of `compare`. A halt leaves
// them in none.
enum { SORT_SIZE = 16 };
void sort(void *v, size_t n, size_t size, int (*compare)(const void *, const void *),
          const struct halt *halt);
