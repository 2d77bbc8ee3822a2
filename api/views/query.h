// SPDX-License-Identifier: MIT
#pragma once

// What may be asked for in a URI's query, read into a call's `query` before its handler runs. A
// number that is not given is 0 where its row has no default, a text NULL. Constant data.

#include "api/schema/schema.h"

enum { PAGE_MAX = 1000, CURVE_MAX = 100000 };

struct page_query { // of every list
    int limit;
    int64_t after;
};
extern const struct schema page_query, events_query;

struct jobs_query {
    struct page_query page;
    const char *status; // NULL: any
};
extern const struct schema jobs_query;
extern const char *const job_state_words[]; // every state of the store, then NULL

struct version_query {
    int version; // 0: the newest
};
extern const struct schema version_query;

struct epochs_query {
    int64_t after_epoch;
    int limit;
};
extern const struct schema metrics_query, layers_query;

struct rows_query {
    int64_t after; // rows to leave out
    int limit;
};
extern const struct schema rows_query;

struct upload_query {
    const char *name;
};
extern const struct schema upload_query;

enum graph_part { GRAPH_LOSS, GRAPH_TRAIN, GRAPH_SERVE };

struct graph_query {
    int version;
    enum graph_part graph;
    const char *format; // of the route's renderings; who looks is server/http
};
extern const struct schema graph_query;
