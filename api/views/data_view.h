// SPDX-License-Identifier: MIT
#pragma once

// What is said of datasets: see views.h. What an upload has found out is printed once, as
// dataset_summary_view, and stored; server/handlers/handle_data.c fills these.

#include "api/schema/schema.h"

struct column_reply {
    const char *name, *type;
    int64_t missing;
    bool numeric;               // the next four are there
    double min, max, mean, std; // NaN: null
    int64_t distinct;           // -1: left out
    const char *const *levels;  // NULL: left out
    size_t n_levels;
};

struct dataset_summary_reply {
    const struct column_reply *columns;
    size_t n_columns;
};

struct dataset_reply {
    int64_t id;
    const char *name;
    int64_t version;
    const char *digest;
    int64_t bytes, created_at, rows; // created_at in ms
    const char *summary;             // as it is stored; NULL: left out, as in lists
};

extern const char *const column_type_words[]; // by enum column_type
extern const struct schema dataset_summary_view;
extern const struct schema dataset_view, dataset_list_view; // /datasets/<name>, /datasets
