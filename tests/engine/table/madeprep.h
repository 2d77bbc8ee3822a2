// SPDX-License-Identifier: MIT
#pragma once

// What the tests of preprocessing share. Everything is in the arena given.

#include "tests/engine/table/madeframe.h"
#include "engine/table/prep.h"

struct arena prep_arena(size_t mib);

// Fail the test with the error unless ok.
void prep_need(bool ok, const struct err *e);

// Chosen by the spec and fitted on the rows, for the task's own loss.
struct prep prep_fitted(const struct frame *f, const struct data_spec *s, const uint32_t *row,
                        size_t n, struct arena *a);

// As after reading it from a model file: nothing of the frame, no index.
struct prep prep_stored(const struct prep *p, struct arena *a);

// Fail the test unless x is want.
void prep_expect_row(const real *x, const real *want, size_t n);
