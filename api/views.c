// SPDX-License-Identifier: MIT
// Shapes of replies, row by row: see views.h.

#include "views.h"

#include "spec.h"

#define TEXT_(k, ...)                                                                              \
    {                                                                                              \
        .key = k, .type = FIELD_STRING, __VA_ARGS__                                                \
    }
#define WHOLE_(k, ...)                                                                             \
    {                                                                                              \
        .key = k, .type = FIELD_INT, __VA_ARGS__                                                   \
    }
#define NUMBER_(k, ...)                                                                            \
    {                                                                                              \
        .key = k, .type = FIELD_REAL, __VA_ARGS__                                                  \
    }
#define OBJECT_(k, s, ...)                                                                         \
    {                                                                                              \
        .key = k, .type = FIELD_OBJECT, .sub = &s, __VA_ARGS__                                     \
    }
#define ITEMS_(k, s, ...)                                                                          \
    {                                                                                              \
        .key = k, .type = FIELD_LIST, .of = FIELD_OBJECT, .sub = &s, __VA_ARGS__                   \
    }
#define TEXTS_(k, ...)                                                                             \
    {                                                                                              \
        .key = k, .type = FIELD_LIST, .of = FIELD_STRING, __VA_ARGS__                              \
    }
#define ANY_(k, ...)                                                                               \
    {                                                                                              \
        .key = k, .type = FIELD_RAW, __VA_ARGS__                                                   \
    }
#define FIELDS(name) static const struct field name##_fields[]
#define VIEW(n, title, text)                                                                       \
    const struct schema n##_view = {.name = title, .doc = text, .field = n##_fields, .reply = true}

// A list of the objects `item`.
#define LIST_VIEW(n, item, title, text)                                                            \
    FIELDS(n) = {                                                                                  \
        TEXT_("object", .names = list_words, .doc = "Always list."),                               \
        ITEMS_("data", item, .doc = "Newest first."),                                              \
        {.key = "has_more", .type = FIELD_BOOL, .doc = "Whether older ones exist."},               \
        ANY_("first_id", .optional = true, .doc = "Id of the first one, or null."),                \
        ANY_("last_id", .optional = true, .doc = "Id of the last one, for \"after\"; or null."),   \
        {0},                                                                                       \
    };                                                                                             \
    VIEW(n, title, text)

static const char *const list_words[] = {"list", NULL};
static const char *const job_words[] = {"job", NULL};
static const char *const dataset_words[] = {"dataset", NULL};
static const char *const model_words[] = {"model", NULL};
static const char *const task_words[] = {"regression", "classification", NULL};
static const char *const type_words[] = {"numeric", "categorical", NULL};
static const char *const status_words[] = {"queued", "running",    "pausing",
                                           "paused", "cancelling", "succeeded",
                                           "failed", "cancelled",  NULL};

FIELDS(progress) = {
    NUMBER_("fraction", .max = 1, .doc = "Share of the work that is done."),
    WHOLE_("epoch", .doc = "Epochs that are done."),
    WHOLE_("epochs", .doc = "Epochs there will be at most."),
    WHOLE_("step", .optional = true, .doc = "Steps that are done."),
    WHOLE_("steps", .optional = true, .doc = "Steps there will be at most."),
    {0},
};
static VIEW(progress, "Progress", "How far a job is.");

FIELDS(job_error) = {
    TEXT_("code", .doc = "Stable word for the kind of failure, such as diverged."),
    TEXT_("message", .doc = "What happened."),
    TEXT_("param", .nullable = true, .optional = true,
          .doc = "JSON Pointer to the field at fault, or null."),
    {0},
};
static VIEW(job_error, "JobError", "Why a job failed.");

FIELDS(best) = {
    WHOLE_("epoch", .doc = "The epoch whose weights are kept."),
    TEXT_("metric", .doc = "The metric that was watched."),
    NUMBER_("value", .nullable = true, .doc = "Its value there."),
    {0},
};
static VIEW(best, "Best", "The best epoch so far.");

FIELDS(model_ref) = {
    TEXT_("name", .doc = "The model's name."),
    WHOLE_("version", .doc = "Its version."),
    {0},
};
static VIEW(model_ref, "ModelReference", "The model that came out of a job.");

FIELDS(job) = {
    WHOLE_("id", .doc = "Number of the job."),
    TEXT_("object", .names = job_words, .doc = "Always job."),
    TEXT_("name", .nullable = true, .doc = "Name of the model that comes out."),
    TEXT_("status", .names = status_words, .doc = "Where the job stands."),
    TEXT_("phase", .nullable = true, .optional = true, .doc = "What a running job is doing."),
    TEXT_("dataset", .nullable = true, .doc = "Name of the dataset, null for inline data."),
    TEXT_("dataset_digest", .nullable = true, .optional = true,
          .doc = "SHA-256 of the very data the job uses."),
    NUMBER_("created_at", .doc = "When it was submitted, in Unix seconds."),
    NUMBER_("queued_at", .nullable = true, .optional = true, .doc = "When it was last queued."),
    NUMBER_("started_at", .nullable = true, .doc = "When a worker began."),
    NUMBER_("finished_at", .nullable = true, .doc = "When it ended."),
    WHOLE_("queue_position", .nullable = true, .optional = true, .doc = "Jobs that run before it."),
    WHOLE_("attempt", .optional = true, .doc = "How many times a worker has begun it."),
    OBJECT_("progress", progress_view, .nullable = true, .doc = "How far it is."),
    NUMBER_("eta_seconds", .nullable = true, .optional = true, .doc = "Seconds it may still take."),
    NUMBER_("estimated_finish", .nullable = true, .optional = true,
            .doc = "When it may end, in Unix seconds."),
    OBJECT_("best", best_view, .nullable = true, .doc = "The best epoch so far."),
    OBJECT_("error", job_error_view, .nullable = true, .doc = "Why it failed."),
    OBJECT_("model", model_ref_view, .nullable = true, .doc = "What came out."),
    ANY_("scores", .optional = true, .doc = "Metrics of the test rows, in the target's units."),
    ANY_("seed", .optional = true, .doc = "Its seed."),
    ANY_("priority", .optional = true, .doc = "Its priority."),
    ANY_("definition", .optional = true, .doc = "The job definition with every default resolved."),
    ANY_("metadata", .doc = "The client's own, or null."),
    ANY_("urls", .of = FIELD_OBJECT, .optional = true, .doc = "Where to go on from here."),
    {0},
};
VIEW(job, "Job", "A training job.");
LIST_VIEW(job_list, job_view, "JobList", "Training jobs.");

FIELDS(metrics) = {
    ANY_("columns", .of = FIELD_OBJECT,
         .doc = "Columns of equal length by name: epoch, train_loss, val_loss and the task's "
                "metrics with val_ in front; null where there is no value."),
    {0},
};
const struct schema metrics_view = {
    .name = "Metrics",
    .doc = "A job's curves, a value per epoch. Losses are in training units, metrics in the "
           "target's own.",
    .field = metrics_fields,
    .reply = true,
    .open = true,
};

FIELDS(column) = {
    TEXT_("name", .doc = "Its name."),
    TEXT_("type", .names = type_words, .doc = "Its inferred type."),
    WHOLE_("missing", .doc = "Cells without a value."),
    NUMBER_("min", .nullable = true, .optional = true, .doc = "Least number."),
    NUMBER_("max", .nullable = true, .optional = true, .doc = "Largest number."),
    NUMBER_("mean", .nullable = true, .optional = true, .doc = "Mean of the numbers."),
    NUMBER_("std", .nullable = true, .optional = true, .doc = "Standard deviation of the numbers."),
    WHOLE_("distinct", .optional = true, .doc = "Number of distinct texts."),
    TEXTS_("levels", .optional = true, .doc = "The first distinct texts."),
    {0},
};
static VIEW(column, "Column", "A column of a dataset.");

FIELDS(dataset) = {
    TEXT_("name", .doc = "Its name."),
    TEXT_("object", .names = dataset_words, .doc = "Always dataset."),
    WHOLE_("version", .doc = "Counts the uploads under this name."),
    TEXT_("digest", .doc = "SHA-256 of the uploaded bytes."),
    NUMBER_("bytes", .doc = "Size of the upload."),
    NUMBER_("created_at", .doc = "When it was uploaded, in Unix seconds."),
    NUMBER_("rows", .doc = "Number of rows."),
    ITEMS_("columns", column_view, .optional = true, .doc = "Its columns, in order."),
    {0},
};
const struct schema dataset_view = {.name = "Dataset",
                                    .doc = "A stored table.",
                                    .field = dataset_fields,
                                    .reply = true,
                                    .open = true};
LIST_VIEW(dataset_list, dataset_view, "DatasetList", "Stored tables.");

FIELDS(model) = {
    TEXT_("name", .doc = "Its name."),
    TEXT_("object", .names = model_words, .doc = "Always model."),
    WHOLE_("version", .doc = "Counts the successes under this name."),
    WHOLE_("job_id", .doc = "The job it came from."),
    TEXT_("task", .names = task_words, .doc = "What it predicts."),
    TEXT_("target", .optional = true, .doc = "The column it predicts."),
    NUMBER_("created_at", .doc = "When it was finished, in Unix seconds."),
    NUMBER_("bytes", .optional = true, .doc = "Size of its file."),
    NUMBER_("parameters", .optional = true, .doc = "Number of weights."),
    TEXT_("digest", .optional = true, .doc = "SHA-256 of its file."),
    ITEMS_("inputs", column_view, .optional = true, .doc = "Columns it wants, in order."),
    TEXTS_("classes", .optional = true, .nullable = true, .doc = "What it tells apart."),
    ANY_("scores", .optional = true, .doc = "Metrics of the test rows."),
    {0},
};
const struct schema model_view = {
    .name = "Model", .doc = "A trained model.", .field = model_fields, .reply = true, .open = true};
LIST_VIEW(model_list, model_view, "ModelList", "Trained models.");

FIELDS(prediction) = {
    NUMBER_("value", .optional = true, .doc = "Regression: the predicted value."),
    TEXT_("class", .optional = true, .doc = "Classification: the most likely class."),
    ANY_("probabilities", .of = FIELD_OBJECT, .optional = true,
         .doc = "Classification: the probability of every class."),
    {0},
};
static VIEW(prediction, "Prediction", "The answer for one row.");

FIELDS(predict) = {
    TEXT_("model", .nullable = true, .doc = "The model that answered; null for a job without one."),
    WHOLE_("version", .nullable = true, .doc = "Its version."),
    ITEMS_("predictions", prediction_view, .doc = "One for each instance, in order."),
    {0},
};
VIEW(predict, "Predictions", "Answers for a batch of rows.");

FIELDS(health) = {
    TEXT_("status", .doc = "Always ok when there is an answer."),
    TEXT_("version", .optional = true, .doc = "Version of the server."),
    {0},
};
const struct schema health_view = {.name = "Health",
                                   .doc = "The server is alive.",
                                   .field = health_fields,
                                   .reply = true,
                                   .open = true};

FIELDS(fault) = {
    TEXT_("pointer", .doc = "JSON Pointer into the request's body, after a #."),
    TEXT_("code", .doc = "Stable word, such as out_of_range."),
    TEXT_("detail", .doc = "What is wrong and what would be right."),
    {0},
};
static VIEW(fault, "Fault", "One thing that is wrong with a request.");

FIELDS(problem) = {
    TEXT_("type", .doc = "Path that stands for this kind of problem."),
    TEXT_("title", .doc = "The kind in words."),
    WHOLE_("status", .doc = "The HTTP status."),
    TEXT_("detail", .optional = true, .doc = "What happened this time."),
    TEXT_("code", .optional = true, .doc = "Stable word for the kind."),
    ITEMS_("errors", fault_view, .optional = true, .doc = "Everything that is wrong, by place."),
    WHOLE_("more_errors", .optional = true, .doc = "Further ones that are not listed."),
    {0},
};
VIEW(problem, "Problem", "Why a request failed (RFC 9457).");

static const struct field predict_request_fields[] = {
    NAME("model", struct predict_request, model, .nullable = true,
         .doc = "Name of a model; not needed when the path names one."),
    INT("version", struct predict_request, version, .nullable = true, .min = 1, .max = 1e9,
        .doc = "Version of the model; the latest when not given."),
    INT("job", struct predict_request, job, .nullable = true, .min = 1, .max = INT32_MAX,
        .doc = "Number of a job, in place of a model."),
    RAW("instances", struct predict_request, instances, .required = true, .of = FIELD_LIST,
        .doc = "Rows to predict: objects with the model's columns as keys, or arrays of cells in "
               "their order. Null is a missing value."),
    {0},
};
const struct schema predict_request_schema = {
    .name = "PredictRequest",
    .doc = "Rows to predict.",
    .field = predict_request_fields,
    .size = sizeof(struct predict_request),
};
