// SPDX-License-Identifier: MIT
#pragma once

// Parts of preprocessing, for its own files only.

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/halt.h"
#include "engine/table/prep_types.h"

enum { PREP_MAX_CLASSES = 1024 };

// The frame's column behind an input, in the type the prep wants.
static inline const struct column *prep_input(const struct prep_column *c, const struct frame *f)
{
    return c->cast ? c->cast : &f->column[c->source];
}

// The same for a target; NULL when the frame has none.
static inline const struct column *prep_aim(const struct prep_target *t, const struct frame *f)
{
    if (t->source == SIZE_MAX)
        return NULL;
    return t->cast ? t->cast : &f->column[t->source];
}

// What the job says about each column of the frame.
struct prep_wish {
    bool exclude;
    enum column_type type;
};

// Encoded values stay within what a float can hold and square.
static inline double prep_clamp(double z)
{
    const double most = 1e15;
    return z > most ? most : z < -most ? -most : z;
}

// arena_alloc() that turns NULL into ERR_TOO_LARGE.
void *prep_alloc(struct arena *a, size_t n, size_t size, struct err *e);

// Which kept level of input k text[0..len) is; its n_level when it is none of them.
size_t prep_level(const struct prep *p, size_t k, const char *text, size_t len);

// Index of the column, or an error at the given place that suggests what was meant.
bool prep_column_index(const struct frame *f, const char *name, const char *at, size_t *index,
                       struct err *e);

// The frame's column as the type; `out` stays NULL when its own is that. A failure gets the place.
bool prep_cast(const struct frame *f, size_t source, enum column_type type, const char *at,
               const struct column **out, const struct halt *halt, struct arena *a, struct err *e);

// The parts of prep_init() and prep_bind() about targets, and of prep_init() and prep_fit() about
// weights.
bool prep_choose_targets(struct prep *p, const struct frame *f, const struct data_spec *s,
                         const struct prep_wish *wish, const struct halt *halt, struct arena *a,
                         struct err *e);
bool prep_choose_task(struct prep *p, const struct frame *f, const struct data_spec *s,
                      const struct halt *halt, struct arena *a, struct err *e);
bool prep_bind_targets(struct prep *p, const struct frame *f, const struct halt *halt,
                       struct arena *a, struct err *e);
bool prep_choose_weights(struct prep *p, const struct frame *f, const struct data_spec *s,
                         const struct prep_wish *wish, const struct halt *halt, struct arena *a,
                         struct err *e);
bool prep_fit_weights(struct prep *p, const struct frame *f, const struct data_spec *s,
                      const uint32_t *row, size_t n, const struct halt *halt, struct arena *a,
                      struct err *e);

// Where target i stands in a job definition: "/target", or "/target/1" when it is one of several.
enum { PREP_PLACE = 32 };
const char *prep_target_place(const struct prep *p, size_t i, char at[PREP_PLACE]);

// A target of a row as training sees it; NaN when there is none.
double prep_target_value(const struct prep *p, size_t target, const struct frame *f, uint32_t row);
