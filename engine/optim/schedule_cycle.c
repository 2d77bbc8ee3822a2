// SPDX-License-Identifier: MIT
// Schedules that rise as well as fall: see schedule.h. Where PyTorch has one, factors are those of
// torch.optim.lr_scheduler.

#include "engine/optim/schedule_rows.h"

// Loshchilov & Hutter 2017: half cosines of T_0, T_0 m, T_0 m², ... epochs
static double cosine_restarts_factor(const double *value, const struct schedule_at *at)
{
    double length = value[0], e = at->epoch;
    if (value[1] == 1)
        e = fmod(e, length);
    for (; e >= length; length *= value[1])
        e -= length;
    return cosine_between(1, value[2], e / length);
}

const struct schedule schedule_cosine_restarts = {
    .row = {.name = "cosine_restarts",
            .doc = "Half a cosine, repeated: each cycle starts at the full learning rate.",
            .alias = {"sgdr"},
            .torch = "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
            .hyper = {{.name = "t_0",
                       .doc = "Epochs until the first restart.",
                       .type = HYPER_INT,
                       .def = {10},
                       .min = 1,
                       .max = 1e6},
                      {.name = "t_mult",
                       .doc = "Factor of each cycle's length over the one before.",
                       .type = HYPER_INT,
                       .def = {1},
                       .min = 1,
                       .max = 100},
                      MIN_HYPER("Share of the rate reached before a restart.")}},
    .factor = cosine_restarts_factor,
};

// Smith & Topin 2018, as PyTorch counts: up to step p n - 1, down to step n - 1
static double one_cycle_factor(const double *value, const struct schedule_at *at)
{
    double last = (double)at->n - 1, top = value[0] * (double)at->n - 1;
    double start = 1 / value[1], end = start / value[2], k = fmin((double)at->k, last);
    if (k <= top)
        return top > 0 ? cosine_between(start, 1, k / top) : 1;
    return cosine_between(1, end, (k - top) / (last - top));
}

const struct schedule schedule_one_cycle = {
    .row = {.name = "one_cycle",
            .doc = "Up to the full learning rate and down to almost 0, each along half a cosine.",
            .torch = "torch.optim.lr_scheduler.OneCycleLR",
            .hyper = {{.name = "pct_start",
                       .doc = "Share of the steps in which the learning rate rises.",
                       .def = {.3},
                       .min = 0,
                       .max = 1},
                      {.name = "div_factor",
                       .doc = "The full learning rate divided by the first one.",
                       .def = {25},
                       .min = 1,
                       .max = 1e9},
                      {.name = "final_div_factor",
                       .doc = "The first learning rate divided by the last one.",
                       .def = {1e4},
                       .min = 1,
                       .max = 1e9}}},
    .factor = one_cycle_factor,
};

// Smith 2017: a triangle of period 2 up
static double cyclic_factor(const double *value, const struct schedule_at *at)
{
    double u = fmod(at->epoch / value[1], 2);
    return value[0] + (1 - value[0]) * (u < 1 ? u : 2 - u);
}

const struct schedule schedule_cyclic = {
    .row = {.name = "cyclic",
            .doc = "Linear up to the full learning rate and back down, repeated.",
            .torch = "torch.optim.lr_scheduler.CyclicLR",
            .hyper = {{.name = "base",
                       .doc = "Share of the learning rate where each cycle starts and ends.",
                       .def = {.1},
                       .min = 0,
                       .max = 1},
                      {.name = "step_size_up",
                       .doc = "Epochs of the rise; the fall takes as many.",
                       .def = {5},
                       .min = 1e-3,
                       .max = 1e6}}},
    .factor = cyclic_factor,
};

// RealMLP: f = (1 - cos(2π log₂(1 + (2^c - 1) t))) / 2
static double coslog_factor(const double *value, const struct schedule_at *at)
{
    return (1 - cos(2 * M_PI * log2(1 + (exp2(value[0]) - 1) * at->t))) / 2;
}

const struct schedule schedule_coslog = {
    .row = {.name = "coslog",
            .doc = "Cosine cycles from 0 to the full learning rate and back, each twice as long as "
                   "the one before.",
            .hyper = {{.name = "cycles",
                       .doc = "Number of cycles.",
                       .type = HYPER_INT,
                       .def = {4},
                       .min = 1,
                       .max = 30}}},
    .factor = coslog_factor,
};
