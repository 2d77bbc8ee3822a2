// SPDX-License-Identifier: MIT
#pragma once

// A job definition as structs: what the rows of job_schema.c fill. Constant once filled.

#include "api/json/json.h"
#include "engine/model/model_spec.h"
#include "engine/table/data_spec.h"
#include "engine/train/lr_finder.h"
#include "engine/train/train_spec.h"

enum job_kind {
    JOB_TRAIN,     // make a model
    JOB_LR_FINDER, // sweep over learning rates, for its curve
};

// Strings and arrays belong to the arena given to job_spec_read(), the two spans to its body.
struct job_spec {
    const char *name;      // the dataset's when not given; NULL for nameless inline data
    const char *dataset;   // name of a stored dataset, or NULL
    struct json_span data; // inline data in place of it (see inline.h); at is NULL when absent
    struct data_spec prep; // columns, preparation, split
    struct model_spec model;
    bool own_model; // it says what network it wants, in its own words or in another library's
    struct train_spec train;
    enum job_kind kind;
    struct lr_sweep sweep; // of a finder
    const char *from;      // model whose weights are the first ones, or NULL
    int from_version;      // 0: the latest
    int planned;           // epochs it will take, or steps of a sweep; set once its data is known
    int priority;          // higher runs earlier
    struct json_span metadata; // an object, kept as it came; at is NULL when absent
};

enum { COLUMNS_MAX = 16384, TARGETS_MAX = 1024, CLASSES_MAX = 1024, UNITS_MAX = 65536 };

// Bytes of a definition, as given and as resolved, without inline data.
enum { JOB_DEFINITION_MAX = 1 << 20 };
