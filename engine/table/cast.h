// SPDX-License-Identifier: MIT
#pragma once

// A column in the type a job asks for, when the table says otherwise: zip codes as categories, a
// text column of digits as numbers, a numeric target as classes. Called by preprocessing; the
// result lives in the arena given and shares what it can with the column it came from.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/halt.h"
#include "engine/table/frame.h"

// The column [n_row] as `to`. Numbers become categories named by their shortest decimal text, in
// ascending order. Categories become numbers when every one of them is a number, else ERR_INVALID
// quoting one that is not. NULL on failure, ERR_CANCELLED after a halt.
const struct column *column_cast(const struct column *c, size_t n_row, enum column_type to,
                                 const struct halt *halt, struct arena *a, struct err *e);
