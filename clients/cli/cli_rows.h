// SPDX-License-Identifier: MIT
#pragma once

// A CSV file sent to a model in batches, its answers as CSV on stdout. Used by `predict`.

#include "clients/cli/cli_http.h"

// Reads `f` as uploads are read (engine/table/csv.h), takes the columns that the model wants,
// wherever they stand, and prints an answer for each row, in order. `what` names the file in
// messages. Returns an exit code, after saying on stderr what was wrong.
int rows_predict(struct http *h, const char *model, FILE *f, const char *what);
