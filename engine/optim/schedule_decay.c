// SPDX-License-Identifier: MIT
// Schedules that only fall: see schedule.h. Where PyTorch has one, factors are those of
// torch.optim.lr_scheduler; what steps once an epoch there changes with whole epochs here.

#include "engine/optim/schedule_rows.h"

#define GAMMA_HYPER(value)                                                                         \
    {                                                                                              \
        .name = "gamma", .doc = "Factor of the learning rate.", .def = {value}, .min = 1e-6,       \
        .max = 1                                                                                   \
    }

static double constant_factor(const double *value UNUSED, const struct schedule_at *at UNUSED)
{
    return 1;
}

const struct schedule schedule_constant = {
    .row = {.name = "constant",
            .doc = "Constant learning rate.",
            .torch = "torch.optim.lr_scheduler.ConstantLR"},
    .factor = constant_factor,
};

// f = min + (1 - min) (1 + cos πt) / 2
static double cosine_factor(const double *value, const struct schedule_at *at)
{
    return cosine_between(1, value[0], at->t);
}

const struct schedule schedule_cosine = {
    .row = {.name = "cosine",
            .doc = "Half a cosine, from the full learning rate down to a share of it.",
            .alias = {"cosine_annealing"},
            .torch = "torch.optim.lr_scheduler.CosineAnnealingLR",
            .hyper = {MIN_HYPER("Share of the learning rate at the end.")}},
    .factor = cosine_factor,
};

// f = γ^⌊epoch / size⌋
static double step_factor(const double *value, const struct schedule_at *at)
{
    return pow(value[1], floor(at->epoch / value[0]));
}

const struct schedule schedule_step = {
    .row = {.name = "step",
            .doc = "Multiplies the learning rate by gamma every step_size epochs.",
            .torch = "torch.optim.lr_scheduler.StepLR",
            .hyper = {{.name = "step_size",
                       .doc = "Epochs between two reductions.",
                       .type = HYPER_INT,
                       .def = {10},
                       .min = 1,
                       .max = 1e6},
                      GAMMA_HYPER(.1)}},
    .factor = step_factor,
};

// f = γ^(milestones passed); those that are not given are NaN, which nothing passes
static double multi_step_factor(const double *value, const struct schedule_at *at)
{
    double f = 1;
    for (int i = 0; i < HYPER_VALUES; i++)
        f *= at->epoch >= value[i] ? value[HYPER_VALUES] : 1;
    return f;
}

const struct schedule schedule_multi_step = {
    .row = {.name = "multi_step",
            .doc = "Multiplies the learning rate by gamma after each milestone.",
            .torch = "torch.optim.lr_scheduler.MultiStepLR",
            .hyper = {{.name = "milestones",
                       .doc = "Epochs after which the learning rate falls, ascending.",
                       .type = HYPER_INT,
                       .count = HYPER_VALUES,
                       .list = true,
                       .def = {30, 60, 90, NAN, NAN, NAN, NAN, NAN},
                       .min = 1,
                       .max = 1e6},
                      GAMMA_HYPER(.1)}},
    .factor = multi_step_factor,
};

// f = γ^⌊epoch⌋
static double exponential_factor(const double *value, const struct schedule_at *at)
{
    return pow(value[0], floor(at->epoch));
}

const struct schedule schedule_exponential = {
    .row = {.name = "exponential",
            .doc = "Multiplies the learning rate by gamma every epoch.",
            .torch = "torch.optim.lr_scheduler.ExponentialLR",
            .hyper = {GAMMA_HYPER(.95)}},
    .factor = exponential_factor,
};

// f = end + (1 - end) (1 - t)^power
static double polynomial_factor(const double *value, const struct schedule_at *at)
{
    return value[1] + (1 - value[1]) * pow(1 - at->t, value[0]);
}

const struct schedule schedule_polynomial = {
    .row = {.name = "polynomial",
            .doc = "A power of the remaining share of training: a straight line by default.",
            .alias = {"linear"},
            .torch = "torch.optim.lr_scheduler.PolynomialLR",
            .hyper = {{.name = "power",
                       .doc = "Exponent: 1 is a straight line.",
                       .def = {1},
                       .min = .01,
                       .max = 100},
                      {.name = "end",
                       .doc = "Share of the learning rate at the end.",
                       .min = 0,
                       .max = 1}}},
    .factor = polynomial_factor,
};

// f = 1 / (1 + rate epoch)
static double inverse_time_factor(const double *value, const struct schedule_at *at)
{
    return 1 / (1 + value[0] * at->epoch);
}

const struct schedule schedule_inverse_time = {
    .row = {.name = "inverse_time",
            .doc = "Divides the learning rate by 1 + rate times epochs.",
            .hyper = {{.name = "rate",
                       .doc = "Decay per epoch; fractions of an epoch count.",
                       .def = {.1},
                       .min = 0,
                       .max = 1e6}}},
    .factor = inverse_time_factor,
};

// Vaswani et al. 2017: f = √(s / max(s, k + warm)), with s = max(warm, 1) and k + warm steps done
static double inverse_sqrt_factor(const double *value UNUSED, const struct schedule_at *at)
{
    double s = fmax(at->warm, 1);
    return sqrt(s / fmax(s, (double)at->k + at->warm));
}

const struct schedule schedule_inverse_sqrt = {
    .row = {.name = "inverse_sqrt",
            .doc = "One over the square root of the steps, from the end of the warm-up on: the "
                   "transformer's schedule.",
            .alias = {"noam"}},
    .factor = inverse_sqrt_factor,
};

// torch.optim.lr_scheduler.ReduceLROnPlateau with mode "min" and threshold_mode "rel"
enum { FACTOR, PATIENCE, THRESHOLD, COOLDOWN, LEAST };

static void plateau_observe(const double *value, double watched, struct schedule_state *s)
{
    if (isnan(s->best) || watched < s->best - value[THRESHOLD] * fabs(s->best)) {
        s->best = watched;
        s->bad = 0;
    } else {
        s->bad++;
    }
    if (s->cooldown > 0) {
        s->cooldown--;
        s->bad = 0;
    }
    if (s->bad > value[PATIENCE]) {
        s->scale = fmax(s->scale * value[FACTOR], value[LEAST]);
        s->cooldown = (int)value[COOLDOWN];
        s->bad = 0;
    }
}

const struct schedule schedule_plateau = {
    .row = {.name = "plateau",
            .doc =
                "Multiplies the learning rate by factor when the monitored metric stops improving.",
            .alias = {"reduce_on_plateau"},
            .torch = "torch.optim.lr_scheduler.ReduceLROnPlateau",
            .hyper = {{.name = "factor",
                       .doc = "Factor of the learning rate.",
                       .def = {.1},
                       .min = 1e-6,
                       .max = .999},
                      {.name = "patience",
                       .doc = "Epochs without improvement that are allowed.",
                       .type = HYPER_INT,
                       .def = {10},
                       .min = 0,
                       .max = 1e6},
                      {.name = "threshold",
                       .doc = "Smallest relative improvement that counts.",
                       .def = {1e-4},
                       .min = 0,
                       .max = 1},
                      {.name = "cooldown",
                       .doc = "Epochs after a reduction in which none are counted.",
                       .type = HYPER_INT,
                       .min = 0,
                       .max = 1e6},
                      MIN_HYPER("Share of the rate below which it does not fall.")}},
    .factor = constant_factor,
    .observe = plateau_observe,
};

// f = 1 up to t = flat, then half a cosine to 0
static double flat_cos_factor(const double *value, const struct schedule_at *at)
{
    return at->t <= value[0] ? 1 : cosine_between(1, 0, (at->t - value[0]) / (1 - value[0]));
}

const struct schedule schedule_flat_cos = {
    .row = {.name = "flat_cos",
            .doc = "The full learning rate first, then half a cosine down to 0.",
            .hyper = {{.name = "flat",
                       .doc = "Share of the steps at the full learning rate.",
                       .def = {.5},
                       .min = 0,
                       .max = 1}}},
    .factor = flat_cos_factor,
};
