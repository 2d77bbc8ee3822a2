// SPDX-License-Identifier: MIT
// The rows of a job definition that are about data and the job as a whole: see job_schema.h. To add
// a setting, add a member to a spec and a row here or in job_schema_train.c. The nesting is the
// client's; where a value goes is the row's own business, so "features", "split" and
// "preprocessing" all fill struct data_spec.

#include "job_schema.h"

#include "foreign.h"
#include "inline.h"
#include "job_schema_own.h"
#include "tables.h"

#include <string.h>

enum { COLUMNS_MAX = 16384, METADATA_MAX = 16 << 10 };

static const char *const task_words[] = {
    [TASK_AUTO] = "auto",
    [TASK_REGRESSION] = "regression",
    [TASK_CLASSIFICATION] = "classification",
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

static void check_job(const void *spec, const char *at, struct faults *f)
{
    const struct job_spec *s = spec;
    (void)at;
    if (s->dataset && s->data.at)
        fault_add(f, "conflicting_fields", "/data", "cannot be given together with \"dataset\"");
    if (!s->dataset && !s->data.at)
        fault_add(f, "missing_field", "/dataset",
                  "must name a dataset, or the table must be given as \"data\"");
    if (!s->prep.target && !inline_target(s->data))
        fault_add(f, "missing_field", "/target", "must name the column to predict");
}

static const struct field job_fields[] = {
    NAME("name", struct job_spec, name, .nullable = true,
         .doc = "Name of the model that comes out; the dataset's when not given."),
    NAME("dataset", struct job_spec, dataset, .nullable = true,
         .doc = "A dataset that was uploaded before."),
    RAW("data", struct job_spec, data, .nullable = true, .of = FIELD_OBJECT, .sub = &inline_schema,
        .doc = "The table itself, in place of a dataset."),
    STRING("target", struct job_spec, prep.target, .nullable = true,
           .alias = {"response_column", "label"},
           .doc = "The column to predict; \"y\" when data is given as x and y."),
    WORD("task", struct job_spec, prep.task, enum task, .names = task_words, .def = "\"auto\"",
         .doc = "What is predicted; auto decides by the target column."),
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
         .def = "\"adamw\"", .doc = "Update rule."),
    PICK("schedule", struct job_spec, train.schedule, .table = &schedule_table,
         .def = "{\"type\": \"cosine\", \"warmup\": 0.05}",
         .doc = "Learning rate over time, as a share of the optimizer's."),
    LIST("param_groups", struct job_spec, train.group, train.n_group, struct param_group,
         .of = FIELD_OBJECT, .sub = &group_schema, .max = GROUPS_MAX, .def = "[]",
         .doc =
             "Parameters that learn at a pace of their own; the first group that matches counts."),
    PART("regularization", .sub = &regularization_schema,
         .doc = "What keeps the network in bounds."),
    OBJECT("training", struct job_spec, train, struct train_spec, .sub = &training_schema,
           .doc = "How long, in which steps."),
    SEED("seed", struct job_spec, train.seed, .def = "0",
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
    .rewrite = foreign_rewrite,
    .rewrites = foreign_name,
};

static bool read_and_resolve(const struct schema *s, const char *body, size_t len,
                             struct job_spec *spec, struct arena *a, struct faults *f,
                             struct err *e)
{
    if (!schema_read(s, body, len, spec, a, f, e))
        return false;
    if (!spec->name)
        spec->name = spec->dataset;
    if (!spec->prep.target)
        spec->prep.target = inline_target(spec->data);
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
