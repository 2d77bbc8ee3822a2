// SPDX-License-Identifier: MIT
#pragma once

// What is said of jobs: see views.h. server/handlers/job_reply.c fills these from the store.

#include "api/json/json.h"
#include "api/schema/schema.h"

struct progress_reply {
    double fraction;
    int64_t epoch, epochs, step, steps;
};

struct best_reply {
    int64_t epoch; // -1: none
    const char *metric;
    double value; // NaN: null
};

struct job_error_reply {
    const char *code; // NULL: none
    const char *message, *param;
};

struct model_ref_reply {
    const char *name; // NULL: none
    int64_t version;
};

struct url_reply {
    const char *what, *path;
};

struct job_reply {
    int64_t id;
    const char *name, *status, *dataset, *dataset_digest;
    int64_t created_at, queued_at, started_at, finished_at, run_at; // ms; 0: null
    int64_t queue_position;                                         // -1: null
    int64_t attempt, crashes, deaths;
    bool runs_alone;
    struct progress_reply progress;
    double elapsed_seconds;
    double eta_seconds, estimated_finish; // NaN: null
    struct best_reply best;
    struct job_error_reply error;
    struct model_ref_reply model;
    int priority;
    struct json_span metadata;
    struct json_span definition; // without text: left out, as in lists
    struct json_span result;     // the same
    const char *const *notes;    // NULL: left out
    size_t n_notes;
    const struct url_reply *urls;
    size_t n_urls;
};

struct event_reply {
    int64_t id, job_id, created_at;
    const char *level, *type, *message;
};

extern const struct schema job_view, job_list_view; // /jobs/<id>, /jobs
extern const struct schema event_list_view;         // /jobs/<id>/events
