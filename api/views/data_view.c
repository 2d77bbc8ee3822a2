// SPDX-License-Identifier: MIT
// Rows of what is said of datasets: see view_rows.h.

#include "api/views/data_view.h"

#include "api/views/list_view.h"
#include "api/views/view_rows.h"
#include "engine/table/frame.h"

const char *const column_type_words[] = {
    [COLUMN_NUMERIC] = "numeric", [COLUMN_CATEGORICAL] = "categorical", NULL};

#define OF_NUMBERS .on = AT(struct column_reply, numeric, bool), .optional = true, .nullable = true

FIELDS(column) = {
    R_TEXT(column, name, .doc = "Its name."),
    R_TEXT(column, type, .names = column_type_words, .doc = "Its inferred type."),
    R_WHOLE(column, missing, .doc = "Cells without a value."),
    R_REAL(column, min, OF_NUMBERS, .doc = "Least number."),
    R_REAL(column, max, OF_NUMBERS, .doc = "Largest number."),
    R_REAL(column, mean, OF_NUMBERS, .doc = "Mean of the numbers."),
    R_REAL(column, std, OF_NUMBERS, .doc = "Standard deviation of the numbers."),
    R_WHOLE(column, distinct, .optional = true, .doc = "Number of distinct texts."),
    R_TEXTS(column, levels, .optional = true, .doc = "The first distinct texts."),
    {0},
};
static REPLY(column, "Column", "A column of a dataset.");

FIELDS(dataset_summary) = {
    R_ITEMS(dataset_summary, columns, column, .doc = "Its columns, in order."),
    {0},
};
REPLY(dataset_summary, "DatasetSummary", "What an upload has found out about its table.");

FIELDS(dataset) = {
    R_WHOLE(dataset, id, .doc = "Grows with time; what \"after\" of a list means."),
    R_TEXT(dataset, name, .doc = "Its name."),
    R_KIND("dataset"),
    R_WHOLE(dataset, version, .doc = "Counts the uploads under this name."),
    R_TEXT(dataset, digest, .doc = "SHA-256 of the uploaded bytes."),
    R_WHOLE(dataset, bytes, .doc = "Size of the upload."),
    R_TIME(dataset, created_at, .doc = "When it was uploaded, in Unix seconds."),
    R_WHOLE(dataset, rows, .doc = "Number of rows."),
    R_STORED(dataset, summary, dataset_summary, .optional = true),
    {0},
};
REPLY(dataset, "Dataset", "A stored table.");
LIST_VIEW(dataset_list, dataset, "Newest first.", "DatasetList", "Stored tables.");
