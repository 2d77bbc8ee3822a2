// SPDX-License-Identifier: MIT
#pragma once

// The "preprocessing" section of a model file, the inputs:
//
//     {"version": 1, "columns": [["rooms", "numeric", mean, std, fill, indicator],
//     ["city", "categorical", ["Bern", "Rome"]]]}
//
// Numbers are printed so that reading gives the same bits. Called by whoever writes or loads
// a model file, on that thread; everything read lives in the arena.

#include "api/json/jsonw.h"
#include "engine/table/prep.h"

void prep_write(const struct prep *p, struct jsonw *w);

// ERR_INVALID when the text, which is JSON for certain only after this, is not what prep_write()
// prints, or does not fit into the arena. Its answer is left empty. Names and levels stay where
// they are: the text is changed and must live as long as what is read.
bool prep_read(struct prep *p, char *text, struct arena *a, struct err *e);
