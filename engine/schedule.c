// SPDX-License-Identifier: MIT
// Learning-rate schedules: see schedule.h.

#include "schedule.h"

#include "tables.h"

#include <math.h>

static double constant_factor(const double *value, const struct schedule_at *at)
{
    (void)value;
    (void)at;
    return 1;
}

static const struct schedule constant = {
    .row = {.name = "constant", .doc = "The same rate throughout."},
    .factor = constant_factor,
};

// f = min + (1 - min) (1 + cos πt) / 2
static double cosine_factor(const double *value, const struct schedule_at *at)
{
    return value[0] + (1 - value[0]) * (1 + cos(M_PI * at->t)) / 2;
}

static const struct schedule cosine = {
    .row = {.name = "cosine",
            .doc = "Half a cosine, from the full rate down to a share of it.",
            .knob = {{.name = "min",
                      .doc = "Share of the rate reached at the end.",
                      .def = {0},
                      .min = 0,
                      .max = 1}}},
    .factor = cosine_factor,
};

double schedule_factor(const struct pick *p, uint64_t k, uint64_t n, uint32_t per_epoch)
{
    const struct schedule *s = (const struct schedule *)(const void *)p->row;
    double warmup = pick_value(&schedule_table, p, "warmup");
    uint64_t warm = (uint64_t)(warmup < 1 ? warmup * (double)n : warmup);
    if (k < warm)
        return (double)(k + 1) / (double)warm;
    uint64_t past = k - warm, left = warm < n ? n - warm : 1;
    const struct schedule_at at = {.t = (double)past / (double)left,
                                   .k = past,
                                   .n = left,
                                   .epoch = (double)past / per_epoch,
                                   .epochs = (double)left / per_epoch,
                                   .warm = (double)warm};
    return s->factor(p->value, &at);
}

struct schedule_state schedule_start(void)
{
    return (struct schedule_state){.scale = 1, .best = NAN};
}

void schedule_observe(const struct pick *p, double watched, struct schedule_state *s)
{
    const struct schedule *row = (const struct schedule *)(const void *)p->row;
    if (row->observe)
        row->observe(p->value, watched, s);
}

bool schedule_check(const struct pick *p, uint64_t n, uint32_t per_epoch, struct err *e)
{
    (void)p;
    (void)n;
    (void)per_epoch;
    (void)e;
    return true;
}

static const struct row *const schedule_row[] = {&cosine.row, &constant.row};
const struct table schedule_table = {
    .what = "schedule",
    .row = schedule_row,
    .n = sizeof schedule_row / sizeof *schedule_row,
    .common = {{.name = "warmup",
                .doc =
                    "Linear warm-up first: a share of all steps below 1, else a number of steps.",
                .def = {0},
                .min = 0,
                .max = 1e9}},
};
