// SPDX-License-Identifier: MIT
// Rows of query parameters: see query.h.

#include "api/views/query.h"

#include "api/views/view_rows.h"

#define ID_MAX 1e15
#define QUERY(n, S)                                                                                \
    const struct schema n = {.name = #n, .field = n##_fields, .size = sizeof(struct S)}
#define PAGE(S, page, order, side)                                                                 \
    INT("limit", S, page limit, .def = "20", .min = 1, .max = PAGE_MAX,                            \
        .doc = "At most so many, " order " first."),                                               \
        WHOLE("after", S, page after, .max = ID_MAX,                                               \
              .doc = "Only those " side " this id: last_id of the page before.")
#define VERSION(S)                                                                                 \
    INT("version", S, version, .min = 1, .max = 1e9, .doc = "A version other than the newest.")
#define AFTER_EPOCH                                                                                \
    WHOLE("after_epoch", struct epochs_query, after_epoch, .max = ID_MAX,                          \
          .doc = "Only epochs after this one.")

const char *const job_state_words[] = {"queued", "running",   "paused", "succeeded",
                                       "failed", "cancelled", NULL};
static const char *const part_words[] = {
    [GRAPH_LOSS] = "loss", [GRAPH_TRAIN] = "train", [GRAPH_SERVE] = "serve", NULL};

FIELDS(page_query) = {PAGE(struct page_query, , "newest", "older than"), {0}};
QUERY(page_query, page_query);

FIELDS(events_query) = {PAGE(struct page_query, , "oldest", "after"), {0}};
QUERY(events_query, page_query);

FIELDS(jobs_query) = {
    PAGE(struct jobs_query, page., "newest", "older than"),
    STRING("status", struct jobs_query, status, .names = job_state_words,
           .doc = "Only jobs in this state."),
    {0},
};
QUERY(jobs_query, jobs_query);

FIELDS(version_query) = {VERSION(struct version_query), {0}};
QUERY(version_query, version_query);

FIELDS(metrics_query) = {
    AFTER_EPOCH,
    INT("limit", struct epochs_query, limit, .def = "100000", .min = 1, .max = CURVE_MAX,
        .doc = "At most so many epochs."),
    {0},
};
QUERY(metrics_query, epochs_query);

FIELDS(layers_query) = {
    AFTER_EPOCH,
    INT("limit", struct epochs_query, limit, .def = "400", .min = 1, .max = CURVE_MAX,
        .doc = "At most so many epochs, evenly spread."),
    {0},
};
QUERY(layers_query, epochs_query);

FIELDS(rows_query) = {
    WHOLE("after", struct rows_query, after, .max = ID_MAX, .doc = "Leave out so many rows."),
    INT("limit", struct rows_query, limit, .def = "1000", .min = 1, .max = CURVE_MAX,
        .doc = "At most so many rows."),
    {0},
};
QUERY(rows_query, rows_query);

FIELDS(upload_query) = {
    NAME("name", struct upload_query, name, .required = true, .doc = "Name to store it under."),
    {0},
};
QUERY(upload_query, upload_query);

FIELDS(graph_query) = {
    VERSION(struct graph_query),
    WORD("graph", struct graph_query, graph, enum graph_part, .names = part_words,
         .def = "\"loss\"", .doc = "As it learns, as it answers, or as it is traced (loss)."),
    STRING("format", struct graph_query, format, .doc = "json (default), svg or dot."),
    {0},
};
QUERY(graph_query, graph_query);
