// SPDX-License-Identifier: MIT
// What has no file of its own: see views.h. Predictions and curves are written by hand, number by
// number as they are made, so their rows have no struct behind them; the end-to-end tests hold them
// to what is said here.

#include "api/views/views.h"

#include "api/views/view_rows.h"

const struct schema *list_item(const struct schema *list)
{
    const struct field *f = list->field;
    while (f->type != FIELD_LIST)
        f++;
    return f->sub;
}

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

// The predictions are written one by one, between schema_write_to() and schema_write_rest().
FIELDS(predict) = {
    R_TEXT(predict, model, .nullable = true,
           .doc = "The model that answered; null for a job without one."),
    R_WHOLE(predict, version, .nullable = true, .doc = "Its version."),
    V_ITEMS("predictions", prediction_view, .doc = "One for each instance, in order."),
    {0},
};
REPLY(predict, "Predictions", "Answers for a batch of rows.");

FIELDS(health) = {
    R_TEXT(health, status, .doc = "Always ok when there is an answer."),
    R_TEXT(health, version, .doc = "Version of the server."),
    {0},
};
REPLY(health, "Health", "The server is alive.");

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
