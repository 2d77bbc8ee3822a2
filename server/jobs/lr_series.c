// SPDX-License-Identifier: MIT
// See lr_series.h.

#include "server/jobs/lr_series.h"

#include <stddef.h>
#include <string.h>

const char *const lr_series_name[LR_SERIES] = {"lr", "loss", "smoothed_loss"};

static const size_t place[LR_SERIES] = {
    offsetof(struct lr_point, lr),
    offsetof(struct lr_point, loss),
    offsetof(struct lr_point, smoothed),
};

bool lr_series_declare(struct curve *c, struct arena *a, struct err *e)
{
    bool ok = true;
    for (size_t k = 0; ok && k < LR_SERIES; k++)
        ok = curve_declare(c, SERIES_RUN, "", lr_series_name[k], SERIES_REAL, a, e);
    return ok;
}

void lr_series_add(struct curve *c, const struct lr_point *p)
{
    double value[LR_SERIES];
    for (size_t k = 0; k < LR_SERIES; k++)
        memcpy(&value[k], (const char *)p + place[k], sizeof *value);
    curve_add(c, (int64_t)p->step, (int64_t)p->step, value, NULL);
}

const struct lr_point *lr_series_points(const struct series_table *t, struct arena *a,
                                        struct err *e)
{
    struct lr_point *p = arena_zalloc(a, t->n_row + 1, sizeof *p);
    if (!p)
        fail(e, ERR_TOO_LARGE, "the sweep needs more memory than one request may use");
    for (size_t k = 0; p && t->n_row && k < LR_SERIES; k++) {
        size_t at = series_find(&t->series, "", lr_series_name[k]);
        if (at == t->series.n) {
            fail(e, ERR_INTERNAL,
                 "the stored curve is not that of a sweep: it has no series \"%s\"",
                 lr_series_name[k]);
            return NULL;
        }
        for (size_t i = 0; i < t->n_row; i++) {
            p[i].step = (uint64_t)t->step[i];
            memcpy((char *)&p[i] + place[k], &t->value[i * t->series.n + at], sizeof *t->value);
        }
    }
    return p;
}
