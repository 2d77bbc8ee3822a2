// SPDX-License-Identifier: MIT
// The rows of a job definition that are about data and the job as a whole: see job_schema.h. To add
// a setting, add a member to a spec and a row here or in job_schema_train.c. The nesting is the
// client's; where a value goes is the row's own business, so "features", "split" and
// "preprocessing" all fill struct data_spec.

#include "api/schema/job_schema.h"

#include "api/schema/foreign.h"
#include "api/schema/inline.h"
#include "api/schema/job_parts.h"
#include "engine/nn/role.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "engine/table/task.h"

#include <inttypes.h>
#include <string.h>

enum { METADATA_MAX = 16 << 10 };

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
         .doc = "Type of the column."),
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
         .doc = "Columns that are not used as inputs."),
    MAP("types", struct data_spec, type, n_type, struct column_override, .sub = &override_schema,
        .max = COLUMNS_MAX, .def = "{}",
        .doc = "Types of columns, numeric or categorical, in place of the inferred ones."),
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
         .doc = "Share of the rows for early stopping, the best epoch and the validation curves."),
    REAL("test", struct data_spec, test, .def = "0.15", .min = 0, .max = 0.9,
         .doc = "Share of the rows for the final test score."),
    BOOL("stratify", struct data_spec, stratify, .def = "true",
         .doc = "Split every class in the same proportions; has no effect on a regression."),
    SEED("seed", struct data_spec, split_seed, .def = "0",
         .doc = "Seed of the split: the same seed gives the same split."),
    {0},
};
static const struct schema split_schema = {
    .name = "Split", .field = split_fields, .check = check_split};

static const struct field preprocessing_fields[] = {
    WORD("numeric", struct data_spec, numeric, enum numeric_prep, .names = numeric_words,
         .def = "\"standard\"",
         .doc = "Standardize numeric columns to mean 0 and standard deviation 1, or use them as "
                "they are."),
    WORD("missing", struct data_spec, missing, enum missing_prep, .names = missing_words,
         .def = "\"mean+indicator\"",
         .doc = "Replace a missing number by the mean, with or without a 0/1 indicator column."),
    WORD("categorical", struct data_spec, categorical, enum categorical_prep,
         .names = categorical_words, .def = "\"one_hot\"",
         .doc = "One 0/1 input for each frequent level and one for all other values."),
    {0},
};
static const struct schema preprocessing_schema = {.name = "Preprocessing",
                                                   .field = preprocessing_fields};

static const char *const kind_words[] = {
#define JOB_KIND(name, part, result) [KIND_##name] = #name,
#include "api/schema/job_kind.def"
    NULL,
};

#define JOB_KIND(k, part, result) part(k)
#define KIND_NONE(k)
#define KIND_PART(k)                                                                               \
    {                                                                                              \
        .key = #k,                                                                                 \
        .type = FIELD_OBJECT,                                                                      \
        .at = offsetof(struct job_spec, part[KIND_##k]),                                           \
        .sub = &job_part_##k,                                                                      \
        .only = &(const struct field_case){offsetof(struct job_spec, kind), KIND_##k},             \
        .doc = "Parameters of a job of kind " #k ".",                                              \
    },

static const struct field init_fields[] = {
    NAME("from", struct job_spec, from, .required = true,
         .doc = "The model to start from. Its preprocessing is used too. The output layer gets new "
                "weights when the target differs."),
    INT("version", struct job_spec, from_version, .nullable = true, .min = 1, .max = 1e9,
        .doc = "Version of that model; the latest when not given."),
    {0},
};
static const struct schema init_schema = {.name = "Init", .field = init_fields};

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
         .doc = "Weight of its rows; 1 for classes that are not listed."),
    {0},
};
static const struct schema class_weight_schema = {
    .name = "ClassWeight",
    .field = class_weight_fields,
    .size = sizeof(struct class_weight),
};

static const struct field job_fields[] = {
    WORD("kind", struct job_spec, kind, enum job_kinds, .names = kind_words, .def = "\"train\"",
         .doc = "What the job does; the job kinds are listed below."),
    NAME("name", struct job_spec, name, .nullable = true,
         .doc = "Name of the model; the dataset's when not given."),
    NAME("dataset", struct job_spec, dataset, .nullable = true,
         .doc = "Name of an uploaded dataset."),
    RAW("data", struct job_spec, data, .nullable = true, .of = FIELD_OBJECT, .sub = &inline_schema,
        .doc = "The table itself, instead of a dataset."),
    LIST("target", struct job_spec, prep.target, prep.n_target, const char *, .of = FIELD_STRING,
         .nullable = true, .one = true, .min = 1, .max = TARGETS_MAX,
         .alias = {"response_column", "label", "targets"},
         .doc = "The column to predict, or an array of several; \"y\" when the data has x and y."),
    WORD("task", struct job_spec, prep.task, int, .names = task_words, .def = "\"auto\"",
         .doc = "What to predict: numbers, one of several classes, labels that are each yes or no, "
                "or proportions that sum to one; auto decides by the target columns."),
    LIST("classes", struct job_spec, prep.class_name, prep.n_class_name, const char *,
         .of = FIELD_STRING, .nullable = true, .min = 1, .max = CLASSES_MAX,
         .doc = "All classes of the target in their order; by default those that occur, numbers by "
                "value, else alphabetically."),
    STRING("weights", struct job_spec, prep.weights, .nullable = true,
           .alias = {"sample_weight", "weights_column"},
           .doc = "Column with the weight of each row; rows of weight 0 are left out."),
    MAP("class_weight", struct job_spec, prep.class_weight, prep.n_class_weight,
        struct class_weight, .sub = &class_weight_schema, .nullable = true, .zero = "balanced",
        .on = AT(struct job_spec, prep.balanced, bool), .max = CLASSES_MAX,
        .doc =
            "Weight of the rows of each class; balanced gives all classes the same total weight."),
    OBJECT("features", struct job_spec, prep, struct data_spec, .sub = &features_schema,
           .doc = "Which columns are inputs, and their types."),
    OBJECT("split", struct job_spec, prep, struct data_spec, .sub = &split_schema,
           .doc = "Division of the rows into training, validation and test rows."),
    OBJECT("preprocessing", struct job_spec, prep, struct data_spec, .sub = &preprocessing_schema,
           .doc = "How columns become inputs of the network."),
    OBJECT("model", struct job_spec, model, struct model_spec, .sub = &model_schema,
           .given = AT(struct job_spec, own_model, bool), .doc = "The network."),
#include "api/schema/job_kind.def"
    PART("init", .sub = &init_schema, .nullable = true,
         .on = AT(struct job_spec, from_version, int),
         .doc = "Start from the weights of a model instead of random ones; without \"model\", its "
                "layers are used too."),
    PICK("loss", struct job_spec, train.loss, .table = &loss_table, .nullable = true,
         .doc = "Loss function; null for the usual one of the task."),
    PICK("optimizer", struct job_spec, train.optimizer, .table = &optimizer_table,
         .def = "\"adamw\"", .doc = "Optimizer and its hyperparameters."),
    PICK("schedule", struct job_spec, train.schedule, .table = &schedule_table,
         .def = "{\"type\": \"cosine\", \"warmup\": 0.05}",
         .doc = "Learning rate schedule: the factor of the optimizer's lr over time."),
    LIST("param_groups", struct job_spec, train.group, train.n_group, struct param_group,
         .of = FIELD_OBJECT, .sub = &group_schema, .max = GROUPS_MAX, .def = "[]",
         .doc = "Parameters with their own learning rate and weight decay; the first group that "
                "matches counts."),
    PART("regularization", .sub = &regularization_schema,
         .doc = "Penalties, limits and noise against overfitting and instability."),
    OBJECT("training", struct job_spec, train, struct train_spec, .sub = &training_schema,
           .doc = "Length, batches and early stopping."),
    SEED("seed", struct job_spec, train.seed, .def = "0",
         .doc =
             "Seed of initial weights, shuffling and dropout: the same seed gives the same model."),
    INT("priority", struct job_spec, priority, .def = "0", .min = -100, .max = 100,
        .doc = "Jobs of higher priority run first."),
    RAW("metadata", struct job_spec, metadata, .nullable = true, .of = FIELD_OBJECT,
        .max = METADATA_MAX, .doc = "Any object of the client's own; stored as it is."),
    {0},
};

const struct schema *const job_results[] = {
#define JOB_KIND(k, part, result) result(k)
#define KIND_NONE(k)
#define KIND_FINDS(k) &job_result_##k,
#include "api/schema/job_kind.def"
    NULL,
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

// What a definition without early stopping means.
static void resolve_stopping(struct job_spec *spec)
{
    if (spec->train.patience == 0)
        spec->train.monitor = "val_loss";
}

bool job_spec_read(const char *body, size_t len, struct job_spec *spec, struct arena *a,
                   struct faults *f, struct err *e)
{
    if (!schema_read(&job_schema, body, len, spec, a, f, e))
        return false;
    if (!spec->name)
        spec->name = spec->dataset;
    if (!spec->prep.n_target && !name_targets(spec, a, e))
        return false;
    if (spec->prep.validation == 0)
        spec->train.patience = 0;
    resolve_stopping(spec);
    return true;
}

bool job_spec_read_stored(const char *text, int64_t version, struct job_spec *spec, struct arena *a,
                          struct err *e)
{
    struct schema stored = job_schema;
    struct faults f;
    struct err why = {0};
    stored.check = NULL;
    faults_init(&f, a);
    if (version != JOB_STORED_VERSION)
        return fail(e, ERR_INVALID,
                    "the stored definition was written by another version of mlpd (%" PRId64
                    "), this one reads %d",
                    version, JOB_STORED_VERSION);
    if (schema_read_exact(&stored, text, spec, a, &f, &why)) {
        resolve_stopping(spec);
        return true;
    }
    if (why.kind != ERR_INVALID && why.kind != ERR_MALFORMED)
        return err_pass(e, &why);
    return f.n ? fail(e, ERR_INVALID, "the stored definition is damaged: %s: %s", f.item[0].pointer,
                      f.item[0].detail)
               : fail(e, ERR_INVALID, "the stored definition is damaged: %s", why.text);
}

void job_spec_write(struct jsonw *w, const char *key, const struct job_spec *spec)
{
    schema_write(&job_schema, spec, w, key);
}
