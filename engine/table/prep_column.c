// SPDX-License-Identifier: MIT
// Columns as preprocessing finds them: by name, in the type it wants, and where to say that a job
// definition is wrong about one; classes by name.

#include "engine/table/prep.h"
#include "engine/table/prep_parts.h"

#include "engine/base/nearest.h"
#include "engine/table/cast.h"

#include <stdio.h>
#include <string.h>

void *prep_alloc(struct arena *a, size_t n, size_t size, struct err *e)
{
    void *p = arena_alloc(a, n, size);
    if (!p)
        fail(e, ERR_TOO_LARGE, "preparing the data needs more memory than a job may take");
    return p;
}

static const char *column_name(const void *column, size_t i)
{
    return ((const struct column *)column)[i].name;
}

bool prep_column_index(const struct frame *f, const char *name, const char *at, size_t *index,
                       struct err *e)
{
    const struct column *c = frame_find(f, name);
    if (c)
        return *index = (size_t)(c - f->column), true;
    const char *meant = nearest(name, column_name, f->column, f->n_column);
    if (meant)
        return fail_at(e, ERR_INVALID, at, "the dataset has no column \"%s\"; did you mean \"%s\"?",
                       name, meant);
    return fail_at(e, ERR_INVALID, at, "the dataset has no column \"%s\"", name);
}

bool prep_cast(const struct frame *f, size_t source, enum column_type type, const char *at,
               const struct column **out, const struct halt *halt, struct arena *a, struct err *e)
{
    struct err why = {0};
    const struct column *own = &f->column[source],
                        *c = column_cast(own, f->n_row, type, halt, a, &why);
    *out = c == own ? NULL : c;
    return c || fail_at(e, why.kind, at, "%s", why.text);
}

const char *prep_target_place(const struct prep *p, size_t i, char at[PREP_PLACE])
{
    snprintf(at, PREP_PLACE, p->answer.n_target > 1 ? "/target/%zu" : "/target", i);
    return at;
}

size_t prep_class(const struct prep *p, const char *name)
{
    size_t k = 0;
    while (k < p->answer.n_class && strcmp(p->answer.class_name[k], name) != 0)
        k++;
    return k;
}
