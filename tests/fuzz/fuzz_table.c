// SPDX-License-Identifier: MIT
// The targets, a row each. A new reader of foreign bytes gets a row here, its functions in the file
// of its layer and their names in fuzz_api.h.

#include "tests/fuzz/fuzz_api.h"

const struct fuzz_target fuzz_table[] = {
    {"json", "any JSON: what is accepted is read, written, and read as the same", fuzz_json_seeds,
     fuzz_job_words, fuzz_json_run},
    {"job", "bodies of POST /jobs, inline data included", fuzz_job_seeds, fuzz_job_words,
     fuzz_job_run},
    {"stored", "definitions of jobs out of the database", fuzz_stored_seeds, fuzz_job_words,
     fuzz_stored_run},
    {"predict", "bodies of POST /predict", fuzz_predict_seeds, fuzz_rows_words, fuzz_predict_run},
    {"inspect", "bodies of /trace and /gradcheck", fuzz_inspect_seeds, fuzz_rows_words,
     fuzz_inspect_run},
    {"import", "bodies of POST /models in JSON", fuzz_import_seeds, fuzz_import_words,
     fuzz_import_run},
    {"file", "model files, of others and of our own", fuzz_file_seeds, fuzz_file_words,
     fuzz_file_run},
    {"cells", "tables of CSV, cut into pieces anywhere", fuzz_csv_seeds, fuzz_csv_words,
     fuzz_cells_run},
    {"csv", "uploads of CSV, stored and prepared for a job", fuzz_csv_seeds, fuzz_csv_words,
     fuzz_csv_run},
    {"column", "stored tables out of the data folder", fuzz_column_seeds, fuzz_csv_words,
     fuzz_column_run},
    {"uri", "targets of requests: paths and queries", fuzz_uri_seeds, fuzz_uri_words, fuzz_uri_run},
    {"accept", "what Accept says about the form of an answer", fuzz_accept_seeds, fuzz_accept_words,
     fuzz_accept_run},
    {"wire", "a connection's bytes: the same whatever the cuts, sound for the library",
     fuzz_wire_seeds, fuzz_wire_words, fuzz_wire_run},
};
const size_t fuzz_count = sizeof fuzz_table / sizeof *fuzz_table;
