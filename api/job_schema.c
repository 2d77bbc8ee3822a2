// SPDX-License-Identifier: MIT
// The rows of a job definition: see job_schema.h. To add a setting, add a member to a spec and a
// row here. The nesting is the client's; where a value goes is the row's own business, so
// "features", "split" and "preprocessing" all fill struct data_spec.

#include "job_schema.h"

#include "inline.h"
#include "nearest.h"
#include "tables.h"

#include <string.h>

enum { COLUMNS_MAX = 16384, TARGETS_MAX = 1024, CLASSES_MAX = 1024, METADATA_MAX = 16 << 10 };

const char *const task_words[] = {
    [TASK_AUTO] = "auto",
    [TASK_REGRESSION] = "regression",
    [TASK_CLASSIFICATION] = "classification",
    [TASK_MULTILABEL] = "multilabel",
    [TASK_DISTRIBUTION] = "distribution",
    NULL,
};
static const char *const type_words[] = {
    [COLUMN_NUMERIC] = "numeric",
    [COLUMN_CATEGORICAL] = "categorical",
    NULL,
};
static const char *const numeric_words[] = {
    [NUMERIC_STANDARD] = "standard",
    [NUMERIC_NONE] = "none",
    NULL,
};
static const char *const missing_words[] = {
    [MISSING_MEAN_INDICATOR] = "mean+indicator",
    [MISSING_MEAN] = "mean",
    NULL,
};
static const char *const categorical_words[] = {
    [CATEGORICAL_ONE_HOT] = "one_hot",
    NULL,
};

static const struct field override_fields[] = {
    STRING("column", struct column_override, name, .doc = "Name of a column."),
    WORD("type", struct column_override, type, enum column_type, .names = type_words,
         .doc = "How to read the column."),
    {0},
};
static const struct schema override_schema = {
    .name = "ColumnType",
    .field = override_fields,
    .size = sizeof(struct column_override),
};

static const struct field features_fields[] = {
    LIST("exclude", struct data_spec, exclude, n_exclude, const char *, .of = FIELD_STRING,
         .max = COLUMNS_MAX, .alias = {"ignored_columns"}, .def = "[]",
         .doc = "Columns that must not be learnt from."),
    MAP("types", struct data_spec, type, n_type, struct column_override, .sub = &override_schema,
        .max = COLUMNS_MAX, .def = "{}",
        .doc = "Types of columns whose inferred type is wrong: numeric or categorical."),
    {0},
};
static const struct schema features_schema = {.name = "Features", .field = features_fields};

static void check_split(const void *spec, const char *at, struct faults *f)
{
    const struct data_spec *s = spec;
    if (s->validation + s->test >= 1)
        fault_add(f, "out_of_range", at,
                  "validation and test must leave rows to train on, their sum is %.15g",
                  s->validation + s->test);
}

static const struct field split_fields[] = {
    REAL("validation", struct data_spec, validation, .def = "0.15", .min = 0, .max = 0.9,
         .alias = {"validation_fraction"},
         .doc = "Share of the rows that early stopping and the curves are measured on."),
    REAL("test", struct data_spec, test, .def = "0.15", .min = 0, .max = 0.9,
         .doc = "Share of the rows kept for the final score."),
    BOOL("stratify", struct data_spec, stratify, .def = "true",
         .doc = "Keep the classes' shares in every part; of no effect in a regression."),
    SEED("seed", struct data_spec, split_seed, .def = "0", .doc = "Decides which rows go where."),
    {0},
};
static const struct schema split_schema = {
    .name = "Split", .field = split_fields, .check = check_split};

static const struct field preprocessing_fields[] = {
    WORD("numeric", struct data_spec, numeric, enum numeric_prep, .names = numeric_words,
         .def = "\"standard\"",
         .doc = "Bring numeric columns to mean 0 and deviation 1, or take them as they are."),
    WORD("missing", struct data_spec, missing, enum missing_prep, .names = missing_words,
         .def = "\"mean+indicator\"",
         .doc = "Fill a numeric gap with the mean, with or without a 0/1 column that says so."),
    WORD("categorical", struct data_spec, categorical, enum categorical_prep,
         .names = categorical_words, .def = "\"one_hot\"",
         .doc = "One 0/1 column for each frequent level and one for all others."),
    {0},
};
static const struct schema preprocessing_schema = {.name = "Preprocessing",
                                                   .field = preprocessing_fields};

static const struct field layer_fields[] = {
    INT("units", struct layer_spec, units, .required = true, .min = 1, .max = 65536,
        .doc = "Width of the layer."),
    PICK("activation", struct layer_spec, activation, .table = &activation_table, .def = "\"relu\"",
         .doc = "Function applied to every unit."),
    PICK("norm", struct layer_spec, norm, .table = &norm_table, .nullable = true,
         .def = "\"batch\"", .doc = "Normalisation before the activation; null for none."),
    REAL("dropout", struct layer_spec, dropout, .def = "0.1", .min = 0, .max = 0.95,
         .doc = "Chance that a unit is silenced during a training step."),
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
         .doc = "Hidden layers from the input on; the output layer follows from the task."),
    PICK("init", struct model_spec, init, .table = &init_table, .def = "\"kaiming_uniform\"",
         .doc = "Distribution of the first weights."),
    {0},
};
static const struct schema model_schema = {.name = "Model", .field = model_fields};

static const struct field regularization_fields[] = {
    REAL("gradient_clip_norm", struct train_spec, clip_norm, .nullable = true, .def = "1.0",
         .above_min = true, .max = 1e6, .alias = {"max_grad_norm"},
         .doc = "Longest gradient of a step; longer ones are shortened. Null for no limit."),
    {0},
};
static const struct schema regularization_schema = {.name = "Regularization",
                                                    .field = regularization_fields};

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
           .doc = "What is watched: val_loss, or a metric with val_ in front, such as val_rmse or "
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
        .alias = {"max_iter", "num_epochs"}, .doc = "Passes over the training rows, at most."),
    INT("batch_size", struct train_spec, batch_size, .def = "\"auto\"", .zero = "auto", .min = 1,
        .max = 1 << 20, .doc = "Rows per step; auto chooses by the number of rows."),
    PART("early_stopping", .sub = &stopping_schema, .nullable = true, .def = "{}",
         .on = AT(struct train_spec, patience, int),
         .doc = "Stop when the validation rows show no more progress; null trains to the end."),
    INT("threads", struct train_spec, threads, .def = "1", .min = 1, .max = 64,
        .doc = "Threads that train this job; the result does not depend on it."),
    {0},
};
static const struct schema training_schema = {.name = "Training", .field = training_fields};

static void check_job(const void *spec, const char *at, struct faults *f)
{
    const struct job_spec *s = spec;
    (void)at;
    if (s->dataset && s->data.at)
        fault_add(f, "conflicting_fields", "/data", "cannot be given together with \"dataset\"");
    if (!s->dataset && !s->data.at)
        fault_add(f, "missing_field", "/dataset",
                  "must name a dataset, or the table must be given as \"data\"");
    if (!s->prep.n_target && !inline_targets(s->data))
        fault_add(f, "missing_field", "/target", "must name the column to predict");
}

static const struct field class_weight_fields[] = {
    STRING("class", struct class_weight, name, .doc = "Name of a class."),
    REAL("weight", struct class_weight, weight, .above_min = true, .max = 1e6,
         .doc = "How much its rows count; 1 for classes that are not named."),
    {0},
};
static const struct schema class_weight_schema = {
    .name = "ClassWeight",
    .field = class_weight_fields,
    .size = sizeof(struct class_weight),
};

static const struct field job_fields[] = {
    NAME("name", struct job_spec, name, .nullable = true,
         .doc = "Name of the model that comes out; the dataset's when not given."),
    NAME("dataset", struct job_spec, dataset, .nullable = true,
         .doc = "A dataset that was uploaded before."),
    RAW("data", struct job_spec, data, .nullable = true, .of = FIELD_OBJECT, .sub = &inline_schema,
        .doc = "The table itself, in place of a dataset."),
    LIST("target", struct job_spec, prep.target, prep.n_target, const char *, .of = FIELD_STRING,
         .nullable = true, .one = true, .min = 1, .max = TARGETS_MAX,
         .alias = {"response_column", "label", "targets"},
         .doc = "The column to predict, or several in an array; \"y\" when data is given as x and "
                "y."),
    WORD("task", struct job_spec, prep.task, enum task, .names = task_words, .def = "\"auto\"",
         .doc = "What is predicted: numbers, one of several classes, labels that are yes or no "
                "each, or shares that sum to one; auto decides by the target columns."),
    STRING("weights", struct job_spec, prep.weights, .nullable = true,
           .alias = {"sample_weight", "weights_column"},
           .doc = "Column with the weight of each row in training; 0 leaves a row out."),
    MAP("class_weight", struct job_spec, prep.class_weight, prep.n_class_weight,
        struct class_weight, .sub = &class_weight_schema, .nullable = true, .zero = "balanced",
        .on = AT(struct job_spec, prep.balanced, bool), .max = CLASSES_MAX,
        .doc = "How much the rows of each class count; balanced gives all classes the same sum."),
    OBJECT("features", struct job_spec, prep, struct data_spec, .sub = &features_schema,
           .doc = "Which columns to learn from."),
    OBJECT("split", struct job_spec, prep, struct data_spec, .sub = &split_schema,
           .doc = "Which rows are for what."),
    OBJECT("preprocessing", struct job_spec, prep, struct data_spec, .sub = &preprocessing_schema,
           .doc = "How columns become numbers."),
    OBJECT("model", struct job_spec, model, struct model_spec, .sub = &model_schema,
           .doc = "The network."),
    PICK("loss", struct job_spec, train.loss, .table = &loss_table, .nullable = true,
         .doc = "What training makes small; null for what the task asks for."),
    PICK("optimizer", struct job_spec, train.optimizer, .table = &optimizer_table,
         .def = "\"adamw\"", .alias = {"solver"}, .doc = "Update rule."),
    PICK("schedule", struct job_spec, train.schedule, .table = &schedule_table,
         .def = "{\"type\": \"cosine\", \"warmup\": 0.05}",
         .doc = "Learning rate over time, as a share of the optimizer's."),
    OBJECT("regularization", struct job_spec, train, struct train_spec,
           .sub = &regularization_schema, .doc = "What keeps the network in bounds."),
    OBJECT("training", struct job_spec, train, struct train_spec, .sub = &training_schema,
           .doc = "How long, in which steps."),
    SEED("seed", struct job_spec, train.seed, .def = "0", .alias = {"random_state"},
         .doc = "Decides weights, shuffles and dropout: the same seed gives the same model."),
    INT("priority", struct job_spec, priority, .def = "0", .min = -100, .max = 100,
        .doc = "Jobs of higher priority run earlier."),
    RAW("metadata", struct job_spec, metadata, .nullable = true, .of = FIELD_OBJECT,
        .max = METADATA_MAX, .doc = "Anything of the client's own; kept as it is."),
    {0},
};
const struct schema job_schema = {
    .name = "JobDefinition",
    .doc = "What to train on which data. Everything but the data and the target has a default.",
    .field = job_fields,
    .size = sizeof(struct job_spec),
    .max = JOB_DEFINITION_MAX,
    .check = check_job,
};

// The targets of data given as x and y.
static bool name_targets(struct job_spec *spec, struct arena *a, struct err *e)
{
    size_t n = spec->prep.n_target = inline_targets(spec->data);
    if (n > TARGETS_MAX)
        return fail_at(e, ERR_INVALID, "/data/y", "must have at most %d targets, got %zu",
                       TARGETS_MAX, n);
    spec->prep.target = inline_target_names(n, a);
    return spec->prep.target || fail(e, ERR_TOO_LARGE, "the definition needs too much memory");
}

static bool read_and_resolve(const struct schema *s, const char *body, size_t len,
                             struct job_spec *spec, struct arena *a, struct faults *f,
                             struct err *e)
{
    if (!schema_read(s, body, len, spec, a, f, e))
        return false;
    if (!spec->name)
        spec->name = spec->dataset;
    if (!spec->prep.n_target && !name_targets(spec, a, e))
        return false;
    if (spec->prep.validation == 0)
        spec->train.patience = 0;
    if (spec->train.patience == 0)
        spec->train.monitor = "val_loss";
    return true;
}

bool job_spec_read(const char *body, size_t len, struct job_spec *spec, struct arena *a,
                   struct faults *f, struct err *e)
{
    return read_and_resolve(&job_schema, body, len, spec, a, f, e);
}

bool job_spec_read_stored(const char *text, struct job_spec *spec, struct arena *a,
                          struct faults *f, struct err *e)
{
    struct schema stored = job_schema;
    stored.check = NULL;
    return read_and_resolve(&stored, text, strlen(text), spec, a, f, e);
}

void job_spec_write(struct jsonw *w, const char *key, const struct job_spec *spec)
{
    schema_write(&job_schema, spec, w, key);
}
