// SPDX-License-Identifier: MIT
#pragma once

// What the rows of routes.c call, one function an endpoint. They run on polling threads, or on the
// pool when their row says `slow` or they asked for it by call_defer(); everything they make is in
// the call's arena, so none has anything to clean up.

#include "server/http/call.h"

#include <stdint.h>

struct job_row;
struct job_spec;

// handle_data.c
bool dataset_upload_begin(struct call *c, struct err *e);
bool dataset_upload_piece(struct call *c, const char *bytes, size_t len, struct err *e);
bool dataset_upload_end(struct call *c, struct err *e);
void dataset_upload_undo(struct call *c);
bool dataset_list(struct call *c, struct err *e);
bool dataset_get(struct call *c, struct err *e);
bool dataset_delete(struct call *c, struct err *e);

// handle_metrics.c
bool job_metrics(struct call *c, struct err *e);

// handle_jobs.c
bool job_create(struct call *c, struct err *e);
bool job_list(struct call *c, struct err *e);
bool job_get(struct call *c, struct err *e);
bool job_cancel(struct call *c, struct err *e);
bool job_events(struct call *c, struct err *e);

// handle_diagnosis.c
bool job_layers(struct call *c, struct err *e);
bool job_diagnosis(struct call *c, struct err *e);

// handle_lr.c
bool job_lr(struct call *c, struct err *e);

// A stored job with its definition, for these two files. ERR_INTERNAL when what is stored is none.
bool job_definition(struct call *c, int64_t id, struct job_row *job, struct job_spec *spec,
                    struct err *e);

// handle_predict.c
bool predict(struct call *c, struct err *e);
bool predict_by_job(struct call *c, struct err *e);
bool predict_by_model(struct call *c, struct err *e);

// handle_models.c
bool model_list(struct call *c, struct err *e);
bool model_get(struct call *c, struct err *e);
bool model_evaluate(struct call *c, struct err *e);

// handle_glass.c
bool model_graph(struct call *c, struct err *e);
bool model_trace(struct call *c, struct err *e);
bool model_gradcheck(struct call *c, struct err *e);

// handle_import.c
bool model_import(struct call *c, struct err *e);
bool model_export(struct call *c, struct err *e);

// handle_meta.c
bool meta_index(struct call *c, struct err *e);
bool meta_health(struct call *c, struct err *e);
bool meta_openapi(struct call *c, struct err *e);
bool meta_job_schema(struct call *c, struct err *e);
