// SPDX-License-Identifier: MIT
// The route table, nothing else: a row is everything that is promised about one method on one path.
// http.c dispatches over it, openapi.c prints it, the tests walk it.

#include "api/files/import.h"
#include "api/schema/job_schema.h"
#include "api/views/chart.h"
#include "api/views/graph_doc.h"
#include "api/views/views.h"
#include "server/handlers/handlers.h"

enum {
    QUICK_BODY = 64 << 10, // rows of a prediction that are read in a few milliseconds
    MIB = 1 << 20,
    WIDE = 64 * MIB,
    WIDEST = 256 * MIB
}; // WIDE: lists, curves, tables of 16,384 columns

#define PAGE                                                                                       \
    {.name = "limit",                                                                              \
     .type = "integer",                                                                            \
     .doc = "At most so many, newest first (default 20, at most 1000)."},                          \
    {                                                                                              \
        .name = "after", .type = "integer",                                                        \
        .doc = "Only those older than this id: last_id of the page before."                        \
    }
#define VERSION                                                                                    \
    {                                                                                              \
        .name = "version", .type = "integer", .doc = "A version other than the newest."            \
    }

const struct route route_table[] = {
    {GET, SCOPE_OPEN, "/", "index", "Say what this is and how to use it.", meta_index,
     .status = 200, .produces = "text/plain; charset=utf-8"},
    {POST, SCOPE_WRITE, "/datasets", "upload_dataset",
     "Store a CSV table under a name; uploading again makes the next version.", dataset_upload_end,
     .reply = &dataset_view, .pace = PACE_SECONDS, .status = 201, .body_kind = BODY_STREAM,
     .begin = dataset_upload_begin, .piece = dataset_upload_piece, .undo = dataset_upload_undo,
     .reply_room = WIDEST,
     .query =
         {{.name = "name", .type = "string", .doc = "Name to store it under.", .required = true}},
     .fails = {ERR_INVALID, ERR_TOO_LARGE, ERR_NO_SPACE}},
    {GET, SCOPE_READ, "/datasets", "list_datasets", "List the stored tables.", dataset_list,
     .reply = &dataset_list_view, .reply_room = WIDE, .status = 200, .query = {PAGE},
     .fails = {ERR_INVALID}},
    {GET, SCOPE_READ, "/datasets/{name}", "get_dataset",
     "Show a table's columns, types and statistics.", dataset_get, .reply = &dataset_view,
     .reply_room = WIDE, .pace = PACE_SECONDS, .status = 200, .query = {VERSION},
     .fails = {ERR_INVALID, ERR_NOT_FOUND}},
    {DELETE, SCOPE_WRITE, "/datasets/{name}", "delete_dataset",
     "Delete all versions of a table that no unfinished job needs.", dataset_delete,
     .pace = PACE_SECONDS, .status = 204, .fails = {ERR_NOT_FOUND, ERR_CONFLICT}},
    {POST, SCOPE_SUBMIT, "/jobs", "create_job",
     "Queue a training job; a repeated Idempotency-Key answers with the first job.", job_create,
     .body = &job_schema, .reply = &job_view, .pace = PACE_SECONDS, .status = 201,
     .replay = "The job that this Idempotency-Key made before.", .body_kind = BODY_JSON,
     .max_body = 64 * MIB, .fails = {ERR_INVALID, ERR_TOO_LARGE, ERR_NO_SPACE, ERR_NOT_FOUND}},
    {GET, SCOPE_READ, "/jobs", "list_jobs", "List jobs.", job_list, .reply = &job_list_view,
     .reply_room = WIDE, .status = 200,
     .query = {PAGE, {.name = "status", .type = "string", .doc = "Only jobs in this state."}},
     .fails = {ERR_INVALID}},
    {GET, SCOPE_READ, "/jobs/{id}", "get_job", "Show a job: state, progress, result.", job_get,
     .reply = &job_view, .status = 200, .fails = {ERR_NOT_FOUND}},
    {POST, SCOPE_SUBMIT, "/jobs/{id}/cancel", "cancel_job", "Ask for the end of a job.", job_cancel,
     .reply = &job_view, .status = 202, .fails = {ERR_NOT_FOUND, ERR_CONFLICT}},
    {GET, SCOPE_READ, "/jobs/{id}/metrics", "job_metrics",
     "Loss curves and metrics, one value an epoch, while the job runs and afterwards.", job_metrics,
     .reply = &metrics_view, .rendering = chart_renderings, .reply_room = WIDE,
     .pace = PACE_SECONDS, .status = 200,
     .query = {{.name = "after_epoch", .type = "integer", .doc = "Only epochs after this one."},
               {.name = "limit", .type = "integer", .doc = "At most so many epochs."}},
     .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_NOT_ACCEPTABLE}},
    {GET, SCOPE_READ, "/jobs/{id}/layers", "job_layers",
     "What each layer did, epoch by epoch: gradients, weights, dead and saturated units.",
     job_layers, .reply = &layers_view, .reply_room = WIDE, .pace = PACE_SECONDS, .status = 200,
     .query = {{.name = "after_epoch", .type = "integer", .doc = "Only epochs after this one."},
               {.name = "limit",
                .type = "integer",
                .doc = "At most so many epochs, evenly spread (default 400)."}},
     .fails = {ERR_INVALID, ERR_NOT_FOUND}},
    {GET, SCOPE_READ, "/jobs/{id}/diagnosis", "job_diagnosis",
     "What is wrong with a training, the evidence, and a job that would mend it.", job_diagnosis,
     .reply = &diagnosis_view, .reply_room = WIDE, .pace = PACE_SECONDS, .status = 200,
     .fails = {ERR_INVALID, ERR_NOT_FOUND}},
    {GET, SCOPE_READ, "/jobs/{id}/lr", "job_lr",
     "The learning rates that a sweep suggests, its curve, and a job that trains at the first.",
     job_lr, .reply = &lr_view, .reply_room = WIDE, .pace = PACE_SECONDS, .status = 200,
     .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_CONFLICT}},
    {GET, SCOPE_READ, "/jobs/{id}/events", "job_events", "What happened to a job, oldest first.",
     job_events, .reply = &event_list_view, .reply_room = WIDE, .status = 200,
     .query = {{.name = "limit",
                .type = "integer",
                .doc = "At most so many (default 20, at most 1000)."},
               {.name = "after",
                .type = "integer",
                .doc = "Only those after this id: last_id of the page before."}},
     .fails = {ERR_INVALID, ERR_NOT_FOUND}},
    {POST, SCOPE_PREDICT, "/jobs/{id}/predict", "predict_by_job",
     "Predict with the model that a job has published.", predict_by_job, .body = &job_rows_schema,
     .reply = &predict_view, .pace = PACE_SECONDS, .slow_over = QUICK_BODY, .status = 200,
     .body_kind = BODY_JSON, .max_body = 8 * MIB,
     .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_CONFLICT, ERR_TOO_LARGE}},
    {GET, SCOPE_READ, "/models", "list_models", "List the trained models.", model_list,
     .reply = &model_list_view, .reply_room = WIDE, .status = 200, .query = {PAGE},
     .fails = {ERR_INVALID}},
    {POST, SCOPE_WRITE, "/models", "import_model",
     "Store a model that was trained elsewhere: its layers and weights as JSON, or safetensors.",
     model_import, .body = &import_schema, .reply = &model_view, .reply_room = WIDE,
     .pace = PACE_SECONDS, .status = 201, .body_kind = BODY_FILE, .max_body = 64 * MIB,
     .query = {{.name = "name", .type = "string", .doc = "Name of a model that comes as a file."},
               {.name = "activation",
                .type = "string",
                .doc =
                    "What lies between the layers of a file of another program (default relu)."}},
     .fails = {ERR_INVALID, ERR_TOO_LARGE, ERR_NO_SPACE}},
    {GET, SCOPE_READ, "/models/{name}/export", "export_model",
     "A model as a safetensors file, which POST /models takes in again.", model_export,
     .produces = "application/octet-stream", .reply_room = WIDEST, .pace = PACE_SECONDS,
     .status = 200, .query = {VERSION}, .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_TOO_LARGE}},
    {GET, SCOPE_READ, "/models/{name}", "get_model",
     "Show a model: its inputs, classes and scores.", model_get, .reply = &model_view,
     .reply_room = WIDE, .pace = PACE_SECONDS, .status = 200, .query = {VERSION},
     .fails = {ERR_INVALID, ERR_NOT_FOUND}},
    {POST, SCOPE_PREDICT, "/models/{name}/predict", "predict_by_model",
     "Predict with a model by its name.", predict_by_model, .body = &model_rows_schema,
     .reply = &predict_view, .pace = PACE_SECONDS, .slow_over = QUICK_BODY, .status = 200,
     .body_kind = BODY_JSON, .max_body = 8 * MIB,
     .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_TOO_LARGE}},
    {POST, SCOPE_PREDICT, "/models/{name}/evaluate", "evaluate_model",
     "Score a model on a stored dataset that has its target.", model_evaluate,
     .body = &evaluate_request_schema, .reply = &evaluate_view, .reply_room = WIDE,
     .pace = PACE_MINUTES, .status = 200, .body_kind = BODY_JSON,
     .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_TOO_LARGE}},
    {GET, SCOPE_READ, "/models/{name}/graph", "model_graph", "A model's computation graph.",
     model_graph, .reply = &graph_view, .reply_room = WIDE, .pace = PACE_SECONDS, .status = 200,
     .rendering = graph_renderings,
     .query = {VERSION,
               {.name = "graph",
                .type = "string",
                .doc = "train, serve or loss (default): as it learns, as it answers, as it is "
                       "traced."},
               {.name = "format", .type = "string", .doc = "json (default), svg or dot."}},
     .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_NOT_ACCEPTABLE, ERR_TOO_LARGE}},
    {POST, SCOPE_PREDICT, "/models/{name}/trace", "trace_model",
     "Every node's value for some rows and, with targets, every gradient.", model_trace,
     .body = &glass_request_schema, .reply = &trace_view, .reply_room = WIDE, .pace = PACE_MINUTES,
     .status = 200, .body_kind = BODY_JSON, .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_TOO_LARGE}},
    {POST, SCOPE_PREDICT, "/models/{name}/gradcheck", "gradcheck_model",
     "Compare autograd with central differences, in double precision.", model_gradcheck,
     .body = &glass_request_schema, .reply = &gradcheck_view, .reply_room = WIDE,
     .pace = PACE_MINUTES, .status = 200, .body_kind = BODY_JSON,
     .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_TOO_LARGE}},
    {POST, SCOPE_PREDICT, "/predict", "predict",
     "Predict with a model or a job's model, named in the body.", predict,
     .body = &predict_request_schema, .reply = &predict_view, .pace = PACE_SECONDS,
     .slow_over = QUICK_BODY, .status = 200, .body_kind = BODY_JSON, .max_body = 8 * MIB,
     .fails = {ERR_INVALID, ERR_NOT_FOUND, ERR_CONFLICT, ERR_TOO_LARGE}},
    {GET, SCOPE_OPEN, "/healthz", "health", "Say that the server is alive.", meta_health,
     .reply = &health_view, .status = 200},
    {GET, SCOPE_OPEN, "/openapi.json", "openapi", "This document.", meta_openapi, .status = 200},
    {GET, SCOPE_OPEN, "/schema/job", "job_schema", "JSON Schema of a job definition.",
     meta_job_schema, .status = 200},
};
const size_t route_count = sizeof route_table / sizeof *route_table;
