// SPDX-License-Identifier: MIT
#pragma once

// What is said of models: see views.h. What a training or an import leaves to be told is printed
// once, as model_summary_view, and stored; server/handlers/handle_models.c fills the rest.

#include "api/schema/schema.h"

struct input_reply {
    const char *name, *type;
    int64_t missing;
    bool has_mean;
    double mean;      // NaN: null
    int64_t distinct; // -1: left out
};

struct measure_reply { // one of several by name
    const char *name;
    double value; // NaN: null
};

struct scores_reply { // NULL: there are no such rows
    const struct measure_reply *validation, *test;
    size_t n_validation, n_test;
};

struct model_summary_reply {
    const char *target; // NULL: left out, for there are several
    const char *const *targets;
    size_t n_targets;
    int64_t parameters;
    const char *weights_sha256;
    bool trained; // here: the next three and the scores are there
    int64_t epochs, best_epoch;
    double training_seconds;
    const struct input_reply *inputs;
    size_t n_inputs;
    const char *const *classes;
    size_t n_classes;
    struct scores_reply scores;
};

struct model_reply {
    int64_t id;
    const char *name;
    int64_t version;
    int64_t job_id; // -1: null
    const char *task;
    int64_t created_at, bytes; // created_at in ms
    const char *digest;
    const char *summary; // as it is stored; NULL: left out, as in lists
};

struct evaluate_reply {
    const char *model;
    int64_t version;
    const char *dataset;
    int64_t rows, rows_skipped;
    double loss;
    const struct measure_reply *metrics;
    size_t n_metrics;
};

extern const struct schema measure_view, model_summary_view;
extern const struct schema model_view, model_list_view; // /models/<name>, /models
extern const struct schema evaluate_view;               // /models/<name>/evaluate
