// SPDX-License-Identifier: MIT
#pragma once

// What the files of preprocessing share with each other and with nobody else.

#include "prep.h"

enum { PREP_MAX_CLASSES = 1024 };

// The frame's column behind an input, in the type the prep wants.
static inline const struct column *prep_input(const struct prep_column *c, const struct frame *f)
{
    return c->cast ? c->cast : &f->column[c->source];
}

// The same for the target; NULL when the frame has none.
static inline const struct column *prep_target(const struct prep *p, const struct frame *f)
{
    if (p->target_source == SIZE_MAX)
        return NULL;
    return p->target_cast ? p->target_cast : &f->column[p->target_source];
}

// arena_alloc() that turns NULL into ERR_TOO_LARGE.
void *prep_alloc(struct arena *a, size_t n, size_t size, struct err *e);

// Which kept level of input k text[0..len) is; its n_level when it is none of them.
size_t prep_level(const struct prep *p, size_t k, const char *text, size_t len);

// Target of a row as training sees it: scaled value or class index; NaN when there is none.
double prep_target_value(const struct prep *p, const struct column *target, uint32_t row);
