// SPDX-License-Identifier: MIT
// The rows of a job definition that are about the network and its training: see job_schema.h. What
// is off by default leaves every result as it is without the row.

#include "api/schema/job_parts.h"

#include "engine/base/nearest.h"
#include "engine/model/init.h"
#include "engine/model/metric.h"
#include "engine/nn/role.h"
#include "engine/optim/optimizer.h"

#include <string.h>

static const struct field layer_fields[] = {
    INT("units", struct layer_spec, units, .required = true, .min = 1, .max = UNITS_MAX,
        .doc = "Number of units."),
    PICK("activation", struct layer_spec, activation, .table = &activation_table, .def = "\"relu\"",
         .doc = "Activation function."),
    PICK("norm", struct layer_spec, norm, .table = &norm_table, .nullable = true,
         .def = "\"batch\"", .doc = "Normalization before the activation; null for none."),
    REAL("dropout", struct layer_spec, dropout, .def = "0.1", .min = 0, .max = 0.95,
         .instead = "alpha_dropout",
         .doc = "Probability that a unit is dropped in a training step."),
    REAL("alpha_dropout", struct layer_spec, alpha_dropout, .def = "0", .min = 0, .max = 0.95,
         .doc = "Alpha dropout instead of dropout: keeps mean and variance; for selu."),
    INT("residual", struct layer_spec, residual, .def = "0", .min = 0, .max = LAYERS_MAX,
        .doc = "Residual connection: add an earlier input to this layer's output. 1: its own "
               "input, 2: the input of the layer before it, and so on; 0: none."),
    PICK("init", struct layer_spec, init, .table = &init_table, .nullable = true,
         .doc = "Initialization of this layer's weights; null for the model's."),
    {0},
};
static const struct schema layer_schema = {
    .name = "Layer",
    .doc = "A hidden layer; a plain number means its units.",
    .field = layer_fields,
    .size = sizeof(struct layer_spec),
    .bare = "units",
};

static const struct field model_fields[] = {
    LIST("layers", struct model_spec, layer, n_layer, struct layer_spec, .of = FIELD_OBJECT,
         .sub = &layer_schema, .max = LAYERS_MAX, .def = "[256, 256]",
         .alias = {"hidden", "hidden_layer_sizes"},
         .doc = "Hidden layers, first to last; the output layer follows from the task."),
    PICK("init", struct model_spec, init, .table = &init_table, .def = "\"kaiming_uniform\"",
         .doc = "Initialization of the weights."),
    {0},
};
const struct schema model_schema = {.name = "Model", .field = model_fields};

static const struct field regularization_fields[] = {
    REAL("l1", struct job_spec, train.regularization.l1, .def = "0", .min = 0, .max = 1e3,
         .doc = "L1 penalty: factor of the sum of the weights' absolute values."),
    REAL("l2", struct job_spec, train.regularization.l2, .def = "0", .min = 0, .max = 1e3,
         .doc = "L2 penalty: factor of half the sum of the weights' squares; see also the "
                "optimizer's weight_decay."),
    REAL("max_norm", struct job_spec, train.regularization.max_norm, .nullable = true,
         .above_min = true, .max = 1e6,
         .doc = "Largest norm of the weights into a hidden unit; larger ones are scaled down. Null "
                "for no limit."),
    REAL("label_smoothing", struct job_spec, train.label_smoothing, .def = "0", .min = 0,
         .max = 0.95, .doc = "Share of every target that is spread evenly over all classes."),
    REAL("mixup", struct job_spec, train.mixup, .def = "0", .min = 0, .max = 100,
         .alias = {"mixup_alpha"},
         .doc = "Mixup: parameter alpha of the Beta distribution; 0 for off."),
    REAL("cutmix", struct job_spec, train.cutmix, .def = "0", .min = 0, .max = 1,
         .doc = "CutMix: probability that the rows of a batch exchange some of their columns."),
    REAL("gradient_clip_norm", struct job_spec, train.clip_norm, .nullable = true, .def = "1.0",
         .above_min = true, .max = 1e6, .alias = {"max_grad_norm"},
         .doc =
             "Largest norm of the gradient; a larger gradient is scaled down. Null for no limit."),
    REAL("gradient_clip_value", struct job_spec, train.regularization.clip_value, .nullable = true,
         .above_min = true, .max = 1e6,
         .doc = "Largest absolute value of a gradient's component; larger ones are clipped. Null "
                "for no limit."),
    REAL("gradient_noise", struct job_spec, train.regularization.gradient_noise, .def = "0",
         .min = 0, .max = 1e3,
         .doc =
             "Standard deviation of the noise added to gradients; it decreases during training."),
    REAL("input_noise", struct job_spec, model.input_noise, .def = "0", .min = 0, .max = 1e3,
         .doc = "Standard deviation of the noise added to every preprocessed input in a training "
                "step."),
    REAL("input_dropout", struct job_spec, model.input_dropout, .def = "0", .min = 0, .max = 0.95,
         .doc = "Probability that an input is dropped in a training step."),
    {0},
};
const struct schema regularization_schema = {.name = "Regularization",
                                             .field = regularization_fields};

static const struct field group_fields[] = {
    STRING("match", struct param_group, match, .required = true,
           .doc = "Pattern of parameter names, where * stands for any text: *.bias or layers.0.*"),
    REAL("lr", struct param_group, lr, .def = "1", .min = 0, .max = 1e3,
         .doc = "Factor of the optimizer's lr; 0 freezes the parameters."),
    REAL("weight_decay", struct param_group, weight_decay, .def = "1", .min = 0, .max = 1e3,
         .doc = "Factor of the optimizer's weight_decay."),
    {0},
};
const struct schema group_schema = {
    .name = "ParameterGroup",
    .field = group_fields,
    .size = sizeof(struct param_group),
};

static const char *metric_name(const void *table, size_t i)
{
    return i == 0 ? "loss" : ((const struct table *)table)->row[i - 1]->name;
}

static void check_metric(const void *spec, const char *at, struct faults *f)
{
    const char *metric = ((const struct train_spec *)spec)->monitor;
    bool prefixed = strncmp(metric, "val_", 4) == 0;
    if (prefixed && (strcmp(metric, "val_loss") == 0 || table_find(&metric_table, metric + 4)))
        return;
    char place[128];
    snprintf(place, sizeof place, "%s/metric", at);
    const char *meant =
        nearest(prefixed ? metric + 4 : metric, metric_name, &metric_table, metric_table.n + 1);
    fault_add(f, "unknown_value", place,
              "must be \"val_loss\" or a metric with \"val_\" in front, got \"%.64s\"%s%s%s",
              metric, meant ? "; did you mean \"val_" : "", meant ? meant : "", meant ? "\"?" : "");
}

static const struct field stopping_fields[] = {
    STRING("metric", struct train_spec, monitor, .def = "\"val_loss\"", .min = 1, .max = 64,
           .doc = "What to monitor: val_loss, or a metric with val_ in front, such as val_rmse or "
                  "val_accuracy."),
    INT("patience", struct train_spec, patience, .def = "10", .min = 1, .max = 100000,
        .alias = {"n_iter_no_change", "stopping_rounds"},
        .doc = "Epochs without improvement before training stops."),
    {0},
};
static const struct schema stopping_schema = {
    .name = "EarlyStopping", .field = stopping_fields, .check = check_metric};

static const struct field training_fields[] = {
    INT("epochs", struct train_spec, epochs, .def = "100", .min = 1, .max = 100000,
        .nullable = true, .instead = "steps", .alias = {"max_iter", "num_epochs"},
        .doc = "Largest number of passes over the training rows; null when steps are given."),
    INT("steps", struct train_spec, steps, .nullable = true, .min = 1, .max = 1e9,
        .alias = {"train_steps", "max_steps"},
        .doc = "Optimizer steps, instead of epochs; training can end within an epoch."),
    INT("batch_size", struct train_spec, batch_size, .def = "\"auto\"", .zero = "auto", .min = 1,
        .max = 1 << 20, .doc = "Rows per step; auto depends on the number of rows."),
    BOOL("shuffle", struct train_spec, shuffle, .def = "true",
         .doc = "Shuffle the rows before every epoch; false keeps the order of the table."),
    PART("early_stopping", .sub = &stopping_schema, .nullable = true, .def = "{}",
         .on = AT(struct train_spec, patience, int),
         .doc = "Stop when the monitored metric no longer improves; null trains to the end."),
    REAL("ema", struct train_spec, ema, .nullable = true, .above_min = true, .max = 0.999999,
         .doc = "Exponential moving average of the weights, which becomes the model: its decay; "
                "null for none."),
    REAL("swa", struct train_spec, swa, .nullable = true, .above_min = true, .max = 1,
         .doc = "Stochastic weight averaging: the share of the epochs, at the end, whose weights "
                "are averaged; null for none."),
    BOOL("observe", struct train_spec, observe, .def = "true",
         .doc = "Record statistics of every layer, for /jobs/<id>/layers and /diagnosis."),
    INT("threads", struct train_spec, threads, .def = "1", .min = 1, .max = 64,
        .doc = "Threads that train this job; the result is the same for any number."),
    {0},
};
static void check_length(const void *spec, const char *at, struct faults *f)
{
    const struct train_spec *s = spec;
    if (!s->epochs && !s->steps)
        fault_add(f, "missing_field", at, "must have epochs or steps");
}

const struct schema training_schema = {
    .name = "Training", .field = training_fields, .check = check_length};
