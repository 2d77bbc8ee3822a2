// SPDX-License-Identifier: MIT
// See madeprep.h.

#include "tests/engine/table/madeprep.h"

#include "tests/harness.h"

struct arena prep_arena(size_t mib)
{
    struct arena a;
    arena_init(&a, mib << 20);
    return a;
}

void prep_need(bool ok, const struct err *e)
{
    ck_assert_msg(ok, "%s: %s", e->at, e->text);
}

struct prep prep_fitted(const struct frame *f, const struct data_spec *s, const uint32_t *row,
                        size_t n, struct arena *a)
{
    struct prep p;
    struct err e = {0};
    prep_need(prep_init(&p, f, s, NULL, a, &e) && prep_fit(&p, f, s, NULL, row, n, NULL, a, &e),
              &e);
    return p;
}

void prep_expect_row(const real *x, const real *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(x[i] == want[i], "feature %zu is %g, not %g", i, (double)x[i],
                      (double)want[i]);
}

struct prep prep_stored(const struct prep *p, struct arena *a)
{
    struct prep s = *p;
    s.column = arena_need(a, p->n_column, sizeof *s.column);
    for (size_t k = 0; k < p->n_column; k++) {
        s.column[k] = p->column[k];
        s.column[k].slot = NULL;
        s.column[k].cast = NULL;
        s.column[k].source = SIZE_MAX;
    }
    s.target = NULL;
    s.index = NULL;
    return s;
}
