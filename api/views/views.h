// SPDX-License-Identifier: MIT
#pragma once

// What replies look like, and the body of /predict. A reply is a plain struct, and rows that say
// how each member is printed (view_rows.h); a handler fills the struct and answers with it
// (reply_view()). OpenAPI prints the rows and the end-to-end tests hold the replies against them.
// Constant data.

#include "api/json/json.h"
#include "api/schema/schema.h"
#include "api/views/data_view.h"
#include "api/views/inspect_view.h"
#include "api/views/job_view.h"
#include "api/views/list_view.h"
#include "api/views/model_view.h"

extern const struct schema layers_view;    // /jobs/<id>/layers
extern const struct schema rows_view;      // /jobs/<id>/rows
extern const struct schema lr_view;        // /jobs/<id>/lr
extern const struct schema diagnosis_view; // /jobs/<id>/diagnosis
extern const struct schema metrics_view;   // /jobs/<id>/metrics

struct predict_reply {
    const char *model; // NULL: null
    int64_t version;   // -1: null
};
extern const struct schema predict_view; // .../predict

struct health_reply {
    const char *status, *version;
};
extern const struct schema health_view; // /healthz

// Read with schema_read(). The spans point into the body, strings are in the arena.
struct predict_request {
    const char *model;          // NULL when the path or `job` says which
    int version;                // 0: the latest
    int job;                    // 0: not by job
    struct json_span instances; // an array of objects, or of arrays in the order of the columns
};
extern const struct schema predict_request_schema;             // /predict: all of them
extern const struct schema model_rows_schema, job_rows_schema; // where the path says which model

struct evaluate_request {
    const char *dataset;
    int version; // of the model; 0: the latest
};
extern const struct schema evaluate_request_schema;
