// SPDX-License-Identifier: MIT
// Shapes of replies, row by row: see views.h. OpenAPI prints them, and the end-to-end tests hold
// every reply to them, so a member that is not described here is found by the first test that meets
// it.

#include "api/views/views.h"

#include "api/schema/job_schema.h"
#include "api/views/view_rows.h"

#include "engine/base/spec.h"
#include "engine/table/task.h"

// A list of the objects `item`.
#define LIST_VIEW(n, item, order, title, text)                                                     \
    FIELDS(n) = {                                                                                  \
        V_TEXT("object", .names = list_words, .doc = "Always list."),                              \
        V_ITEMS("data", item, .doc = order),                                                       \
        {.key = "has_more", .type = FIELD_BOOL, .doc = "Whether older ones exist."},               \
        V_ANY("first_id", .optional = true, .doc = "Id of the first one, or null."),               \
        V_ANY("last_id", .optional = true, .doc = "Id of the last one, for \"after\"; or null."),  \
        {0},                                                                                       \
    };                                                                                             \
    VIEW(n, title, text)

static const char *const list_words[] = {"list", NULL};
static const char *const job_words[] = {"job", NULL};
static const char *const dataset_words[] = {"dataset", NULL};
static const char *const model_words[] = {"model", NULL};
static const char *const type_words[] = {"numeric", "categorical", NULL};
static const char *const status_words[] = {"queued", "running",    "pausing",
                                           "paused", "cancelling", "succeeded",
                                           "failed", "cancelled",  NULL};

FIELDS(progress) = {
    V_NUMBER("fraction", .max = 1, .doc = "Share of the work that is done."),
    V_WHOLE("epoch", .doc = "Epochs that are done."),
    V_WHOLE("epochs", .doc = "Epochs there will be at most."),
    V_WHOLE("step", .optional = true, .doc = "Steps that are done."),
    V_WHOLE("steps", .optional = true, .doc = "Steps there will be at most."),
    {0},
};
static VIEW(progress, "Progress", "How far a job is.");

FIELDS(job_error) = {
    V_TEXT("code", .doc = "Stable word for the kind of failure, such as diverged."),
    V_TEXT("message", .doc = "What happened."),
    V_TEXT("param", .nullable = true, .optional = true,
           .doc = "JSON Pointer to the field at fault, or null."),
    {0},
};
static VIEW(job_error, "JobError", "Why a job failed.");

FIELDS(best) = {
    V_WHOLE("epoch", .doc = "The epoch whose weights are kept."),
    V_TEXT("metric", .doc = "The metric that was watched."),
    V_NUMBER("value", .nullable = true, .doc = "Its value there."),
    {0},
};
static VIEW(best, "Best", "The best epoch so far.");

FIELDS(model_ref) = {
    V_TEXT("name", .doc = "The model's name."),
    V_WHOLE("version", .doc = "Its version."),
    {0},
};
static VIEW(model_ref, "ModelReference", "The model that came out of a job.");

FIELDS(job) = {
    V_WHOLE("id", .doc = "Number of the job."),
    V_TEXT("object", .names = job_words, .doc = "Always job."),
    V_TEXT("name", .nullable = true, .doc = "Name of the model that comes out."),
    V_TEXT("status", .names = status_words, .doc = "Where the job stands."),
    V_TEXT("phase", .nullable = true, .optional = true, .doc = "What a running job is doing."),
    V_TEXT("dataset", .nullable = true, .doc = "Name of the dataset, null for inline data."),
    V_TEXT("dataset_digest", .nullable = true, .optional = true,
           .doc = "SHA-256 of the very data the job uses."),
    V_NUMBER("created_at", .doc = "When it was submitted, in Unix seconds."),
    V_NUMBER("queued_at", .nullable = true, .optional = true, .doc = "When it was last queued."),
    V_NUMBER("started_at", .nullable = true, .doc = "When a worker began."),
    V_NUMBER("finished_at", .nullable = true, .doc = "When it ended."),
    V_NUMBER("run_at", .nullable = true, .optional = true,
             .doc = "When a queued job that pauses after a run that was lost may begin again; null "
                    "when at once."),
    V_WHOLE("queue_position", .nullable = true, .optional = true,
            .doc = "Queued jobs in front of it by priority, then age; 0 for the next to run."),
    V_WHOLE("attempt", .optional = true, .doc = "How many times a worker has begun it."),
    V_WHOLE("crashes", .optional = true,
            .doc = "Runs that ended by a failure of the server; the third fails the job. A lack "
                   "of memory or descriptors is none: it is tried again later."),
    V_WHOLE("deaths", .optional = true,
            .doc = "Runs that ended with the daemon; the third in a row without a stored epoch "
                   "fails the job."),
    {.key = "runs_alone",
     .type = FIELD_BOOL,
     .optional = true,
     .doc = "Whether no other job may run beside it, because the daemon died while it ran."},
    V_OBJECT("progress", progress_view, .nullable = true, .doc = "How far it is."),
    V_NUMBER("elapsed_seconds", .optional = true,
             .doc = "Seconds of training in the current or last run, whatever was done to the "
                    "clock."),
    V_NUMBER("eta_seconds", .nullable = true, .optional = true,
             .doc = "Seconds it may still take."),
    V_NUMBER("estimated_finish", .nullable = true, .optional = true,
             .doc = "When it may end, in Unix seconds."),
    V_OBJECT("best", best_view, .nullable = true, .doc = "The best epoch so far."),
    V_OBJECT("error", job_error_view, .nullable = true, .doc = "Why it failed."),
    V_OBJECT("model", model_ref_view, .nullable = true, .doc = "What came out."),
    V_ANY("scores", .optional = true, .doc = "Metrics of the test rows, in the target's units."),
    V_ANY("seed", .optional = true, .doc = "Its seed."),
    V_ANY("priority", .optional = true, .doc = "Its priority."),
    V_ANY("definition", .optional = true, .doc = "The job definition with every default resolved."),
    V_TEXTS("notes", .optional = true,
            .doc = "In the reply to a submission: what became of names that are not the schema's."),
    V_ANY("metadata", .doc = "The client's own, or null."),
    V_ANY("urls", .of = FIELD_OBJECT, .optional = true, .doc = "Where to go on from here."),
    {0},
};
VIEW(job, "Job", "A training job.");
LIST_VIEW(job_list, job_view, "Newest first.", "JobList", "Training jobs.");

static const char *const event_words[] = {"job.event", NULL};

FIELDS(event) = {
    V_WHOLE("id", .doc = "Number of the event; grows with time."),
    V_TEXT("object", .names = event_words, .doc = "Always job.event."),
    V_WHOLE("job_id", .doc = "The job it happened to."),
    V_NUMBER("created_at", .doc = "When it happened, in Unix seconds."),
    V_TEXT("level", .doc = "info, warn or error."),
    V_TEXT("type", .doc = "What it is about, such as state."),
    V_TEXT("message", .doc = "What happened."),
    {0},
};
static VIEW(event, "Event", "Something that happened to a job.");
LIST_VIEW(event_list, event_view, "Oldest first.", "EventList", "What happened to a job.");

FIELDS(gap) = {
    V_WHOLE("from", .doc = "The first epoch that is missing."),
    V_WHOLE("to", .doc = "The last one."),
    {0},
};
static VIEW(gap, "Gap", "Epochs that could not be stored.");

FIELDS(metrics) = {
    V_ANY("columns", .of = FIELD_OBJECT,
          .doc = "Columns of equal length by name: epoch, train_loss, val_loss and the task's "
                 "metrics with val_ in front; null where there is no value."),
    V_ITEMS("gaps", gap_view, .optional = true,
            .doc = "Epochs between those given that are missing, because the disk was full when "
                   "they were to be stored; the job's events tell of them too."),
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
    V_TEXT("name", .doc = "Its name."),
    V_TEXT("type", .names = type_words, .doc = "Its inferred type."),
    V_WHOLE("missing", .doc = "Cells without a value."),
    V_NUMBER("min", .nullable = true, .optional = true, .doc = "Least number."),
    V_NUMBER("max", .nullable = true, .optional = true, .doc = "Largest number."),
    V_NUMBER("mean", .nullable = true, .optional = true, .doc = "Mean of the numbers."),
    V_NUMBER("std", .nullable = true, .optional = true,
             .doc = "Standard deviation of the numbers."),
    V_WHOLE("distinct", .optional = true, .doc = "Number of distinct texts."),
    V_TEXTS("levels", .optional = true, .doc = "The first distinct texts."),
    {0},
};
static VIEW(column, "Column", "A column of a dataset.");

FIELDS(dataset) = {
    V_TEXT("name", .doc = "Its name."),
    V_TEXT("object", .names = dataset_words, .doc = "Always dataset."),
    V_WHOLE("version", .doc = "Counts the uploads under this name."),
    V_TEXT("digest", .doc = "SHA-256 of the uploaded bytes."),
    V_NUMBER("bytes", .doc = "Size of the upload."),
    V_NUMBER("created_at", .doc = "When it was uploaded, in Unix seconds."),
    V_NUMBER("rows", .doc = "Number of rows."),
    V_ITEMS("columns", column_view, .optional = true, .doc = "Its columns, in order."),
    {0},
};
const struct schema dataset_view = {.name = "Dataset",
                                    .doc = "A stored table.",
                                    .field = dataset_fields,
                                    .reply = true,
                                    .open = true};
LIST_VIEW(dataset_list, dataset_view, "Newest first.", "DatasetList", "Stored tables.");

FIELDS(model) = {
    V_TEXT("name", .doc = "Its name."),
    V_TEXT("object", .names = model_words, .doc = "Always model."),
    V_WHOLE("version", .doc = "Counts the successes under this name."),
    V_WHOLE("job_id", .nullable = true, .doc = "The job it came from; null for an imported one."),
    V_TEXT("task", .names = task_words + 1, .doc = "What it predicts."),
    V_TEXT("target", .optional = true, .doc = "The column it predicts, if it is a single one."),
    V_TEXTS("targets", .optional = true, .doc = "The columns it predicts."),
    V_NUMBER("created_at", .doc = "When it was finished, in Unix seconds."),
    V_NUMBER("bytes", .optional = true, .doc = "Size of its file."),
    V_NUMBER("parameters", .optional = true, .doc = "Number of weights."),
    V_TEXT("digest", .optional = true, .doc = "SHA-256 of its file."),
    V_TEXT("weights_sha256", .optional = true,
           .doc = "SHA-256 of its weights alone: the same for any number of threads."),
    V_ITEMS("inputs", column_view, .optional = true, .doc = "Columns it wants, in order."),
    V_TEXTS("classes", .optional = true, .nullable = true, .doc = "What it tells apart."),
    V_ANY("scores", .optional = true, .doc = "Metrics of the test rows."),
    {0},
};
const struct schema model_view = {
    .name = "Model", .doc = "A trained model.", .field = model_fields, .reply = true, .open = true};
LIST_VIEW(model_list, model_view, "Newest first.", "ModelList", "Trained models.");

// What the tasks say that they answer.
#define ANSWER_NUMBER(k, text) V_NUMBER(k, .optional = true, .doc = text)
#define ANSWER_TEXT(k, text) V_TEXT(k, .optional = true, .doc = text)
#define ANSWER_TEXTS(k, text) V_TEXTS(k, .optional = true, .doc = text)
#define ANSWER_NUMBERS(k, text) V_ANY(k, .of = FIELD_OBJECT, .optional = true, .doc = text)
FIELDS(prediction) = {
#define TASK(name, ...) __VA_ARGS__ __VA_OPT__(, )
#include "engine/table/task.def"
    {0},
};
static VIEW(prediction, "Prediction", "The answer for one row.");

FIELDS(predict) = {
    V_TEXT("model", .nullable = true,
           .doc = "The model that answered; null for a job without one."),
    V_WHOLE("version", .nullable = true, .doc = "Its version."),
    V_ITEMS("predictions", prediction_view, .doc = "One for each instance, in order."),
    {0},
};
VIEW(predict, "Predictions", "Answers for a batch of rows.");

FIELDS(health) = {
    V_TEXT("status", .doc = "Always ok when there is an answer."),
    V_TEXT("version", .optional = true, .doc = "Version of the server."),
    {0},
};
const struct schema health_view = {.name = "Health",
                                   .doc = "The server is alive.",
                                   .field = health_fields,
                                   .reply = true,
                                   .open = true};

FIELDS(fault) = {
    V_TEXT("pointer", .doc = "JSON Pointer into the request's body, after a #."),
    V_TEXT("code", .doc = "Stable word, such as out_of_range."),
    V_TEXT("detail", .doc = "What is wrong and what would be right."),
    {0},
};
static VIEW(fault, "Fault", "One thing that is wrong with a request.");

FIELDS(problem) = {
    V_TEXT("type", .doc = "Path that stands for this kind of problem."),
    V_TEXT("title", .doc = "The kind in words."),
    V_WHOLE("status", .doc = "The HTTP status."),
    V_TEXT("detail", .optional = true, .doc = "What happened this time."),
    V_TEXT("code", .optional = true, .doc = "Stable word for the kind."),
    V_ITEMS("errors", fault_view, .optional = true, .doc = "Everything that is wrong, by place."),
    V_WHOLE("more_errors", .optional = true, .doc = "Further ones that are not listed."),
    {0},
};
VIEW(problem, "Problem", "Why a request failed (RFC 9457).");

#define P_INSTANCES                                                                                \
    RAW("instances", struct predict_request, instances, .required = true, .of = FIELD_LIST,        \
        .doc = "Rows to predict: objects with the model's columns as keys, or arrays of cells in " \
               "their order. Null is a missing value.")
#define P_VERSION                                                                                  \
    INT("version", struct predict_request, version, .nullable = true, .min = 1, .max = 1e9,        \
        .doc = "Version of the model; the latest when not given.")
#define P_SCHEMA(n, title, text)                                                                   \
    const struct schema n##_schema = {                                                             \
        .name = title, .doc = text, .field = n##_fields, .size = sizeof(struct predict_request)}

FIELDS(predict_request) = {
    NAME("model", struct predict_request, model, .nullable = true, .doc = "Name of a model."),
    P_VERSION,
    INT("job", struct predict_request, job, .nullable = true, .min = 1, .max = INT32_MAX,
        .doc = "Number of a job, in place of a model."),
    P_INSTANCES,
    {0},
};
P_SCHEMA(predict_request, "PredictRequest", "A model and rows for it.");

FIELDS(model_rows) = {P_VERSION, P_INSTANCES, {0}};
P_SCHEMA(model_rows, "ModelRows", "Rows for the model that the path names.");

FIELDS(job_rows) = {P_INSTANCES, {0}};
P_SCHEMA(job_rows, "JobRows", "Rows for the model of the job that the path names.");

static const struct field evaluate_request_fields[] = {
    NAME("dataset", struct evaluate_request, dataset, .required = true,
         .doc = "Name of a stored dataset with the model's inputs and its target."),
    INT("version", struct evaluate_request, version, .nullable = true, .min = 1, .max = 1e9,
        .doc = "Version of the model; the latest when not given."),
    {0},
};
const struct schema evaluate_request_schema = {
    .name = "EvaluateRequest",
    .doc = "What to score a model on.",
    .field = evaluate_request_fields,
    .size = sizeof(struct evaluate_request),
};

FIELDS(evaluate) = {
    V_TEXT("model", .doc = "The model that was scored."),
    V_WHOLE("version", .doc = "Its version."),
    V_TEXT("dataset", .doc = "What it was scored on."),
    V_WHOLE("rows", .doc = "Rows that have a target the model knows."),
    V_WHOLE("rows_skipped", .doc = "Rows that have none, or a class it was not trained on."),
    V_NUMBER("loss", .nullable = true, .doc = "Mean loss in training units."),
    V_ANY("metrics", .of = FIELD_OBJECT, .doc = "The task's metrics, in the target's own units."),
    {0},
};
VIEW(evaluate, "Evaluation", "How good a model is on a dataset.");
