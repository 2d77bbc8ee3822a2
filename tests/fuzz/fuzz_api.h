// SPDX-License-Identifier: MIT
#pragma once

// The targets' functions and dictionaries, for the table in fuzz_table.c.

#include "tests/fuzz/fuzz.h"

extern const char *const fuzz_job_words[],
    *const fuzz_rows_words[], *const fuzz_import_words[], *const fuzz_file_words[],
                                                              *const fuzz_csv_words[],
                                                                  *const fuzz_uri_words[],
                                                                      *const fuzz_accept_words[],
                                                                          *const fuzz_wire_words[];

typedef void fuzz_seeds_fn(struct fuzz_seeds *s);
typedef void fuzz_run_fn(const char *bytes, size_t len);

// fuzz_api.c
fuzz_seeds_fn fuzz_job_seeds, fuzz_stored_seeds, fuzz_predict_seeds, fuzz_inspect_seeds,
    fuzz_import_seeds, fuzz_file_seeds, fuzz_json_seeds;
fuzz_run_fn fuzz_job_run, fuzz_stored_run, fuzz_predict_run, fuzz_inspect_run, fuzz_import_run,
    fuzz_file_run, fuzz_json_run;

// fuzz_server.c
fuzz_seeds_fn fuzz_csv_seeds, fuzz_column_seeds, fuzz_uri_seeds, fuzz_accept_seeds, fuzz_wire_seeds;
fuzz_run_fn fuzz_csv_run, fuzz_cells_run, fuzz_column_run, fuzz_uri_run, fuzz_accept_run,
    fuzz_wire_run;
