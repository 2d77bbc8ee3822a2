// SPDX-License-Identifier: MIT
// See curve.h. A fixed number of points is held until the store has them. While it cannot be
// written the oldest give way, and what is missing is told: memory stays bounded, the end of a
// curve is worth more than its middle, and nobody takes a gap for a straight line.

#include "server/jobs/curve.h"

#include <math.h>
#include <string.h>

void curve_init(struct curve *c)
{
    *c = (struct curve){.beat = {.best_value = NAN, .row = c->row, .series = c->series}};
}

static bool curve_no_room(struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "the network has too many layers for the memory allowed");
}

bool curve_declare(struct curve *c, enum series_kind kind, const char *scope, const char *name,
                   enum series_type type, struct arena *a, struct err *e)
{
    struct series_list *l = &c->series[kind];
    if (l->n == c->room[kind]) {
        size_t room = l->n ? 2 * l->n : 16;
        struct series *more = arena_alloc(a, room, sizeof *more);
        if (!more)
            return curve_no_room(e);
        for (size_t i = 0; i < l->n; i++)
            more[i] = l->item[i];
        c->declared[kind] = more;
        c->room[kind] = room;
        l->item = more;
    }
    c->declared[kind][l->n++] = (struct series){scope, name, type};
    return true;
}

bool curve_begin(struct curve *c, struct arena *a, struct err *e)
{
    bool ok = true;
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        size_t n = c->series[kind].n;
        c->value[kind] = arena_alloc(a, CURVE_POINTS, n * sizeof *c->value[kind]);
        ok = ok && c->value[kind];
    }
    return ok || curve_no_room(e);
}

static double *curve_place(const struct curve *c, enum series_kind kind, size_t i)
{
    return c->value[kind] + i * c->series[kind].n;
}

void curve_stored(struct curve *c)
{
    c->beat.declared = true;
    c->beat.n_row = 0;
    c->beat.gap_from = c->beat.gap_to = 0;
}

// Forget the oldest point.
static void shift(struct curve *c)
{
    c->beat.gap_to = c->row[0].epoch;
    if (!c->beat.gap_from)
        c->beat.gap_from = c->row[0].epoch;
    for (int kind = 0; kind < SERIES_KINDS; kind++)
        memmove(curve_place(c, kind, 0), curve_place(c, kind, 1),
                (CURVE_POINTS - 1) * c->series[kind].n * sizeof(double));
    for (size_t i = 1; i < CURVE_POINTS; i++)
        c->row[i - 1] =
            (struct metric_row){c->row[i].epoch, c->row[i].step, curve_place(c, SERIES_RUN, i - 1),
                                c->row[i].parts ? curve_place(c, SERIES_PARTS, i - 1) : NULL};
    c->beat.n_row--;
}

static const double *keep(struct curve *c, enum series_kind kind, const double *value)
{
    double *to = curve_place(c, kind, c->beat.n_row);
    return value ? memcpy(to, value, c->series[kind].n * sizeof *to) : NULL;
}

void curve_add(struct curve *c, int64_t epoch, int64_t step, const double *run, const double *parts)
{
    struct job_beat *b = &c->beat;
    if (curve_full(c))
        shift(c);
    c->row[b->n_row] =
        (struct metric_row){epoch, step, keep(c, SERIES_RUN, run), keep(c, SERIES_PARTS, parts)};
    b->n_row++;
    b->epoch = epoch;
    b->step = step;
}
