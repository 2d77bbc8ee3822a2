// SPDX-License-Identifier: MIT
// Small tables of choices for tests of the schemas that must not depend on the engine's rows. Weak:
// where the engine is linked its own tables take their place, and the tests hold for those too.

#include "tables.h"

#define WEAK __attribute__((weak))
#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const struct row relu = {.name = "relu", .doc = "Rectifier."};
static const struct row leaky = {
    .name = "leaky_relu",
    .doc = "Rectifier with a slope.",
    .knob = {{.name = "slope", .doc = "Slope.", .def = {.01}, .min = 0, .max = 1}}};
static const struct row *const activations[] = {&relu, &leaky};
WEAK const struct table activation_table = {"activation", activations, LENGTH(activations), {{0}}};

static const struct row batch = {
    .name = "batch",
    .doc = "Batch norm.",
    .knob = {{.name = "momentum", .doc = "Share.", .def = {.1}, .min = 0, .max = 1}}};
static const struct row *const norms[] = {&batch};
WEAK const struct table norm_table = {"norm", norms, LENGTH(norms), {{0}}};

static const struct row mse = {.name = "mse", .doc = "Mean squared error."};
static const struct row *const losses[] = {&mse};
WEAK const struct table loss_table = {"loss", losses, LENGTH(losses), {{0}}};

static const struct row uniform = {.name = "kaiming_uniform", .doc = "He's."};
static const struct row *const inits[] = {&uniform};
WEAK const struct table init_table = {"init", inits, LENGTH(inits), {{0}}};

#define LR                                                                                         \
    {                                                                                              \
        .name = "lr", .doc = "Rate.", .def = {.001}, .min = 0, .max = 1e6                          \
    }
static const struct row adamw = {
    .name = "adamw",
    .doc = "Adam with decay.",
    .knob = {
        LR, {.name = "betas", .doc = "B.", .count = 2, .def = {.9, .999}, .min = 0, .max = .9999}}};
static const struct row sgd = {
    .name = "sgd",
    .doc = "Steepest descent.",
    .knob = {LR,
             {.name = "momentum", .doc = "M.", .min = 0, .max = .9999},
             {.name = "nesterov", .doc = "N.", .type = KNOB_BOOL, .max = 1}}};
static const struct row *const optimizers[] = {&adamw, &sgd};
WEAK const struct table optimizer_table = {"optimizer", optimizers, LENGTH(optimizers), {{0}}};

static const struct row constant = {.name = "constant", .doc = "Same rate."};
static const struct row cosine = {.name = "cosine", .doc = "Half a wave."};
static const struct row *const schedules[] = {&constant, &cosine};
WEAK const struct table schedule_table = {
    "schedule",
    schedules,
    LENGTH(schedules),
    {{.name = "warmup", .doc = "Share of the steps.", .min = 0, .max = 1}}};

static const struct row rmse = {.name = "rmse", .doc = "Root."};
static const struct row accuracy = {.name = "accuracy", .doc = "Share of hits."};
static const struct row *const metrics[] = {&rmse, &accuracy};
WEAK const struct table metric_table = {"metric", metrics, LENGTH(metrics), {{0}}};
