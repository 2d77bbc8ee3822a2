// SPDX-License-Identifier: MIT
#pragma once

// The dictionaries of a table's categorical columns while a dataset is written: text -> code, in
// order of first appearance. One thread. Memory is bounded for the whole table: texts past
// FRAME_MAX_LEVELS of a column, or past LEVELS_MAX and LEVELS_MAX_BYTES of all of them, share one
// code of their column, whose text is "" (which no present cell can have). Below those bounds every
// text is kept, or the table is not: what is stored never depends on how much memory was free.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/table/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEVELS_MAX = 1 << 21, LEVELS_MAX_BYTES = 64 << 20 };

struct levels;

// Charged to the budget, which may be NULL. NULL without memory.
struct levels *levels_new(size_t n_column, struct arena_budget *budget);
void levels_free(struct levels *l); // NULL is fine

// The code of text[0..len) in a column, a new one when it is seen for the first time.
uint32_t levels_code(struct levels *l, size_t column, const char *text, size_t len);

// ERR_BUSY when there was no memory for some text: its code means nothing.
bool levels_sound(const struct levels *l, struct err *e);

// The column's texts in the order of their codes; the array and the texts belong to `l`, and the
// array is gone at the next call. NULL without memory for it; a second walk over the columns cannot
// fail.
const char *const *levels_list(struct levels *l, size_t column, size_t *n);
